// The subscriptions to sets of runs: all that have some tags, all of a batch. Each is kept between its client's
// requests, with what it was sent and what has changed since, so that an idle one costs nothing but its place here. One
// thread reads the runs that have changed and finds whose they are; it sleeps while nothing does, and while nobody
// subscribes nobody is told of changes.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "host/api/signal.h"
#include "host/engine/engine.h"

namespace perdure::api {

/// Which runs are in a set: those with all of the tags, or those of the batch.
struct RunSetRule {
  std::vector<std::string> tags{};
  store::BatchId batch{};
  store::Time since{};  // created no earlier
  bool operator==(const RunSetRule&) const = default;
};

/// One subscription. Any thread.
class RunSet {
 public:
  RunSet(RunSetRule rule, std::string handle) : rule_(std::move(rule)), handle_(std::move(handle)) {}

  [[nodiscard]] const RunSetRule& rule() const { return rule_; }
  [[nodiscard]] const std::string& handle() const { return handle_; }
  [[nodiscard]] bool has(const store::Run& run) const;

  /// [its client's request] Wakes `signal` at the next change; there is one such request at a time.
  void wake(std::weak_ptr<Signal> signal);
  /// The runs that have changed since they were taken last, for a client that has got answer number `answer`; 0 is the
  /// first. What was answered after that got lost on its way, and is among them. Nothing: so much has changed, or the
  /// client is so far behind, that it has to begin again.
  std::optional<std::vector<store::RunId>> take(std::uint64_t answer);
  /// Answer number `answer` has these runs.
  void answered(std::uint64_t answer, std::vector<store::RunId> runs);
  /// Notes what was sent of the run: whether that is news, and the first that is sent of it.
  struct Sending {
    bool news = false;
    bool first = false;
  };
  Sending send(const store::RunId& run, std::uint64_t mark);

  // For RunSets, and for who could not send what it took.
  void changed(const store::RunId& run);
  [[nodiscard]] std::chrono::steady_clock::time_point asked_at() const;

 private:
  const RunSetRule rule_;
  const std::string handle_;
  mutable std::mutex mutex_;
  std::unordered_map<store::RunId, std::uint64_t> sent_;  // and the mark of what was
  std::unordered_set<store::RunId> changed_;
  std::uint64_t answer_ = 0;            // number of the newest answer
  std::vector<store::RunId> answered_;  // what was in it, unless it is the first
  bool too_much_ = false;
  std::weak_ptr<Signal> signal_;
  std::chrono::steady_clock::time_point asked_at_ = std::chrono::steady_clock::now();
};

class RunSets {
 public:
  explicit RunSets(engine::Engine& engine) : engine_(engine) {}
  ~RunSets();

  /// [any thread] A new subscription, which is told of changes from now on. Null: there are too many.
  std::shared_ptr<RunSet> add(RunSetRule rule);
  /// [any thread] The subscription of that handle; null when it was forgotten, some minutes after its last request.
  std::shared_ptr<RunSet> find(const std::string& handle);

 private:
  // What the engine tells of: a call of it may still be under way when the rest is gone.
  struct Inbox {
    std::mutex mutex;  // also for what is below
    std::condition_variable woken;
    std::vector<store::RunId> queue;
    std::unordered_set<store::RunId> queued;
    void note(const store::RunId& run);
  };

  void work();
  void tell(const store::RunId& run);
  void forget_old();

  engine::Engine& engine_;
  const std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  std::unordered_map<std::string, std::shared_ptr<RunSet>> sets_;                  // by handle
  std::unordered_map<std::string, std::vector<std::shared_ptr<RunSet>>> by_name_;  // by their first tag, or their batch
  std::unique_ptr<engine::Subscription> watching_;
  std::thread thread_;
  bool ending_ = false;
};

}  // namespace perdure::api
