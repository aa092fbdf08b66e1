// What catch_error may decide: its document, and what the decision does to a retry.
#include "store/model/retry_decision.h"

#include <gtest/gtest.h>

#include <string>

#include "store/model/task_options.h"

namespace perdure::store {
namespace {

using std::chrono::seconds;

constexpr Time kNow{Duration(1'700'000'000'000)};

RetryPolicy plain() {
  RetryPolicy policy;
  policy.randomize = false;
  return policy;
}

RetryDecision parsed(const std::string& json) {
  const Result<RetryDecision> decision = parse_retry_decision(json, plain(), kNow);
  EXPECT_TRUE(decision) << decision.status().message();
  return decision ? *decision : RetryDecision{};
}
std::string refusal(const std::string& json) {
  const Result<RetryDecision> decision = parse_retry_decision(json, plain(), kNow);
  EXPECT_FALSE(decision) << json;
  return decision.status().message();
}

AfterFailure after(FailureKind kind, const RetryDecision& decision, std::uint32_t attempts = 1,
                   const RetryPolicy& policy = plain()) {
  Run run;
  run.attempts = attempts;
  Failure failure;
  failure.kind = kind;
  return after_failure(run, failure, policy, std::nullopt, kNow, 0.5, decision);
}
std::optional<Time> retried_at(const AfterFailure& after) {
  const RetryAt* retry = std::get_if<RetryAt>(&after);
  return retry == nullptr ? std::nullopt : std::optional(retry->at);
}

TEST(RetryDecision, LeavesItToThePolicyWhenItSaysNothing) {
  for (const char* json : {"", "{}", R"({"retry":true})"}) {
    EXPECT_EQ(retried_at(after(FailureKind::kTaskError, parsed(json))), kNow + seconds(1)) << json;
  }
}

TEST(RetryDecision, ForbidsARetry) {
  for (const FailureKind kind : {FailureKind::kTaskError, FailureKind::kCrashed, FailureKind::kStalled}) {
    EXPECT_FALSE(retried_at(after(kind, parsed(R"({"retry":false})"))));
  }
}

TEST(RetryDecision, NamesTheTimeOrTheDelay) {
  EXPECT_EQ(retried_at(after(FailureKind::kTaskError, parsed(R"({"retryAtMs":1700000005000})"))), kNow + seconds(5));
  EXPECT_EQ(retried_at(after(FailureKind::kTaskError, parsed(R"({"retryAfterMs":7000})"))), kNow + seconds(7));
}

TEST(RetryDecision, WishesForAnotherAttemptThoughTheClassIsNotRetried) {
  RetryPolicy never = plain();
  never.on_error = never.on_crash = never.on_stalled = never.on_out_of_memory = never.on_timeout = false;
  const RetryDecision wish = parsed(R"({"retryAfterMs":0})");
  for (const FailureKind kind : {FailureKind::kTaskError, FailureKind::kCrashed, FailureKind::kExitedWithoutResult,
                                 FailureKind::kOutOfMemory, FailureKind::kStalled, FailureKind::kProtocolError}) {
    EXPECT_EQ(retried_at(after(kind, wish, 1, never)), kNow);
    EXPECT_FALSE(retried_at(after(kind, wish, 3, never)));  // no attempt is left
  }
  for (const FailureKind kind :
       {FailureKind::kAborted, FailureKind::kOutputInvalid, FailureKind::kOutputTooLarge, FailureKind::kPayloadInvalid,
        FailureKind::kCanceled, FailureKind::kMaxDurationExceeded}) {
    EXPECT_FALSE(retried_at(after(kind, wish, 1, never)));
  }
}

TEST(RetryDecision, PutsAnotherPolicyInThePlaceOfTheTasks) {
  const RetryDecision other = parsed(R"({"retry":{"maxAttempts":9,"minTimeoutMs":4000}})");
  EXPECT_EQ(retried_at(after(FailureKind::kTaskError, other, 8)), kNow + seconds(60));
  EXPECT_EQ(retried_at(after(FailureKind::kTaskError, other, 2)), kNow + seconds(8));  // its factor is the task's
  EXPECT_FALSE(retried_at(after(FailureKind::kTaskError, other, 9)));
  const RetryDecision timeout = parsed(R"({"retry":{"on":{"timeout":true}},"retryAfterMs":3000})");
  EXPECT_EQ(retried_at(after(FailureKind::kMaxDurationExceeded, timeout)), kNow + seconds(3));
}

TEST(RetryDecision, ChangesNothingOfALostHost) {
  EXPECT_EQ(retried_at(after(FailureKind::kHostLost, parsed(R"({"retry":false})"))), kNow);
}

TEST(RetryDecision, IsRefusedByPath) {
  EXPECT_NE(refusal("[]").find("must be a JSON object"), std::string::npos);
  EXPECT_NE(refusal(R"({"retry":"no"})").find("option retry must be true, false or an object"), std::string::npos);
  EXPECT_NE(refusal(R"({"retry":{"factor":0}})").find("option retry.factor must be"), std::string::npos);
  EXPECT_NE(refusal(R"({"retry":{"on":{"crash":1}}})").find("option retry.on.crash must be"), std::string::npos);
  EXPECT_NE(refusal(R"({"retryAtMs":-1})").find("option retryAtMs must be"), std::string::npos);
  EXPECT_NE(refusal(R"({"retryAtMs":1,"retryAfterMs":1})").find("left out beside retryAtMs"), std::string::npos);
  EXPECT_NE(refusal(R"({"retryIn":5})").find("option retryIn is unknown"), std::string::npos);
  EXPECT_NE(refusal("{").find("the decision of catch_error"), std::string::npos);
}

TEST(RetryPolicyJson, IsTheOptionsDocumentOfThePolicy) {
  RetryPolicy policy;
  policy.factor = 1.5;
  policy.on_crash = false;
  policy.stalled_attempts = 5;
  EXPECT_EQ(retry_policy_json(policy, 7),
            R"({"maxAttempts":7,"factor":1.5,"minTimeoutMs":1000,"maxTimeoutMs":60000,"randomize":true,)"
            R"("on":{"error":true,"crash":false,"outOfMemory":true,"stalled":{"maxAttempts":5},"timeout":false}})");
  const Result<TaskOptions> back =
      parse_task_options(TaskId("t"), R"({"retry":)" + retry_policy_json(policy, policy.max_attempts) + "}", false);
  ASSERT_TRUE(back) << back.status().message();
  EXPECT_EQ(back->retry, policy);
}

}  // namespace
}  // namespace perdure::store
