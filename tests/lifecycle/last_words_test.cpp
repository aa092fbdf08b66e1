// Hooks that a child of their own calls: of an attempt whose process died, of a run that ended while it waited.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/lifecycle/hooked_host.h"

namespace perdure::lifecycle {
namespace {

using Hooks = std::vector<std::string>;

TEST(LastWords, ACrashIsToldToCatchErrorWhichMaySkipTheRetry) {
  HookedHost host;
  const auto run = host.await(host.trigger({{"do", "segv"}, {"decide", "no"}}));
  EXPECT_EQ(text(run.at("status")), "CRASHED");
  EXPECT_EQ(run.at("attemptCount"), 1);
  const auto calls = host.own();
  EXPECT_EQ(hooks_of(calls), (Hooks{"run", "catch_error", "on_failure", "on_complete"}));
  const auto& error = calls.at(1).event.at("error");
  EXPECT_EQ(text(error.at("name")), "SIGSEGV");
  EXPECT_EQ(text(error.at("code")), "CRASHED");
  EXPECT_NE(text(calls.at(1).event.at("retryAtMs")), "null") << "as the policy had it";
}

TEST(LastWords, ACrashOnTheLastAttemptIsToldToOnFailureAndOnCompleteWithSignalAndBacktrace) {
  HookedHost host;
  const auto run = host.await(host.trigger({{"do", "segv"}}));
  EXPECT_EQ(text(run.at("status")), "CRASHED");
  EXPECT_EQ(run.at("attemptCount"), 2);
  const auto calls = host.own();
  ASSERT_EQ(hooks_of(calls), (Hooks{"run", "catch_error", "run", "catch_error", "on_failure", "on_complete"}));
  const auto& error = calls.at(4).event.at("error");
  EXPECT_EQ(text(error.at("name")), "SIGSEGV");
  EXPECT_EQ(error.at("details").at("signal"), 11);
  EXPECT_NE(text(error.at("stack")).find("crash"), std::string::npos) << text(error.at("stack"));
  EXPECT_EQ(calls.at(5).event.at("ok"), false);
  EXPECT_EQ(text(calls.at(5).event.at("error").at("name")), "SIGSEGV");
  auto names = names_of(host.timeline(text(run.at("id")), 4));
  const Hooks shown{"attempt_started", "hook", "crashed"};
  std::erase_if(names, [&](const std::string& each) { return std::ranges::find(shown, each) == shown.end(); });
  EXPECT_EQ(names, (Hooks{"attempt_started", "hook", "attempt_started", "hook", "hook", "hook", "crashed"}));
}

TEST(LastWords, AnExitWithoutAResultIsToldAsWell) {
  HookedHost host;
  const auto run = host.await(host.trigger({{"do", "exit"}, {"decide", "no"}}));
  EXPECT_EQ(text(run.at("status")), "CRASHED");
  const auto calls = host.own();
  ASSERT_EQ(hooks_of(calls), (Hooks{"run", "catch_error", "on_failure", "on_complete"}));
  EXPECT_EQ(text(calls.at(2).event.at("error").at("code")), "EXITED_WITHOUT_RESULT");
}

TEST(LastWords, ACrashInOnFailureEndsThereAndStandsOnTheTimeline) {
  HookedHost host;
  const auto run = host.await(host.trigger({{"do", "segv"}, {"decide", "no"}, {"break", "on_failure"}}));
  EXPECT_EQ(text(run.at("status")), "CRASHED");
  EXPECT_EQ(hooks_of(host.own()), (Hooks{"run", "catch_error", "on_failure"})) << "no loop, and nothing after it";
  const auto timeline = host.timeline(text(run.at("id")), 2);
  ASSERT_EQ(names_of(timeline), (Hooks{"triggered", "claimed", "attempt_started", "hook", "hook", "crashed"}));
  const auto& broken = timeline.at(4).at("data");
  EXPECT_EQ(text(broken.at("hook")), "on_failure");
  EXPECT_EQ(text(broken.at("error").at("name")), "SIGSEGV");
}

TEST(LastWords, ACrashInCatchErrorLeavesTheDecisionToThePolicy) {
  HookedHost host;
  const auto run = host.await(host.trigger({{"do", "segv"}, {"decide", "no"}, {"break", "catch_error"}}));
  EXPECT_EQ(text(run.at("status")), "CRASHED");
  EXPECT_EQ(run.at("attemptCount"), 2);
  EXPECT_EQ(hooks_of(host.own()), (Hooks{"run", "catch_error", "run", "catch_error"}));
}

TEST(LastWords, ADelayedRunThatIsCanceledHasOnCancelAndOnCompleteCalled) {
  HookedHost host;
  const std::string run = host.trigger({}, {{"delay", "1h"}});
  host.cancel(run);
  EXPECT_EQ(text(host.await(run).at("status")), "CANCELED");
  const auto calls = host.own(2);
  EXPECT_EQ(hooks_of(calls), (Hooks{"on_cancel", "on_complete"}));
  EXPECT_EQ(text(calls.at(1).event.at("error").at("name")), "CANCELED");
  EXPECT_EQ(names_of(host.timeline(run, 2)), (Hooks{"triggered", "canceled", "hook", "hook"}));
}

TEST(LastWords, AQueuedRunThatExpiresHasThemCalledAsWell) {
  HookedHost host({}, {"--concurrency", "1"});
  const std::string holds = host.trigger({{"do", "hold"}, {"gate", host.gate()}});
  host.await_status(holds, "EXECUTING");
  const std::string run = host.trigger({}, {{"ttl", "1s"}});
  EXPECT_EQ(text(host.await(run).at("status")), "EXPIRED");
  const auto calls = host.own(3);
  EXPECT_EQ(hooks_of(calls), (Hooks{"run", "on_cancel", "on_complete"})) << "beside the run that has the only slot";
  EXPECT_EQ(text(calls.at(1).event.at("reason")), "expired");
  EXPECT_EQ(text(calls.at(2).event.at("error").at("name")), "EXPIRED");
  EXPECT_EQ(names_of(host.timeline(run, 2)), (Hooks{"triggered", "expired", "hook", "hook"}));
  host.open_gate();
  EXPECT_EQ(text(host.await(holds).at("status")), "COMPLETED");
}

TEST(LastWords, AHostThatIsKilledLeavesWhatIsOwedToTheNext) {
  HookedHost host;
  std::vector<std::string> runs;
  for (int i = 0; i < 20; ++i) runs.push_back(host.trigger({}, {{"delay", "1h"}}));
  for (const std::string& each : runs) host.cancel(each);
  host.kill_and_start();
  for (const std::string& each : runs) host.timeline(each, 2);
  EXPECT_GE(host.own().size(), 40u) << "each at least once";
}

}  // namespace
}  // namespace perdure::lifecycle
