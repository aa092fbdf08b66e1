// Attempts with hooks: what they executed goes on the run's timeline, and what becomes of their run is decided before
// its last hooks hear of it.
#include <utility>

#include "host/engine/core_engine.h"
#include "host/process/exit_classifier.h"
#include "store/model/retry_decision.h"

namespace perdure::engine {

namespace {

store::Failure handle_error_error(const store::Failure& handled, std::string why, std::string stack = {}) {
  return {.kind = store::FailureKind::kHandleErrorError,
          .name = "HANDLE_ERROR_ERROR",
          .message = "While \"" + handled.name + ": " + handled.message + "\" was handled: " + std::move(why),
          .stack = std::move(stack),
          .details = {}};
}

const store::RetryPolicy& policy_of(const catalog::Task* task) {
  static const store::RetryPolicy usual;
  return task != nullptr ? task->options.retry : usual;
}

}  // namespace

void CoreEngine::on_hook(process::AttemptHandle attempt, process::HookSpan span) {
  const auto it = slots_.find(attempt);
  if (it == slots_.end()) return;
  Slot& slot = it->second;
  slot.events.push_back(hook_event(core_.now(), slot.attempt.number, span));
  const process::HookSet announcing{process::Hook::kOnSuccess, process::Hook::kOnFailure, process::Hook::kOnComplete};
  slot.announced = slot.announced || announcing.has(span.hook);
  write_soon();
}

// The last judgement counts; what the first one said of the time of a retry holds for the second as well.
process::Judgement CoreEngine::judge(process::AttemptHandle attempt, process::Provisional end) {
  const auto it = slots_.find(attempt);
  if (it == slots_.end()) return {.is_final = true, .retry_at = {}, .retry = "{}", .failure = {}};
  Slot& slot = it->second;
  const store::Time now = slot.judged ? slot.judged->now : core_.now();
  const double random = slot.judged ? slot.judged->random : std::uniform_real_distribution<double>(0, 1)(random_);
  slot.judged = judge_end(slot, std::move(end), now, random);
  return judgement_of(slot);
}

process::Judgement CoreEngine::judgement_of(const Slot& slot) {
  const store::RetryPolicy& policy = policy_of(slot.task);
  process::Judgement judgement;
  judgement.failure = slot.judged->failure;
  const auto* retry = std::get_if<store::RetryAt>(&slot.judged->after);
  if (judgement.failure && retry != nullptr) {
    judgement.is_final = false;
    judgement.retry_at = retry->at;
  }
  judgement.retry = store::retry_policy_json(policy, slot.run.options.max_attempts.value_or(policy.max_attempts));
  return judgement;
}

CoreEngine::Judged CoreEngine::judge_end(const Slot& slot, process::Provisional end, store::Time now,
                                         double random) const {
  Judged judged{std::move(end.result.output), std::move(end.result.failure), store::GiveUp{}, now, random};
  if (!judged.failure) return judged;
  const store::RetryPolicy& policy = policy_of(slot.task);
  store::Result<store::RetryDecision> decision = store::parse_retry_decision(end.decision, policy, core_.now());
  judged.after = store::after_failure(slot.run, *judged.failure, policy, end.result.retry_at, now, random,
                                      decision ? *decision : store::RetryDecision{});
  if (auto* retry = std::get_if<store::RetryAt>(&judged.after); retry != nullptr && end.told_retry) {
    retry->at = *end.told_retry;
  }
  if (end.failed) {
    judged.failure =
        handle_error_error(*judged.failure, end.failed->name + ": " + end.failed->message, end.failed->stack);
  } else if (!decision) {
    judged.failure = handle_error_error(*judged.failure, decision.status().message());
  } else if (end.replaced) {
    end.replaced->kind = judged.failure->kind;
    judged.failure = std::move(end.replaced);
  }
  return judged;
}

// `died`: how the process ended though its outcome was known.
void CoreEngine::apply_judged(Slot& slot, const std::optional<store::Failure>& died, store::AttemptEnd& end) {
  Judged judged = *std::exchange(slot.judged, std::nullopt);
  if (died) {
    store::LogEntry line;
    line.at = end.now;
    line.attempt = slot.attempt.number;
    line.level = store::LogLevel::kWarn;
    line.source = store::LogSource::kHost;
    line.message = "The attempt's process ended before its last hooks had; its outcome was known and stands. " +
                   died->name + ": " + died->message;
    slot.logs.push_back(std::move(line));
  }
  end.output = std::move(judged.output);
  end.failure = std::move(judged.failure);
  end.after = judged.after;
  if (slot.canceling && end.failure && std::holds_alternative<store::RetryAt>(end.after)) {
    end.failure = process::canceled();  // between its failure and now: there is no other attempt
    end.after = store::GiveUp{store::RunStatus::kCanceled};
  }
}

void CoreEngine::write_events(Slot& slot) {
  if (slot.events.empty()) return;
  store_.append_events(slot.run.id, std::exchange(slot.events, {}));
  watchers_->tell(slot.run.id);
}

}  // namespace perdure::engine
