// Attempts that outlived the host which had claimed their runs: those that the store still holds for executing get
// their slots again, and go on as if they had been started here. All others are ended by the launcher.
#include <algorithm>
#include <optional>
#include <utility>

#include "host/engine/attempt_context.h"
#include "host/engine/core_engine.h"
#include "store/model/transitions.h"

namespace perdure::engine {
namespace {

// How long the attempt has waited so far, which does not count as execution.
store::Duration waited_by(const store::Store& store, const store::RunId& run, std::uint32_t number, store::Time now) {
  store::Duration waited{};
  std::optional<store::Time> since;
  const store::Result<std::vector<store::TimelineEvent>> timeline = store.timeline(run);
  if (!timeline) return waited;
  for (const store::TimelineEvent& event : *timeline) {
    if (event.attempt != number) continue;
    if (event.name == event_name(store::RunEvent::kWaitBegan)) since = event.at;
    if (event.name != event_name(store::RunEvent::kResumed) || !since) continue;
    waited += event.at - *std::exchange(since, std::nullopt);
  }
  return since ? waited + (now - *since) : waited;
}

}  // namespace

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

// Whether its attempt is the one that its run is executing. A process that only calls hooks is none: the attempt that
// it was for has died, of which nobody knows any more how.
bool CoreEngine::adopt(const process::Survivor& survivor) {
  if (survivor.only_hooks) return false;
  const store::Result<store::Run> run = store_.run(survivor.run);
  const bool waits = run && run->status == store::RunStatus::kWaiting;  // its process asks for that wait again
  if (!run || (!waits && run->status != store::RunStatus::kExecuting)) return false;
  const store::Result<std::vector<store::Attempt>> attempts = store_.attempts(survivor.run);
  const store::AdoptedAttempt adopted{survivor.run, survivor.number, survivor.token};
  if (!attempts || attempts->empty() || !adopted.is(attempts->back())) return false;
  if (survivor.replay != attempts->back().evictions) return false;  // its run went on without it

  const process::AttemptHandle handle = next_handle_++;
  Slot& slot = slots_[handle];
  slot.catalog = catalog();
  slot.run = *run;
  slot.attempt = attempts->back();
  slot.launched = true;
  slot.task = slot.catalog->find(slot.attempt.version, slot.run.task);
  if (slot.task == nullptr) slot.task = slot.catalog->task_of(slot.run);  // its version cannot be loaded any more
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
  slot.entered_at = slot.attempt.started_at + waited_by(store_, slot.run.id, slot.attempt.number, core_.now());
  launcher_.adopt(survivor.id, std::move(spec), std::max(core_.now() - slot.entered_at, store::Duration(0)), *this);
  return true;
}

}  // namespace perdure::engine
