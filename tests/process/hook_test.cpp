// Hooks that execute in a child, as the host sees them: told, timed, and judged before the last ones.
#include <gtest/gtest.h>

#include "tests/process/supervised.h"

namespace perdure::process::test {
namespace {

using store::FailureKind;
using namespace std::chrono_literals;

class HookTest : public testing::Test, public Supervised {
 protected:
  HookTest() : Supervised([](SupervisorOptions& adjusted) { adjusted.hook_timeout = 200ms; }) {
    EXPECT_EQ(load(fixture("hooks")), "");
  }
};

TEST_F(HookTest, ThatHangsBeforeTheOutcomeFailsTheAttemptByItsName) {
  const Told& told = run("hang_in_init");
  ASSERT_EQ(told.kind(), FailureKind::kTaskError);
  EXPECT_EQ(told.result.failure->name, "HOOK_TIMEOUT");
  EXPECT_NE(told.result.failure->message.find("The hook init did not return within"), std::string::npos);
  EXPECT_FALSE(told.result.judged);
  ASSERT_EQ(told.hooks.size(), 1u);
  EXPECT_EQ(told.hooks[0].hook, Hook::kInit);
  ASSERT_TRUE(told.hooks[0].error);
  EXPECT_EQ(told.hooks[0].error->name, "HOOK_TIMEOUT");
  EXPECT_FALSE(told.hooks[0].ignored);
  EXPECT_FALSE(is_alive(told.pid));
}

TEST_F(HookTest, ThatHangsAfterTheOutcomeLeavesTheJudgedOne) {
  for (const char* task : {"hang_in_on_complete", "hang_in_catch_error"}) {
    const Told& told = run(task);
    EXPECT_TRUE(told.result.judged) << task;
    ASSERT_TRUE(told.result.failure) << task;
    EXPECT_EQ(told.result.failure->name, "HOOK_TIMEOUT") << task;
    ASSERT_EQ(told.judged.size(), 1u) << task;
    ASSERT_EQ(told.hooks.size(), 1u) << task;
    EXPECT_TRUE(told.hooks[0].ignored) << task;
  }
}

TEST_F(HookTest, ThatLeavesTheProcessAfterTheOutcomeLeavesTheJudgedOne) {
  const Told& told = run("leave_in_on_failure");
  EXPECT_TRUE(told.result.judged);
  EXPECT_EQ(told.kind(), FailureKind::kExitedWithoutResult);  // how the process ended, not the attempt
  ASSERT_EQ(told.judged.size(), 1u);
  EXPECT_EQ(told.judged[0].result.failure->message, "boom");
}

TEST_F(HookTest, IsNotTimedWhenItStandsAroundTheRun) {
  const Told& told = run("slow_middleware");
  EXPECT_FALSE(told.result.failure);
  EXPECT_EQ(told.result.output, "\"done\"");
  ASSERT_EQ(told.hooks.size(), 1u);
  EXPECT_GE(told.hooks[0].duration, 300ms);
}

TEST_F(HookTest, LetsTheDecisionOfCatchErrorBeJudgedASecondTime) {
  const Told& told = run("decide");
  ASSERT_EQ(told.judged.size(), 2u);
  EXPECT_EQ(told.judged[0].decision, "");
  EXPECT_EQ(told.judged[1].decision, R"({"retryAfterMs":5})");
  EXPECT_EQ(told.judged[1].result.failure->message, "boom");
  EXPECT_TRUE(told.result.judged);
  EXPECT_FALSE(told.result.failure);  // the process ended well
}

TEST_F(HookTest, IsAskedForNothingWhereItHearsNothing) {
  EXPECT_TRUE(run("slow_middleware").judged.empty());
  EXPECT_EQ(run("announce").judged.size(), 1u);
}

TEST_F(HookTest, IsToldOfAnOutputThatIsTooLargeBeforeItAnnounces) {
  supervisor.reset();
  options.output_limit = 500;
  supervisor = std::make_unique<Supervisor>(io, options);
  ASSERT_EQ(load(fixture("hooks")), "");
  const Told& told = run("announce_large");
  ASSERT_EQ(told.judged.size(), 1u);
  ASSERT_TRUE(told.judged[0].result.failure);
  EXPECT_EQ(told.judged[0].result.failure->kind, FailureKind::kOutputTooLarge);
  EXPECT_TRUE(told.hooks.empty());  // on_success is not called
}

TEST_F(HookTest, IsStoppedByACancelOnlyUntilTheOutcomeIsJudged) {
  const AttemptHandle attempt = start("hang_in_on_complete");
  logged(attempt);
  supervisor->stop(attempt, StopReason::kCanceled);
  const Told& told = released(attempt);
  EXPECT_TRUE(told.result.judged);
  EXPECT_EQ(told.result.failure->name, "HOOK_TIMEOUT");
}

class HostileHookTest : public testing::TestWithParam<const char*>, public Supervised {
 protected:
  HostileHookTest() { EXPECT_EQ(load(fixture("hooks")), ""); }
};

TEST_P(HostileHookTest, ThatCannotBeEndsTheAttempt) {
  const Told& told = run(GetParam());
  ASSERT_TRUE(told.result.failure);
  EXPECT_EQ(told.kind(), FailureKind::kProtocolError) << told.result.failure->message;
  EXPECT_FALSE(is_alive(told.pid));
}

INSTANTIATE_TEST_SUITE_P(HostileHookTest, HostileHookTest,
                         testing::Values("end_what_did_not_begin", "begin_twice", "end_as_another",
                                         "begin_an_unknown_hook", "begin_too_many", "judge_garbage",
                                         "judge_without_outcome", "judge_three_times"),
                         [](const auto& each) { return std::string(each.param); });

}  // namespace
}  // namespace perdure::process::test
