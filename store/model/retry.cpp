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
                           Time now, double random) {
  const Verdict verdict = verdict_on(failure.kind, policy);
  if (failure.kind == FailureKind::kHostLost) {
    if (run.host_losses + 1 >= kMaxHostLosses) return GiveUp{verdict.otherwise};
    return RetryAt{now};
  }
  // A task that asks for another attempt gets it, whatever its policy says of errors in general.
  const bool retried = verdict.retried || (failure.kind == FailureKind::kTaskError && asked);
  const std::uint32_t counted = run.attempts - std::min(run.attempts, run.host_losses);
  const std::uint32_t most = run.options.max_attempts.value_or(verdict.attempts.value_or(policy.max_attempts));
  if (!retried || counted >= most) return GiveUp{verdict.otherwise};
  return RetryAt{asked ? *asked : now + retry_delay(policy, counted, random)};
}

}  // namespace perdure::store
