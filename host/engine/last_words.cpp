// Attempts whose process died: nobody is left in them to call their hooks, so a child of its own calls those that have
// to hear of it, in the attempt's slot. Only then its end is recorded, with what the hooks decided, in one commit. A
// host that dies in between has recorded nothing: the attempt is lost with it, and the run is tried again.
#include <utility>
#include <variant>

#include "host/engine/core_engine.h"

namespace perdure::engine {

using process::Hook;
using process::HookSet;

// Empty: the end can be recorded as it is. `judged`: catch_error was asked already, and died over it.
HookSet CoreEngine::last_hooks(const Slot& slot, const store::AttemptEnd& end, bool judged) {
  if (slot.task == nullptr || !end.failure) return {};
  const HookSet around = slot.task->around;
  HookSet over{Hook::kOnFailure, Hook::kOnComplete};
  switch (end.failure->kind) {
    case store::FailureKind::kHostLost:
      return {};
    case store::FailureKind::kCanceled:
      return around.both({Hook::kOnComplete});
    case store::FailureKind::kMaxDurationExceeded:
      over.remove(Hook::kOnFailure);
      break;
    default:
      break;
  }
  const bool is_over = std::holds_alternative<store::GiveUp>(end.after);
  const HookSet caught = judged ? HookSet{} : around.both({Hook::kCatchError});
  if (!is_over && caught.empty()) return {};
  return caught.either(around.both(over));
}

// Hooks that no child of the attempt's own can call: it is over, and there was never a process, or not for the last
// time.
bool CoreEngine::owes_hooks(const Slot& slot, const store::AttemptEnd& end) {
  const auto* over = std::get_if<store::GiveUp>(&end.after);
  if (slot.task == nullptr || !end.failure || over == nullptr) return false;
  const bool lost = end.failure->kind == store::FailureKind::kHostLost;
  const bool never_began = end.failure->kind == store::FailureKind::kCanceled && slot.pid == 0;
  return (lost || never_began) && !slot.task->around.both(OwedHooks::due(over->status)).empty();
}

void CoreEngine::last_words(process::AttemptHandle handle, store::AttemptEnd end, bool judged) {
  Slot& slot = slots_.at(handle);
  const HookSet hooks = last_hooks(slot, end, judged);
  if (hooks.empty()) {
    slot.owes_hooks = end.owes_hooks = owes_hooks(slot, end);
    return record(handle, std::move(end));
  }
  if (hooks.has(Hook::kCatchError)) {  // what it is told of the retry must hold
    process::Provisional dead;
    dead.result.failure = end.failure;
    const double random = std::uniform_real_distribution<double>(0, 1)(random_);
    slot.judged = judge_end(slot, std::move(dead), end.now, random);
    end.after = slot.judged->after;
  }
  if (!end.logs.empty()) store_.append_logs(slot.run.id, std::exchange(end.logs, {}));  // they came before the hooks'
  process::AttemptSpec spec = spec_of({slot.run, slot.attempt, {}, {}}, *slot.task);
  spec.only = process::HooksOnly{hooks, error_json(*end.failure), slot.cancel_reason};
  slot.last = std::move(end);
  slot.hooks = hook_children_.start(
      std::move(spec),
      {.judge = [this, handle](process::Provisional said) { return judge_dead(handle, std::move(said)); },
       .ended = [this, handle](HookEnd words) { said_last(handle, std::move(words)); },
       .gone =
           [this, handle] {
             slots_.at(handle).hooks.reset();
             leave(handle);
           }});
}

// catch_error has decided on the death of an attempt, whose error its child only repeats.
process::Judgement CoreEngine::judge_dead(process::AttemptHandle handle, process::Provisional said) {
  Slot& slot = slots_.at(handle);
  if (!slot.judged) return {.is_final = true, .retry_at = {}, .retry = "{}", .failure = slot.last.failure};
  said.result = {};
  said.result.failure = slot.last.failure;
  slot.judged = judge_end(slot, std::move(said), slot.judged->now, slot.judged->random);
  return judgement_of(slot);
}

void CoreEngine::said_last(process::AttemptHandle handle, HookEnd words) {
  Slot& slot = slots_.at(handle);
  store::AttemptEnd end = std::move(slot.last);
  end.now = core_.now();
  if (auto judged = std::exchange(slot.judged, std::nullopt)) {
    end.failure = std::move(judged->failure);
    end.after = judged->after;
  }
  for (store::TimelineEvent& each : words.events) end.events.push_back(std::move(each));
  if (slot.canceling && std::holds_alternative<store::RetryAt>(end.after)) {  // canceled when it was dead already
    end.after = store::GiveUp{store::RunStatus::kCanceled};
    const HookSet due = OwedHooks::due(store::RunStatus::kCanceled);
    slot.owes_hooks = end.owes_hooks = !slot.task->around.both(due).empty();
  }
  record(handle, std::move(end));
}

}  // namespace perdure::engine
