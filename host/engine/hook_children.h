// Children that call hooks of a run and nothing else: of one whose attempt died, of one that ended while nothing of it
// executed. Starts them, writes their log lines, and tells once how far each came. What a hook does wrong there (a
// crash, an exit, a hang) ends its child and stands on the timeline; it is not tried again.
//
// Core thread only.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "host/engine/core.h"
#include "host/process/launcher.h"
#include "store/store.h"

namespace perdure::engine {

/// How long each hook of such a child may take.
inline constexpr std::chrono::seconds kHookTime{60};

/// What a failure looks like to a hook: {"name","message","code","stack"?,"details"?}.
std::string error_json(const store::Failure& failure);
/// One line of the timeline, about the execution of a hook.
store::TimelineEvent hook_event(store::Time at, std::uint32_t attempt, const process::HookSpan& span);
/// A hook that could not be called.
process::HookSpan not_called(process::Hook hook, const store::Failure& why, store::Time now);

struct HookEnd {
  std::vector<store::TimelineEvent> events;  // for the run's timeline
  bool started = false;                      // there was a process
};

class HookChildren final : private process::AttemptObserver {
 public:
  HookChildren(Core& core, store::Store& store, process::Launcher& launcher,
               std::function<process::AttemptHandle()> next_handle);

  struct Callbacks {
    /// What becomes of the run, as its catch_error has it; absent: it is over.
    std::function<process::Judgement(process::Provisional)> judge;
    /// The child has ended, or could not be had. The process leaves once confirm() is called. Once.
    std::function<void(HookEnd)> ended;
    /// Nothing of it executes any more. Once, after `ended`.
    std::function<void()> gone;
  };
  /// Starts a child that calls the hooks of `spec.only`, for an attempt that would be `spec`; its name among them.
  process::AttemptHandle start(process::AttemptSpec spec, Callbacks callbacks);
  /// What came of it is recorded.
  void confirm(process::AttemptHandle child) { launcher_.confirm(child); }
  /// Ends it before its time.
  void stop(process::AttemptHandle child) { launcher_.stop(child, process::StopReason::kCanceled); }

  [[nodiscard]] std::size_t executing() const { return children_.size(); }

 private:
  struct Child {
    store::RunId run;
    std::uint32_t number = 0;
    process::HookSet open;         // not yet heard of
    bool last_one_failed = false;  // of the hooks heard of
    Callbacks callbacks;
    HookEnd end;
    std::vector<store::LogEntry> logs;
  };

  void on_started(process::AttemptHandle attempt, std::int32_t pid) override;
  void on_log(process::AttemptHandle attempt, store::LogEntry entry) override;
  void on_request(process::AttemptHandle attempt, process::AttemptRequest request) override;
  void on_hook(process::AttemptHandle attempt, process::HookSpan span) override;
  process::Judgement judge(process::AttemptHandle attempt, process::Provisional end) override;
  void on_result(process::AttemptHandle attempt, process::AttemptResult result) override;
  void on_released(process::AttemptHandle attempt) override;

  Core& core_;
  store::Store& store_;
  process::Launcher& launcher_;
  std::function<process::AttemptHandle()> next_handle_;
  std::unordered_map<process::AttemptHandle, Child> children_;
};

}  // namespace perdure::engine
