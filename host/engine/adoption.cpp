// Attempts that outlived the host which had claimed their runs: those that the store still holds for executing get
// their slots again, and go on as if they had been started here. All others are ended by the launcher.
#include <algorithm>
#include <optional>
#include <utility>

#include "host/engine/attempt_context.h"
#include "host/engine/core_engine.h"
#include "store/model/transitions.h"

namespace perdure::engine {

void CoreEngine::adopt_survivors() {
  std::size_t foreign = 0;
  for (const process::Survivor& each : launcher_.survivors()) {
    if (!adopt(each)) foreign++;
  }
  if (!adopted_.empty()) {
    warn(std::to_string(adopted_.size()) + " attempts went on while there was no host, and are adopted by this one.");
  }
  if (foreign > 0) warn(std::to_string(foreign) + " processes of attempts that are over are ended.");
}

// For how long the attempt has executed; what it waited does not count.
store::Duration CoreEngine::executed(const store::Attempt& attempt) const {
  const store::Time now = core_.now();
  store::Duration taken = now - attempt.started_at;
  const auto timeline = store_.timeline(attempt.run);
  std::optional<store::Time> waits;
  for (const store::TimelineEvent& each : timeline ? *timeline : std::vector<store::TimelineEvent>()) {
    if (each.attempt != attempt.number) continue;
    if (each.name == store::event_name(store::RunEvent::kWaitBegan)) waits = each.at;
    if (waits && each.name == store::event_name(store::RunEvent::kResumed))
      taken -= each.at - *std::exchange(waits, {});
  }
  if (waits) taken -= now - *waits;
  return std::max(taken, store::Duration(0));
}

// Whether its attempt is the one that its run is executing, or waits in. A process that only calls hooks is none: the
// attempt that it was for has died, of which nobody knows any more how. One that waits asks again what for, and has its
// slot until then.
bool CoreEngine::adopt(const process::Survivor& survivor) {
  if (survivor.only_hooks) return false;
  const store::Result<store::Run> run = store_.run(survivor.run);
  if (!run || (run->status != store::RunStatus::kExecuting && run->status != store::RunStatus::kWaiting)) return false;
  const store::Result<std::vector<store::Attempt>> attempts = store_.attempts(survivor.run);
  const store::AdoptedAttempt adopted{survivor.run, survivor.number, survivor.token};
  if (!attempts || attempts->empty() || !adopted.is(attempts->back())) return false;
  if (survivor.replay != attempts->back().evictions) return false;  // its run does without it

  const process::AttemptHandle handle = next_handle_++;
  Slot& slot = slots_[handle];
  slot.catalog = catalog();
  slot.run = *run;
  slot.attempt = attempts->back();
  slot.launched = true;
  slot.task = slot.catalog->find(slot.attempt.version, slot.run.task);
  if (slot.task == nullptr) slot.task = slot.catalog->task_of(slot.run);  // its version cannot be loaded any more
  const store::Duration taken = executed(slot.attempt);
  slot.entered_at = core_.now() - taken;
  catalog::Task unknown;
  store::Claim claim;
  claim.run = slot.run;
  claim.attempt = slot.attempt;
  process::AttemptSpec spec = spec_of(claim, slot.task != nullptr ? *slot.task : std::as_const(unknown));
  spec.handle = handle;
  slot.memory = spec.machine.memory;
  reserved_ += slot.memory;
  reserved_now_ = reserved_;
  slot_of_[slot.run.id] = handle;
  executing_ = busy();
  adopted_.push_back(adopted);
  launcher_.adopt(survivor.id, std::move(spec), taken, *this);
  return true;
}

}  // namespace perdure::engine
