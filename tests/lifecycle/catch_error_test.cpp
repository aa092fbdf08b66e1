// What catch_error is told, and what its decisions do.
#include <boost/json/parse.hpp>

#include "tests/lifecycle/attempt_walk.h"

namespace perdure::e2e {
namespace {

using CatchError = AttemptWalk;

// A run that fails as `how`, and whose catch_error at the task's level decides so.
std::string deciding(const std::string& how, const std::string& decision) {
  return R"({"task.run":)" + how + R"(,"decides":"task.catch_error","decision":)" + decision + "}";
}

TEST_F(CatchError, IsToldTheErrorTheAttemptThePolicyAndTheTimeOfTheRetry) {
  const Walk walk = AttemptWalk::walk(R"({"task.run":"error"})");
  const auto first = walk.all("task.catch_error").at(0).event;
  EXPECT_EQ(first.at("error").at("name"), "Scripted");
  EXPECT_EQ(first.at("attempt"), 1);
  EXPECT_EQ(first.at("retry").at("maxAttempts"), 2);
  EXPECT_EQ(first.at("retry").at("minTimeoutMs"), 1);
  EXPECT_EQ(first.at("retry").at("on").at("timeout"), false);
  EXPECT_GT(first.at("retryAtMs").to_number<std::int64_t>(), 1'700'000'000'000);
  EXPECT_EQ(walk.all("task.catch_error").at(1).event.at("retryAtMs"), nullptr);
}

TEST_F(CatchError, ForbidsTheRetry) {
  const Walk walk = AttemptWalk::walk(deciding("\"error\"", R"({"retry":false})"));
  EXPECT_EQ(walk.status(), "FAILED");
  EXPECT_EQ(walk.attempts(), 1u);
  EXPECT_EQ(walk.all("task.on_failure").size(), 1u);
  EXPECT_TRUE(walk.all("plugin.catch_error").empty());  // it has decided
}

TEST_F(CatchError, NamesTheTimeOfTheRetryOrTheDelayUntilIt) {
  const Walk at = AttemptWalk::walk(deciding(R"({"error":1})", R"({"retryAtMs":1})"));
  EXPECT_EQ(at.status(), "COMPLETED");
  EXPECT_EQ(at.attempts(), 2u);
  const Walk after = AttemptWalk::walk(deciding(R"({"error":1})", R"({"retryAfterMs":300})"));
  EXPECT_EQ(after.status(), "COMPLETED");
  const auto& attempts = after.run.at("attempts").as_array();
  ASSERT_EQ(attempts.size(), 2u);
  EXPECT_NE(attempts[0].at("endedAt"), attempts[1].at("startedAt"));
}

TEST_F(CatchError, GivesAnotherPolicyForThisFailure) {
  const Walk more = AttemptWalk::walk(deciding(R"({"error":3})", R"({"retry":{"maxAttempts":4}})"));
  EXPECT_EQ(more.status(), "COMPLETED");
  EXPECT_EQ(more.attempts(), 4u);
  const Walk none = AttemptWalk::walk(deciding("\"error\"", R"({"retry":{"maxAttempts":1}})"));
  EXPECT_EQ(none.status(), "FAILED");
  EXPECT_EQ(none.attempts(), 1u);
}

TEST_F(CatchError, DoesNotReviveWhatIsNeverRetriedNorExceedTheAttempts) {
  const Walk aborted = AttemptWalk::walk(deciding("\"abort\"", R"({"retryAfterMs":1})"));
  EXPECT_EQ(aborted.attempts(), 1u);
  const Walk exhausted = AttemptWalk::walk(deciding("\"error\"", R"({"retryAfterMs":1})"));
  EXPECT_EQ(exhausted.attempts(), 2u);
  EXPECT_EQ(exhausted.status(), "FAILED");
}

TEST_F(CatchError, ReplacesTheErrorAndLeavesTheRetryAsItWas) {
  const Walk walk = AttemptWalk::walk(R"({"task.run":"error","decides":"task.catch_error","replace":"Clearer"})");
  EXPECT_EQ(walk.status(), "FAILED");
  EXPECT_EQ(walk.attempts(), 2u);
  EXPECT_EQ(walk.error("name"), "Clearer");
  EXPECT_EQ(walk.error("message"), "said better");
  EXPECT_EQ(walk.all("plugin.catch_error").at(0).event.at("error").at("name"), "Clearer");
  EXPECT_EQ(walk.only("task.on_failure").event.at("error").at("details"), boost::json::parse(R"({"was":"Scripted"})"));
}

TEST_F(CatchError, FailsTheAttemptByAnErrorOfItsOwn) {
  const Walk walk = AttemptWalk::walk(R"({"task.run":"error","task.catch_error":"error"})");
  EXPECT_EQ(walk.status(), "FAILED");
  EXPECT_EQ(walk.attempts(), 2u);
  EXPECT_EQ(walk.error("code"), "HANDLE_ERROR_ERROR");
  EXPECT_NE(walk.error("message").find("Scripted: task.run"), std::string::npos);
  EXPECT_NE(walk.error("message").find("Scripted: task.catch_error"), std::string::npos);
  EXPECT_EQ(walk.only("task.on_failure").event.at("error").at("name"), "HANDLE_ERROR_ERROR");
}

TEST_F(CatchError, FailsTheAttemptByADecisionThatIsNone) {
  const Walk wrong = AttemptWalk::walk(deciding("\"error\"", R"({"retry":{"maxAttempts":"many"}})"));
  EXPECT_EQ(wrong.error("code"), "HANDLE_ERROR_ERROR");
  EXPECT_NE(wrong.error("message").find("retry.maxAttempts must be a whole number"), std::string::npos)
      << wrong.error("message");
  const Walk unknown = AttemptWalk::walk(deciding("\"error\"", R"({"retryAfter":5})"));
  EXPECT_NE(unknown.error("message").find("retryAfterMs"), std::string::npos) << unknown.error("message");
  const Walk text = AttemptWalk::walk(deciding("\"error\"", "\"later\""));
  EXPECT_NE(text.error("message").find("must be a JSON object"), std::string::npos) << text.error("message");
}

TEST_F(CatchError, CatchesOutOfMemoryAsWell) {
  const Walk walk = AttemptWalk::walk(deciding("\"out_of_memory\"", R"({"retry":false})"));
  EXPECT_EQ(walk.status(), "CRASHED");
  EXPECT_EQ(walk.attempts(), 1u);
  EXPECT_EQ(walk.error("code"), "OUT_OF_MEMORY");
}

}  // namespace
}  // namespace perdure::e2e
