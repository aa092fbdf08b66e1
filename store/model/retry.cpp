// The retry policy; see retry.h and the table "How an attempt ends" of the task model.
#include "store/model/retry.h"

#include <algorithm>
#include <cmath>

namespace perdure::store {
namespace {

// How the policy looks at a kind of failure: whether it lets it be retried, and what the run is when it is not.
struct Verdict {
  bool retried;
  RunStatus otherwise;
  std::optional<std::uint32_t> attempts = std::nullopt;  // in total, when the kind's class has its own number
};

Verdict verdict_on(FailureKind kind, const RetryPolicy& policy) {
  switch (kind) {
    case FailureKind::kTaskError:
    case FailureKind::kHandleErrorError:
      return {policy.on_error, RunStatus::kFailed, policy.error_attempts};
    case FailureKind::kAborted:
    case FailureKind::kOutputInvalid:
    case FailureKind::kOutputTooLarge:
    case FailureKind::kPayloadInvalid:
      return {false, RunStatus::kFailed};
    case FailureKind::kCrashed:
    case FailureKind::kExitedWithoutResult:
    case FailureKind::kProtocolError:  // a process gone wrong, like one that crashed
      return {policy.on_crash, RunStatus::kCrashed, policy.crash_attempts};
    case FailureKind::kOutOfMemory:
      return {policy.on_out_of_memory, RunStatus::kCrashed, policy.out_of_memory_attempts};
    case FailureKind::kStalled:
      return {policy.on_stalled, RunStatus::kCrashed, policy.stalled_attempts};
    case FailureKind::kMaxDurationExceeded:
      return {policy.on_timeout, RunStatus::kTimedOut, policy.timeout_attempts};
    case FailureKind::kHostLost:
      return {true, RunStatus::kSystemFailure};
    case FailureKind::kCanceled:
      return {false, RunStatus::kCanceled};
  }
  return {false, RunStatus::kSystemFailure};
}

// Whether a time that catch_error names is enough for another attempt after such a failure.
bool may_be_wished(FailureKind kind) {
  switch (kind) {
    case FailureKind::kTaskError:
    case FailureKind::kHandleErrorError:
    case FailureKind::kCrashed:
    case FailureKind::kExitedWithoutResult:
    case FailureKind::kProtocolError:
    case FailureKind::kOutOfMemory:
    case FailureKind::kStalled:
      return true;
    default:
      return false;
  }
}

}  // namespace

Duration retry_delay(const RetryPolicy& policy, std::uint32_t attempt, double random) {
  const double longest = static_cast<double>(policy.max_timeout.count());
  const double spread = policy.randomize ? 1 + random : 1;
  const double delay = static_cast<double>(policy.min_timeout.count()) *
                       std::pow(policy.factor, static_cast<double>(std::max<std::uint32_t>(attempt, 1) - 1)) * spread;
  if (!(delay < longest)) return policy.max_timeout;  // also when it is no number any more
  return Duration(std::max<Duration::rep>(0, std::llround(delay)));
}

AfterFailure after_failure(const Run& run, const Failure& failure, const RetryPolicy& policy, std::optional<Time> asked,
                           Time now, double random, const RetryDecision& decision) {
  const RetryPolicy& used = decision.policy ? *decision.policy : policy;
  const Verdict verdict = verdict_on(failure.kind, used);
  if (failure.kind == FailureKind::kHostLost) {
    if (run.host_losses + 1 >= kMaxHostLosses) return GiveUp{verdict.otherwise};
    return RetryAt{now};
  }
  if (decision.forbidden) return GiveUp{verdict.otherwise};
  // A task that asks for another attempt gets it, whatever its policy says of errors in general.
  const bool wished =
      (failure.kind == FailureKind::kTaskError && asked) || (may_be_wished(failure.kind) && decision.at);
  const std::uint32_t counted = run.attempts - std::min(run.attempts, run.host_losses);
  const std::uint32_t most = run.options.max_attempts.value_or(verdict.attempts.value_or(used.max_attempts));
  if (!(verdict.retried || wished) || counted >= most) return GiveUp{verdict.otherwise};
  if (decision.at) return RetryAt{*decision.at, decision.calendar};
  if (asked && !decision.policy) return RetryAt{*asked, true};
  return RetryAt{now + retry_delay(used, counted, random)};
}

}  // namespace perdure::store
