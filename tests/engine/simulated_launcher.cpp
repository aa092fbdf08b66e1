#include "tests/engine/simulated_launcher.h"

#include <algorithm>
#include <utility>

namespace perdure::engine::testing {

void SimulatedLauncher::start(process::AttemptSpec spec, process::AttemptObserver& observer) {
  if (!seen_.insert(spec.handle).second) blame("started a handle twice");
  if (!runs_.insert(spec.run).second) blame("two attempts of " + spec.run.text() + " at once");
  Ending ending = script_(spec);
  const process::AttemptHandle handle = spec.handle;
  const std::uint64_t own_memory = spec.machine.memory;
  children_[handle] = {.observer = &observer,
                       .run = spec.run,
                       .spec = std::move(spec),
                       .ending = std::move(ending),
                       .memory = own_memory};
  if (!children_.at(handle).spec.only) ++attempts_;
  most_at_once_ = std::max(most_at_once_, attempts_);
  std::uint64_t memory = 0;
  std::size_t processes = 0;
  for (const auto& [each, child] : children_) {
    memory += child.spec.only ? 0 : child.memory;
    processes += child.spec.only ? 0 : 1;
  }
  most_processes_ = std::max(most_processes_, processes);
  most_memory_ = std::max(most_memory_, memory);
  const store::Duration starts_after = children_.at(handle).ending.starts_after;
  core_.after(starts_after, [this, handle, takes = children_.at(handle).ending.takes, alive = std::weak_ptr(alive_)] {
    if (alive.expired() || !children_.contains(handle)) return;
    if (Ending& wanted = children_.at(handle).ending; wanted.never_starts) {
      wanted.dies = true;
      return end(handle, {.failure = store::Failure{.kind = store::FailureKind::kHostLost,
                                                    .name = "HOST_LOST",
                                                    .message = "No process could be had.",
                                                    .stack = {},
                                                    .details = {}},
                          .output = {},
                          .retry_at = {},
                          .usage = {}});
    }
    children_.at(handle).observer->on_started(handle, 4242);
    if (children_.at(handle).spec.only && hooks_called) hooks_called(children_.at(handle).spec);
    store::LogEntry line;
    line.message = "a line";
    children_.at(handle).observer->on_log(handle, line);
    if (!children_.at(handle).ending.asks.empty()) return go_on(handle);
    core_.after(takes, [this, handle, alive] {
      if (alive.expired() || !children_.contains(handle)) return;
      Child& child = children_.at(handle);
      process::AttemptResult result = child.ending.result;
      for (const process::HookSpan& hook : child.ending.hooks) child.observer->on_hook(handle, hook);
      for (const process::Provisional& each : child.ending.judged) {
        judgements_.push_back(child.observer->judge(handle, each));
        result.judged = child.judged = true;
      }
      result.died = child.ending.dies;
      if (!child.judged || child.ending.lingers == store::Duration(0)) return end(handle, std::move(result));
      core_.after(child.ending.lingers, [this, handle, result, alive] {
        if (!alive.expired() && children_.contains(handle)) end(handle, result);
      });
    });
  });
}

// Asks what is to be asked next, after an equal part of the time that the attempt takes; then ends.
void SimulatedLauncher::go_on(process::AttemptHandle handle) {
  const Ending& ending = children_.at(handle).ending;
  const auto part = ending.takes / static_cast<std::int64_t>(ending.asks.size() + 1);
  core_.after(part, [this, handle, alive = std::weak_ptr(alive_)] {
    if (alive.expired() || !children_.contains(handle)) return;
    Child& child = children_.at(handle);
    if (child.ended) return;
    if (child.asked == child.ending.asks.size()) return end(handle, child.ending.result);
    const Asking& asking = child.ending.asks[child.asked++];
    process::AttemptRequest request = asking.request;
    if (asking.json) request.json = asking.json();
    request.id = child.asked;
    child.waits = true;
    child.observer->on_request(handle, std::move(request));
  });
}

void SimulatedLauncher::end(process::AttemptHandle handle, process::AttemptResult result) {
  Child& child = children_.at(handle);
  if (std::exchange(child.ended, true)) return;
  if (!child.left) runs_.erase(child.run);
  if (result.died && result.failure && attempt_died) attempt_died(child.spec);
  child.observer->on_result(handle, std::move(result));
  if (children_.contains(handle) && children_.at(handle).ending.dies) release(handle);
}

void SimulatedLauncher::confirm(process::AttemptHandle attempt) {
  const auto it = children_.find(attempt);
  if (it == children_.end()) return;  // it died, and is gone
  if (!it->second.ended) blame("confirmed before there was a result");
  if (std::exchange(it->second.confirmed, true)) blame("confirmed twice");
  if (!it->second.ending.dies) release(attempt);
}

void SimulatedLauncher::release(process::AttemptHandle handle) {
  core_.after(children_.at(handle).ending.leaves_after, [this, handle, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    process::AttemptObserver* observer = children_.at(handle).observer;
    if (!children_.at(handle).spec.only) --attempts_;
    children_.erase(handle);
    observer->on_released(handle);
  });
}

void SimulatedLauncher::reply(process::AttemptHandle attempt, std::uint64_t request, process::AttemptReply reply) {
  const auto it = children_.find(attempt);
  if (it == children_.end() || it->second.ended) return;  // it is gone meanwhile
  Child& child = it->second;
  if (!child.waits || request != child.asked) return blame("answered a request that no child has made");
  child.waits = false;
  const Asking& asking = child.ending.asks[child.asked - 1];
  if (asking.answered) asking.answered(reply);
  if (reply.status != protocol::ReplyStatus::kSuspended) return go_on(attempt);
  runs_.erase(child.run);  // its run goes on without it
  child.left = true;
  stop(attempt, process::StopReason::kCanceled, {});
}

void SimulatedLauncher::wait(process::AttemptHandle attempt, bool waits) {
  const auto it = children_.find(attempt);
  if (it == children_.end() || it->second.ended) return;
  if (std::exchange(it->second.parked, waits) == waits) blame("told twice that a run waits, or goes on");
  attempts_ += waits ? std::size_t(-1) : std::size_t{1};
}

std::vector<process::Survivor> SimulatedLauncher::executing() const {
  std::vector<process::Survivor> there;
  for (const auto& [handle, child] : children_) {
    if (child.confirmed || (child.ended && child.ending.dies)) continue;
    there.push_back({there.size(), child.run, child.spec.number, child.spec.token, child.spec.only.has_value(),
                     child.spec.replay});
  }
  return there;
}

std::vector<process::Survivor> SimulatedLauncher::survivors() { return left; }

void SimulatedLauncher::adopt(std::uint64_t survivor, process::AttemptSpec spec, store::Duration executed,
                              process::AttemptObserver& observer) {
  if (executed < store::Duration(0)) blame("adopted an attempt that has not begun yet");
  const auto found = std::ranges::find(left, survivor, &process::Survivor::id);
  if (found == left.end()) return blame("adopted somebody who is not there");
  if (found->run != spec.run || found->number != spec.number || found->token != spec.token || found->only_hooks) {
    blame("adopted one attempt as another");
  }
  left.erase(found);
  ++adopted;
  start(std::move(spec), observer);
}

void SimulatedLauncher::end_survivors(std::function<void()> gone) {
  if (left.empty()) return gone();
  left.clear();
  core_.after(store::Duration(3), [gone = std::move(gone), alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) gone();
  });
}

void SimulatedLauncher::stop(process::AttemptHandle attempt, process::StopReason, const std::string&) {
  core_.after(store::Duration(5), [this, attempt, alive = std::weak_ptr(alive_)] {
    if (alive.expired() || !children_.contains(attempt) || children_.at(attempt).judged) return;
    end(attempt, {.failure = store::Failure{.kind = store::FailureKind::kCanceled,
                                            .name = "CANCELED",
                                            .message = "The run was canceled.",
                                            .stack = {},
                                            .details = {}},
                  .output = {},
                  .retry_at = {},
                  .usage = {},
                  .died = children_.at(attempt).ending.dies});
  });
}

}  // namespace perdure::engine::testing
