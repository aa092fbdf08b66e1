// Children that exist on paper: each attempt, and each child that only calls hooks, takes some simulated time and ends
// as its script says. Checks what the engine asks of a launcher: no attempt started twice, no two of one run at once,
// exactly one confirm after each result.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "host/process/launcher.h"
#include "tests/engine/simulated_core.h"

namespace perdure::engine::testing {

/// Something that a child asks while it executes; it goes on when it has the answer.
struct Asking {
  process::AttemptRequest request;  // its id is given by the launcher
  std::function<void(const process::AttemptReply&)> answered{};
  std::function<std::string()> json{};  // of the request, where that is known only when it is asked
};

struct Ending {
  store::Duration starts_after{1};
  store::Duration takes{10};
  process::AttemptResult result;
  std::vector<Asking> asks{};                // one after the other, once it has started
  store::Duration lingers{0};                // in its last hooks, between what is judged and the result
  bool dies = false;                         // its process is gone with the result, before any confirm
  std::vector<process::HookSpan> hooks;      // executed before it ends
  std::vector<process::Provisional> judged;  // asked before it ends; the result then only says how the process ended
  bool never_starts = false;                 // no process can be had
  store::Duration leaves_after{1};
};

class SimulatedLauncher final : public process::Launcher {
 public:
  using Script = std::function<Ending(const process::AttemptSpec&)>;
  SimulatedLauncher(SimulatedCore& core, Script script) : core_(core), script_(std::move(script)) {}

  void start(process::AttemptSpec spec, process::AttemptObserver& observer) override;
  void confirm(process::AttemptHandle attempt) override;
  void reply(process::AttemptHandle attempt, std::uint64_t request, process::AttemptReply reply) override;
  void wait(process::AttemptHandle attempt, bool waits) override;
  void stop(process::AttemptHandle attempt, process::StopReason reason, const std::string& words = {}) override;
  std::vector<process::Survivor> survivors() override;
  void adopt(std::uint64_t survivor, process::AttemptSpec spec, store::Duration executed,
             process::AttemptObserver& observer) override;
  void end_survivors(std::function<void()> gone) override;

  /// Those of its children that would outlive their host now.
  [[nodiscard]] std::vector<process::Survivor> executing() const;
  /// Those that outlived the host before this one.
  std::vector<process::Survivor> left;
  /// How many of them were adopted.
  std::size_t adopted = 0;

  /// Told of every child that has begun to call hooks.
  std::function<void(const process::AttemptSpec&)> hooks_called;
  /// … and of every one that died without a word.
  std::function<void(const process::AttemptSpec&)> attempt_died;

  /// Tells of a hook in every attempt that executes.
  void tell_hook(const process::HookSpan& span) {
    for (const auto& [handle, child] : children_) child.observer->on_hook(handle, span);
  }
  /// What the engine answered to `judged`, of all attempts.
  [[nodiscard]] const std::vector<process::Judgement>& judgements() const { return judgements_; }
  [[nodiscard]] std::size_t most_at_once() const { return most_at_once_; }
  /// … with those that wait in a process.
  [[nodiscard]] std::size_t most_processes() const { return most_processes_; }
  /// The most memory that attempts had at once by their machines.
  [[nodiscard]] std::uint64_t most_memory() const { return most_memory_; }
  /// What the engine did that it must not, in words; empty: nothing.
  [[nodiscard]] const std::string& wrong() const { return wrong_; }

 private:
  struct Child {
    process::AttemptObserver* observer;
    store::RunId run;
    process::AttemptSpec spec;
    Ending ending;
    std::uint64_t memory = 0;
    bool judged = false, ended = false, confirmed = false;
    std::size_t asked = 0;  // of ending.asks
    bool waits = false;     // for the answer to the last of them
    bool parked = false;    // its run waits
    bool left = false;      // … and goes on without it
  };
  void go_on(process::AttemptHandle handle);
  void end(process::AttemptHandle handle, process::AttemptResult result);
  void release(process::AttemptHandle handle);
  void blame(const std::string& what) {
    if (wrong_.empty()) wrong_ = what;
  }

  SimulatedCore& core_;
  Script script_;
  std::map<process::AttemptHandle, Child> children_;
  std::set<process::AttemptHandle> seen_;
  std::set<store::RunId> runs_;  // with an attempt that has no result yet
  std::vector<process::Judgement> judgements_;
  std::size_t attempts_ = 0, most_at_once_ = 0, most_processes_ = 0;
  std::uint64_t most_memory_ = 0;
  std::string wrong_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);  // the host's death takes its children along
};

}  // namespace perdure::engine::testing
