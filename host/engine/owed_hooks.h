// Calls the hooks of runs that ended while nothing of them executed: canceled or expired while they waited (on_cancel,
// on_complete), given up with their hosts (on_failure, on_complete). The store keeps who owes them, so that a host that
// is killed leaves them to the next one: they are called at least once, from the first moment that all plugins are
// loaded, a few at a time, and outside of every queue.
//
// Core thread only, but for owes().
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/catalog/snapshot.h"
#include "host/engine/core.h"
#include "host/engine/hook_children.h"
#include "store/store.h"

namespace perdure::engine {

class OwedHooks {
 public:
  struct Surroundings {
    std::function<catalog::SnapshotPtr()> catalog;  // any thread
    std::function<process::AttemptSpec(const store::Claim&, const catalog::Task&)> spec_of;
    std::function<void(const std::string& message)> warn;
    std::function<void(const store::RunId& run)> changed;  // its timeline has grown
    std::function<void()> idle;                            // nothing executes any more
  };
  OwedHooks(Core& core, store::Store& store, HookChildren& children, Surroundings around);
  ~OwedHooks();

  /// The hooks that a run which ended so without an attempt has coming; none for other ends.
  static process::HookSet due(store::RunStatus status);

  /// Begins, once the store is recovered.
  void start();
  /// After something that may have made runs owe hooks: looks only when one does.
  void notice() {
    if (noticed_.exchange(false)) look();
  }
  /// Some run owes hooks: what finish_attempt recorded.
  void look();
  /// Plugins came or went, or the store serves again.
  void look_again() {
    if (more_) look();
  }
  /// The store serves again: records what it had refused.
  void store_serves();
  /// Starts nothing any more.
  void stop() { stopped_ = true; }
  [[nodiscard]] bool idle() const { return calls_.empty(); }

 private:
  struct Call {
    std::optional<process::AttemptHandle> child;
    std::vector<store::TimelineEvent> events;  // to be recorded
    bool recorded = false, gone = false;
    bool waits = false;  // for the store to serve again
  };

  bool begin(const store::RunId& run);
  void ended(const store::RunId& run, HookEnd end);
  void rest(const store::RunId& run);
  void record(const store::RunId& run);
  void recorded(const store::RunId& run, const store::Status& status);
  void leave(const store::RunId& run);

  Core& core_;
  store::Store& store_;
  HookChildren& children_;
  Surroundings around_;
  std::map<store::RunId, Call> calls_;
  std::map<store::RunId, unsigned> tries_;  // that got no process
  std::set<store::RunId> resting_;          // of these, until the next try
  std::set<store::RunId> unreadable_;       // left to the next host
  std::unique_ptr<Timer> rest_;
  bool started_ = false, stopped_ = false, looking_ = false;
  bool more_ = true;  // the store may know some that are not in calls_
  std::atomic<bool> noticed_{false};
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace perdure::engine
