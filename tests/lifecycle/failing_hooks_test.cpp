// What a failure in each hook does: it fails the attempt, or it is ignored and shown.
#include <boost/json/parse.hpp>

#include "tests/lifecycle/attempt_walk.h"

namespace perdure::e2e {
namespace {

using Names = std::vector<std::string>;
using FailingHook = AttemptWalk;

std::string script(const std::string& what, const std::string& how) { return "{\"" + what + "\":\"" + how + "\"}"; }

TEST_F(FailingHook, IsIgnoredAndShownWhereItAnnouncesOrPrepares) {
  for (const std::string what : {"task.on_start", "plugin.init", "global.on_success", "task.on_complete"}) {
    const Walk walk = AttemptWalk::walk(script(what, "error"));
    EXPECT_EQ(walk.status(), "COMPLETED") << what;
    const auto spans = walk.spans_of(what);
    ASSERT_EQ(spans.size(), 1u) << what;
    EXPECT_EQ(spans[0].at("error"), boost::json::parse(R"({"name":"Scripted","message":")" + what + R"("})"));
    EXPECT_EQ(spans[0].at("ignored"), true) << what;
    EXPECT_EQ(walk.all("task.run").size(), 1u) << what;
    EXPECT_EQ(walk.all("task.on_complete").size(), 1u) << what;
  }
}

TEST_F(FailingHook, IsIgnoredInOnFailure) {
  const Walk walk = AttemptWalk::walk(R"({"task.run":"abort","task.on_failure":"error"})");
  EXPECT_EQ(walk.status(), "FAILED");
  EXPECT_EQ(walk.error("message"), "task.run");
  EXPECT_EQ(walk.spans_of("task.on_failure").at(0).at("ignored"), true);
  EXPECT_EQ(walk.all("task.on_complete").size(), 1u);
}

TEST_F(FailingHook, FailsTheAttemptInOnStartAttemptAndCleansUp) {
  const Walk walk = AttemptWalk::walk(script("plugin.on_start_attempt", "error"));
  EXPECT_EQ(walk.status(), "FAILED");
  EXPECT_EQ(walk.error("message"), "plugin.on_start_attempt");
  EXPECT_EQ(walk.attempts(), 2u);
  EXPECT_EQ(walk.order(1, "task"), (Names{"middleware", "cleanup", "catch_error"}));
  EXPECT_TRUE(walk.all("task.run").empty());
  EXPECT_FALSE(walk.spans_of("plugin.on_start_attempt").at(0).contains("ignored"));
}

TEST_F(FailingHook, FailsTheAttemptInCleanupAndTheOthersCleanUpNevertheless) {
  const Walk walk = AttemptWalk::walk(script("global.cleanup", "error"));
  EXPECT_EQ(walk.status(), "FAILED");
  EXPECT_EQ(walk.error("message"), "global.cleanup");
  EXPECT_EQ(walk.all("task.cleanup").size(), 2u);
  EXPECT_TRUE(walk.all("task.on_success").empty());
  EXPECT_EQ(walk.all("task.on_failure").size(), 1u);
}

TEST_F(FailingHook, FailsTheAttemptInMiddlewareBeforeAndAfter) {
  const Walk before = AttemptWalk::walk(script("plugin.middleware", "error"));
  EXPECT_EQ(before.status(), "FAILED");
  EXPECT_EQ(before.error("message"), "plugin.middleware");
  EXPECT_EQ(before.order(1, "task"), Names{"catch_error"});
  const Walk after = AttemptWalk::walk(script("plugin.middleware", "error after"));
  EXPECT_EQ(after.error("message"), "plugin.middleware after");
  EXPECT_EQ(after.all("task.run").size(), 2u);
  EXPECT_EQ(after.spans_of("plugin.middleware").at(0).at("error").at("message"), "plugin.middleware after");
}

TEST_F(FailingHook, OrRatherAMiddlewareThatDoesNotGoOnIsASuccessOfItsOwn) {
  const Walk walk = AttemptWalk::walk(script("plugin.middleware", "skip"));
  EXPECT_EQ(walk.status(), "COMPLETED");
  EXPECT_EQ(walk.run.at("output"), "instead");
  EXPECT_EQ(walk.order(1, "task"), (Names{"on_success", "on_complete"}));
}

TEST_F(FailingHook, ThatCrashesAfterTheOutcomeChangesNothingOfItButWarns) {
  for (const std::string how : {"crash", "exit"}) {
    const Walk walk = AttemptWalk::walk(script("plugin.on_success", how));
    EXPECT_EQ(walk.status(), "COMPLETED") << how;
    EXPECT_EQ(walk.attempts(), 1u) << how;
    EXPECT_EQ(walk.run.at("output"), boost::json::parse(R"({"done":1})"));
    const auto spans = walk.spans_of("plugin.on_success");
    ASSERT_EQ(spans.size(), 1u) << how;
    EXPECT_TRUE(spans[0].contains("error")) << how;
    EXPECT_EQ(spans[0].at("ignored"), true) << how;
    ASSERT_EQ(walk.warnings.size(), 1u) << how;
    EXPECT_NE(walk.warnings[0].find("its outcome was known and stands"), std::string::npos);
  }
}

TEST_F(FailingHook, ThatCrashesOnTheWayOfAFinalFailureLeavesTheFailure) {
  const Walk walk = AttemptWalk::walk(R"({"task.run":"abort","task.on_failure":"crash"})");
  EXPECT_EQ(walk.status(), "FAILED");
  EXPECT_EQ(walk.error("message"), "task.run");
  EXPECT_EQ(walk.attempts(), 1u);
}

TEST_F(FailingHook, ThatCrashesInCatchErrorLeavesThePolicyAndTheFirstError) {
  const Walk walk = AttemptWalk::walk(R"({"task.run":"error","task.catch_error":"crash"})");
  EXPECT_EQ(walk.status(), "FAILED");
  EXPECT_EQ(walk.attempts(), 2u);
  EXPECT_EQ(walk.error("message"), "task.run");
}

TEST_F(FailingHook, ThatCrashesBeforeTheOutcomeIsACrashOfTheAttemptAndTheTimelineSaysWhere) {
  const Walk walk = AttemptWalk::walk(script("task.init", "crash"));
  EXPECT_EQ(walk.status(), "CRASHED");
  EXPECT_EQ(walk.attempts(), 2u);
  const auto spans = walk.spans_of("task.init");
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(spans[0].at("error").at("name"), "SIGSEGV");
}

}  // namespace
}  // namespace perdure::e2e
