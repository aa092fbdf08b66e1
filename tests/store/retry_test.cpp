// The table "How an attempt ends" and the backoff, swept.
#include "store/model/retry.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace perdure::store {
namespace {

using std::chrono::seconds;

constexpr Time kNow{Duration(1'700'000'000'000)};

Run run_after(std::uint32_t attempts, std::uint32_t host_losses = 0) {
  Run run;
  run.attempts = attempts;
  run.host_losses = host_losses;
  return run;
}

RetryPolicy plain() {
  RetryPolicy policy;
  policy.randomize = false;
  return policy;
}

AfterFailure after(FailureKind kind, const Run& run, const RetryPolicy& policy = plain(),
                   std::optional<Time> asked = std::nullopt) {
  Failure failure;
  failure.kind = kind;
  return after_failure(run, failure, policy, asked, kNow, 0.5);
}

std::optional<Time> retried_at(const AfterFailure& after) {
  const RetryAt* retry = std::get_if<RetryAt>(&after);
  return retry == nullptr ? std::nullopt : std::optional(retry->at);
}

std::optional<RunStatus> given_up(const AfterFailure& after) {
  const GiveUp* gave_up = std::get_if<GiveUp>(&after);
  return gave_up == nullptr ? std::nullopt : std::optional(gave_up->status);
}

TEST(RetryDelay, GrowsByTheFactorUpToTheLongest) {
  const RetryPolicy policy = plain();
  EXPECT_EQ(retry_delay(policy, 1, 0), seconds(1));
  EXPECT_EQ(retry_delay(policy, 2, 0), seconds(2));
  EXPECT_EQ(retry_delay(policy, 3, 0), seconds(4));
  EXPECT_EQ(retry_delay(policy, 6, 0), seconds(32));
  EXPECT_EQ(retry_delay(policy, 7, 0), seconds(60));
  EXPECT_EQ(retry_delay(policy, 4'000'000'000, 0), seconds(60));
}

TEST(RetryDelay, IsStretchedByLessThanTwoWhenRandomized) {
  RetryPolicy policy;
  EXPECT_EQ(retry_delay(policy, 1, 0), seconds(1));
  EXPECT_EQ(retry_delay(policy, 1, 0.5), Duration(1500));
  EXPECT_EQ(retry_delay(policy, 6, 0.999), seconds(60));
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> uniform;
  for (int i = 0; i < 1000; ++i) {
    const Duration delay = retry_delay(policy, 3, uniform(random));
    EXPECT_GE(delay, seconds(4));
    EXPECT_LE(delay, seconds(8));
  }
}

TEST(RetryDelay, NeverShrinksFromAttemptToAttemptNorLeavesItsBounds) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 500; ++i) {
    RetryPolicy policy = plain();
    policy.factor = 1 + static_cast<double>(random() % 5000) / 100;
    policy.min_timeout = Duration(random() % 100'000);
    policy.max_timeout = Duration(random() % 1'000'000);
    Duration before{};
    for (std::uint32_t attempt = 1; attempt < 60; ++attempt) {
      const Duration delay = retry_delay(policy, attempt, 0);
      ASSERT_GE(delay, before) << "factor " << policy.factor;
      ASSERT_LE(delay, policy.max_timeout);
      before = delay;
    }
  }
}

TEST(RetryDelay, IsTheLongestWhenThePowerOverflows) {
  RetryPolicy policy = plain();
  policy.factor = 1e308;
  EXPECT_EQ(retry_delay(policy, 5, 0), policy.max_timeout);
  policy.min_timeout = Duration(0);  // 0 times infinity
  EXPECT_EQ(retry_delay(policy, 5, 0), policy.max_timeout);
}

struct Row {
  FailureKind kind;
  bool retried;
  RunStatus otherwise;
};
const Row kTable[] = {
    {FailureKind::kTaskError, true, RunStatus::kFailed},
    {FailureKind::kAborted, false, RunStatus::kFailed},
    {FailureKind::kCrashed, true, RunStatus::kCrashed},
    {FailureKind::kExitedWithoutResult, true, RunStatus::kCrashed},
    {FailureKind::kOutOfMemory, true, RunStatus::kCrashed},
    {FailureKind::kMaxDurationExceeded, false, RunStatus::kTimedOut},
    {FailureKind::kStalled, true, RunStatus::kCrashed},
    {FailureKind::kProtocolError, true, RunStatus::kCrashed},
    {FailureKind::kOutputInvalid, false, RunStatus::kFailed},
    {FailureKind::kOutputTooLarge, false, RunStatus::kFailed},
    {FailureKind::kPayloadInvalid, false, RunStatus::kFailed},
    {FailureKind::kCanceled, false, RunStatus::kCanceled},
};

TEST(AfterFailure, EachKindIsRetriedOrFinalAsTheTableSays) {
  for (const Row& row : kTable) {
    const std::string code(failure_code(row.kind));
    const AfterFailure first = after(row.kind, run_after(1));
    if (row.retried) {
      EXPECT_EQ(retried_at(first), kNow + seconds(1)) << code;
    } else {
      EXPECT_EQ(given_up(first), row.otherwise) << code;
    }
    EXPECT_EQ(given_up(after(row.kind, run_after(3))), row.otherwise) << code;
  }
}

TEST(AfterFailure, TheDelayFollowsTheNumberOfTheAttempt) {
  EXPECT_EQ(retried_at(after(FailureKind::kTaskError, run_after(2))), kNow + seconds(2));
}

TEST(AfterFailure, ATimeoutIsRetriedWhenThePolicySaysSo) {
  RetryPolicy policy = plain();
  policy.on_timeout = true;
  EXPECT_EQ(retried_at(after(FailureKind::kMaxDurationExceeded, run_after(1), policy)), kNow + seconds(1));
  EXPECT_EQ(given_up(after(FailureKind::kMaxDurationExceeded, run_after(3), policy)), RunStatus::kTimedOut);
}

TEST(AfterFailure, AClassThatIsNotRetriedIsFinalAtOnce) {
  RetryPolicy policy = plain();
  policy.on_error = policy.on_crash = policy.on_out_of_memory = policy.on_stalled = false;
  EXPECT_EQ(given_up(after(FailureKind::kTaskError, run_after(1), policy)), RunStatus::kFailed);
  EXPECT_EQ(given_up(after(FailureKind::kCrashed, run_after(1), policy)), RunStatus::kCrashed);
  EXPECT_EQ(given_up(after(FailureKind::kExitedWithoutResult, run_after(1), policy)), RunStatus::kCrashed);
  EXPECT_EQ(given_up(after(FailureKind::kProtocolError, run_after(1), policy)), RunStatus::kCrashed);
  EXPECT_EQ(given_up(after(FailureKind::kOutOfMemory, run_after(1), policy)), RunStatus::kCrashed);
  EXPECT_EQ(given_up(after(FailureKind::kStalled, run_after(1), policy)), RunStatus::kCrashed);
}

TEST(AfterFailure, AClassMayHaveItsOwnNumberOfAttempts) {
  RetryPolicy policy = plain();
  policy.crash_attempts = 5;
  policy.error_attempts = 1;
  EXPECT_TRUE(retried_at(after(FailureKind::kCrashed, run_after(4), policy)));
  EXPECT_EQ(given_up(after(FailureKind::kCrashed, run_after(5), policy)), RunStatus::kCrashed);
  EXPECT_EQ(given_up(after(FailureKind::kTaskError, run_after(1), policy)), RunStatus::kFailed);
  EXPECT_TRUE(retried_at(after(FailureKind::kStalled, run_after(2), policy)));
}

struct Class {
  FailureKind kind;
  bool RetryPolicy::*on;
  std::optional<std::uint32_t> RetryPolicy::*attempts;
  RunStatus otherwise;
};
const Class kClasses[] = {
    {FailureKind::kTaskError, &RetryPolicy::on_error, &RetryPolicy::error_attempts, RunStatus::kFailed},
    {FailureKind::kCrashed, &RetryPolicy::on_crash, &RetryPolicy::crash_attempts, RunStatus::kCrashed},
    {FailureKind::kExitedWithoutResult, &RetryPolicy::on_crash, &RetryPolicy::crash_attempts, RunStatus::kCrashed},
    {FailureKind::kProtocolError, &RetryPolicy::on_crash, &RetryPolicy::crash_attempts, RunStatus::kCrashed},
    {FailureKind::kOutOfMemory, &RetryPolicy::on_out_of_memory, &RetryPolicy::out_of_memory_attempts,
     RunStatus::kCrashed},
    {FailureKind::kStalled, &RetryPolicy::on_stalled, &RetryPolicy::stalled_attempts, RunStatus::kCrashed},
    {FailureKind::kMaxDurationExceeded, &RetryPolicy::on_timeout, &RetryPolicy::timeout_attempts, RunStatus::kTimedOut},
};

TEST(AfterFailure, EachClassHasItsOwnNumberAndLeavesTheOthersTheirs) {
  for (const Class& own : kClasses) {
    for (const std::uint32_t most : {1U, 2U, 5U}) {
      RetryPolicy policy = plain();
      policy.on_timeout = true;
      policy.*own.attempts = most;
      for (std::uint32_t attempt = 1; attempt <= 6; ++attempt) {
        for (const Class& each : kClasses) {
          const std::uint32_t allowed = each.attempts == own.attempts ? most : policy.max_attempts;
          const std::string what = std::string(failure_code(own.kind)) + " has " + std::to_string(most) + ", attempt " +
                                   std::to_string(attempt) + " was " + std::string(failure_code(each.kind));
          const AfterFailure verdict = after(each.kind, run_after(attempt), policy);
          EXPECT_EQ(retried_at(verdict).has_value(), attempt < allowed) << what;
          EXPECT_EQ(given_up(verdict).value_or(each.otherwise), each.otherwise) << what;
        }
      }
    }
  }
}

TEST(AfterFailure, AClassesNumberCountsTheRunsAttemptsWhateverTheEarlierOnesFailedOf) {
  RetryPolicy policy = plain();
  policy.crash_attempts = 5;
  // Two errors, then crashes: the fifth attempt is the last, not the fifth crash.
  store::Run run = run_after(4);
  run.failure = Failure{FailureKind::kTaskError, {}, {}, {}, {}};
  EXPECT_TRUE(retried_at(after(FailureKind::kCrashed, run, policy)));
  run.attempts = 5;
  EXPECT_EQ(given_up(after(FailureKind::kCrashed, run, policy)), RunStatus::kCrashed);
  // An error at the fourth is beyond what errors are allowed.
  run.attempts = 4;
  EXPECT_EQ(given_up(after(FailureKind::kTaskError, run, policy)), RunStatus::kFailed);
}

TEST(AfterFailure, TheTriggersNumberOfAttemptsWinsOverThatOfEachClass) {
  for (const Class& each : kClasses) {
    const std::string code(failure_code(each.kind));
    for (const std::uint32_t number : {1U, 7U}) {
      RetryPolicy policy = plain();
      policy.on_timeout = true;
      policy.*each.attempts = number;
      store::Run run = run_after(3);
      run.options.max_attempts = 4;
      EXPECT_TRUE(retried_at(after(each.kind, run, policy))) << code;
      run.options.max_attempts = 3;
      EXPECT_EQ(given_up(after(each.kind, run, policy)), each.otherwise) << code;
    }
  }
}

TEST(AfterFailure, TheTriggersNumberDoesNotMakeAClassRetriedThatIsNot) {
  for (const Class& each : kClasses) {
    RetryPolicy policy = plain();
    policy.*each.on = false;
    store::Run run = run_after(1);
    run.options.max_attempts = 10;
    EXPECT_EQ(given_up(after(each.kind, run, policy)), each.otherwise) << failure_code(each.kind);
  }
}

TEST(AfterFailure, ALostHostIsRetriedAtOnceAndDoesNotCount) {
  RetryPolicy policy = plain();
  policy.max_attempts = 1;
  EXPECT_EQ(retried_at(after(FailureKind::kHostLost, run_after(1), policy)), kNow);
  // Two attempts, one of them lost: the error is the first that counts.
  policy.max_attempts = 2;
  EXPECT_EQ(retried_at(after(FailureKind::kTaskError, run_after(2, 1), policy)), kNow + seconds(1));
  EXPECT_EQ(given_up(after(FailureKind::kTaskError, run_after(3, 1), policy)), RunStatus::kFailed);
}

TEST(AfterFailure, ARunIsLostNoMoreThanTenTimes) {
  for (std::uint32_t losses = 0; losses + 1 < kMaxHostLosses; ++losses) {
    EXPECT_EQ(retried_at(after(FailureKind::kHostLost, run_after(losses + 1, losses))), kNow) << losses;
  }
  EXPECT_EQ(given_up(after(FailureKind::kHostLost, run_after(kMaxHostLosses, kMaxHostLosses - 1))),
            RunStatus::kSystemFailure);
}

TEST(AfterFailure, ATaskMayAskForTheTimeOfItsRetryButNotForMoreOfThem) {
  const Time asked = kNow + seconds(77);
  EXPECT_EQ(retried_at(after(FailureKind::kTaskError, run_after(1), plain(), asked)), asked);
  EXPECT_EQ(given_up(after(FailureKind::kTaskError, run_after(3), plain(), asked)), RunStatus::kFailed);
  RetryPolicy policy = plain();
  policy.on_error = false;
  EXPECT_EQ(retried_at(after(FailureKind::kTaskError, run_after(1), policy, asked)), asked);
  EXPECT_TRUE(given_up(after(FailureKind::kAborted, run_after(1), policy, asked)));
}

}  // namespace
}  // namespace perdure::store
