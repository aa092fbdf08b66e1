// When a failed attempt is tried again: the task's retry policy applied to a failure. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "store/model/run.h"

namespace perdure::store {

/// The `retry` options of a task; the defaults are the task model's.
struct RetryPolicy {
  std::uint32_t max_attempts = 3;  // in total
  double factor = 2;
  Duration min_timeout{1000};
  Duration max_timeout{60000};
  bool randomize = true;
  // Which classes of failure are retried.
  bool on_error = true, on_crash = true, on_out_of_memory = true, on_stalled = true, on_timeout = false;
  // How many attempts a run may have in total when the newest one failed so, where the class has its own number; else
  // max_attempts. A number of attempts is one of the run, whatever its earlier attempts failed of.
  std::optional<std::uint32_t> error_attempts, crash_attempts, out_of_memory_attempts, stalled_attempts,
      timeout_attempts;
  // The machine of the attempts after one that ran out of memory, as machine_text(); "auto": the next preset above what
  // that one used; empty: the same.
  std::string out_of_memory_machine;
  bool operator==(const RetryPolicy&) const = default;
};

/// min(max_timeout, min_timeout * factor^(attempt-1) * r): the delay before attempt `attempt`+1.
/// `random` is uniform in [0,1); r = 1 + random when randomized, else 1. `attempt` counts from 1.
Duration retry_delay(const RetryPolicy& policy, std::uint32_t attempt, double random);

/// What the task's catch_error decided about one failure; nothing in it: as the policy says.
struct RetryDecision {
  bool forbidden = false;             // no retry
  std::optional<RetryPolicy> policy;  // this one instead of the task's
  std::optional<Time> at;             // instead of the policy's delay
  bool calendar = false;              // … which is a time that was named, not the end of a pause
};

/// What becomes of a run whose attempt failed.
struct RetryAt {
  Time at;
  bool calendar = false;  // a time that the task named, not the end of a pause
};                        // DELAYED until then (at <= now: QUEUED at once)
struct GiveUp {
  RunStatus status;
};  // final
using AfterFailure = std::variant<RetryAt, GiveUp>;

/// Most HOST_LOST attempts one run may have before it becomes SYSTEM_FAILURE.
inline constexpr std::uint32_t kMaxHostLosses = 10;

/// Decides by the table "How an attempt ends". `run` is the run with the failed attempt already counted in `attempts`
/// (and `host_losses` not yet raised for it). `asked` is a time the task itself asked for (RetryAt), which replaces the
/// backoff but not the limit of attempts. Trigger options in `run.options` win over the policy. A time that `decision`
/// names is a wish for another attempt like `asked`, but for failures of every class that can be retried at all, except
/// a timeout. HOST_LOST is no failure of the task's: nothing is decided about it.
AfterFailure after_failure(const Run& run, const Failure& failure, const RetryPolicy& policy, std::optional<Time> asked,
                           Time now, double random, const RetryDecision& decision = {});

}  // namespace perdure::store
