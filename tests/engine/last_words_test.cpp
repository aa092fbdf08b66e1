// Attempts whose process died: which hooks a child of their own calls, in whose slot, and what can go wrong with it.
#include <gtest/gtest.h>

#include "tests/engine/host_simulation.h"

namespace perdure::engine::testing {
namespace {

using namespace std::chrono_literals;
using process::Hook;
using process::HookSet;
using store::FailureKind;

constexpr HookSet kAtEnd{Hook::kOnFailure, Hook::kOnComplete};

Ending quiet() {
  Ending ending;
  ending.result.output = "null";
  return ending;
}

Ending death(FailureKind kind) {
  Ending ending;
  ending.result.failure = store::Failure{kind, "SIGSEGV", "It died.", "#0 main", R"({"signal":11})"};
  ending.dies = true;
  return ending;
}

class LastWords : public ::testing::Test {
 protected:
  void run(HookSet around, SimulatedLauncher::Script script, std::uint32_t max_attempts = 1) {
    begin(around, std::move(script), max_attempts);
    ASSERT_TRUE(host_->core.run_out(1000));
    host_->kill();
    EXPECT_EQ(host_->wrong, "");
    EXPECT_EQ(check_history(*host_->store, host_->acknowledged), "");
  }
  void begin(HookSet around, SimulatedLauncher::Script script, std::uint32_t max_attempts = 1) {
    host_ = std::make_unique<HostSimulation>(HostSimulation::Options{
        .concurrency = 1, .script = std::move(script), .fault = [this](std::string_view operation) {
          return operation == failing_ ? store::Status::io("injected") : store::Status::ok();
        }});
    store::RetryPolicy policy;
    policy.max_attempts = max_attempts;
    host_->catalog = catalog_of({"task"}, policy, around);
    host_->boot();
    host_->trigger("task");
  }
  void until(const std::function<bool()>& done) {
    while (!done()) ASSERT_TRUE(host_->core.step()) << "nothing happens any more";
  }

  [[nodiscard]] const store::RunId& only() const { return host_->acknowledged.at(0); }
  std::vector<process::HooksOnly>& calls() { return host_->hooks_called[only()]; }
  store::RunStatus status() { return host_->store->run(only())->status; }
  std::vector<std::string> events() {
    std::vector<std::string> names;
    const std::vector<store::TimelineEvent> timeline = host_->store->timeline(only()).value();
    for (const store::TimelineEvent& each : timeline) names.push_back(each.name);
    return names;
  }

  std::string failing_;
  std::unique_ptr<HostSimulation> host_;
};

// An attempt ends so, and what calls hooks is quiet.
SimulatedLauncher::Script ending_by(FailureKind kind) {
  return [kind](const process::AttemptSpec& spec) { return spec.only ? quiet() : death(kind); };
}

TEST_F(LastWords, ACrashOnTheLastAttemptIsToldToOnFailureAndOnCompleteWithSignalAndBacktrace) {
  run(kAtEnd, ending_by(FailureKind::kCrashed));
  EXPECT_EQ(status(), store::RunStatus::kCrashed);
  ASSERT_EQ(calls().size(), 1u);
  EXPECT_EQ(calls()[0].hooks, kAtEnd);
  EXPECT_EQ(calls()[0].error,
            R"({"name":"SIGSEGV","message":"It died.","code":"CRASHED","stack":"#0 main","details":{"signal":11}})");
}

TEST_F(LastWords, EveryWayToDieIsTold) {
  for (const FailureKind kind : {FailureKind::kCrashed, FailureKind::kExitedWithoutResult, FailureKind::kOutOfMemory,
                                 FailureKind::kStalled, FailureKind::kProtocolError}) {
    run(kAtEnd, ending_by(kind));
    ASSERT_EQ(calls().size(), 1u) << store::failure_code(kind);
    EXPECT_EQ(calls()[0].hooks, kAtEnd);
  }
}

TEST_F(LastWords, OnFailureIsNotCalledForAnAttemptThatRanOutOfTime) {
  run(kAtEnd, ending_by(FailureKind::kMaxDurationExceeded));
  EXPECT_EQ(status(), store::RunStatus::kTimedOut);
  ASSERT_EQ(calls().size(), 1u);
  EXPECT_EQ(calls()[0].hooks, HookSet{Hook::kOnComplete});
}

TEST_F(LastWords, AnAttemptThatIsRetriedStartsNoChildWithoutCatchError) {
  run(
      kAtEnd,
      [](const process::AttemptSpec& spec) {
        return !spec.only && spec.number < 3 ? death(FailureKind::kCrashed) : quiet();
      },
      3);
  EXPECT_EQ(status(), store::RunStatus::kCompleted);
  EXPECT_TRUE(calls().empty());
}

TEST_F(LastWords, CatchErrorIsAskedOfEveryDeath) {
  run(kAtEnd.either({Hook::kCatchError}), ending_by(FailureKind::kCrashed), 3);
  EXPECT_EQ(status(), store::RunStatus::kCrashed);
  EXPECT_EQ(calls().size(), 3u);
}

TEST_F(LastWords, WhatCatchErrorDecidesIsRecordedWithTheEnd) {
  run(
      kAtEnd.either({Hook::kCatchError}),
      [](const process::AttemptSpec& spec) {
        Ending ending = spec.only ? quiet() : death(FailureKind::kCrashed);
        if (!spec.only) return ending;
        process::Provisional decided;
        decided.result.failure = store::Failure{FailureKind::kTaskError, "Repeated", "by the child", {}, {}};
        ending.judged.push_back(decided);
        decided.decision = R"({"retry":false})";
        decided.replaced = store::Failure{FailureKind::kTaskError, "Disk", "the disk is full", {}, {}};
        ending.judged.push_back(decided);
        return ending;
      },
      3);
  EXPECT_EQ(status(), store::RunStatus::kCrashed);
  const store::Run ended = host_->store->run(only()).value();
  EXPECT_EQ(ended.attempts, 1u);
  EXPECT_EQ(ended.failure->kind, FailureKind::kCrashed);
  EXPECT_EQ(ended.failure->name, "Disk");
  EXPECT_EQ(calls().size(), 1u);
}

TEST_F(LastWords, CatchErrorIsToldWhenThePolicyWouldRetry) {
  begin(
      {Hook::kCatchError},
      [](const process::AttemptSpec& spec) {
        Ending ending = spec.only || spec.number > 1 ? quiet() : death(FailureKind::kCrashed);
        if (spec.only) ending.judged.emplace_back().result.failure = store::Failure{};
        return ending;
      },
      3);
  ASSERT_TRUE(host_->core.run_out(1000));
  ASSERT_EQ(host_->launcher->judgements().size(), 1u);
  const process::Judgement& told = host_->launcher->judgements()[0];
  EXPECT_FALSE(told.is_final);
  EXPECT_EQ(told.failure->name, "SIGSEGV");
  const std::vector<store::Attempt> attempts = host_->store->attempts(only()).value();
  ASSERT_EQ(attempts.size(), 2u);
  EXPECT_GE(attempts[1].started_at, *told.retry_at);
  EXPECT_LT(attempts[1].started_at, *told.retry_at + 1s);
}

TEST_F(LastWords, AnAttemptThatDiedInCatchErrorIsNotAskedAgainButItsEndIsTold) {
  run(kAtEnd.either({Hook::kCatchError}), [](const process::AttemptSpec& spec) {
    Ending ending = spec.only ? quiet() : death(FailureKind::kCrashed);
    if (spec.only) return ending;
    ending.judged.emplace_back().result.failure = store::Failure{FailureKind::kTaskError, "Boom", "boom", {}, {}};
    return ending;
  });
  EXPECT_EQ(status(), store::RunStatus::kFailed);
  ASSERT_EQ(calls().size(), 1u);
  EXPECT_EQ(calls()[0].hooks, kAtEnd);
  EXPECT_NE(calls()[0].error.find("Boom"), std::string::npos);
}

TEST_F(LastWords, AnAttemptThatDiedOverTheHooksThatWereToldOfItsEndHasNoMoreToSay) {
  run(kAtEnd, [](const process::AttemptSpec&) {
    Ending ending = death(FailureKind::kCrashed);
    ending.judged.emplace_back().result.failure = store::Failure{FailureKind::kTaskError, "Boom", "boom", {}, {}};
    ending.hooks.push_back({Hook::kOnFailure, {}, {}, {}, process::HookError{"SIGSEGV", "it died"}, true});
    return ending;
  });
  EXPECT_EQ(status(), store::RunStatus::kFailed);
  EXPECT_TRUE(calls().empty());
}

TEST_F(LastWords, AnErrorThatTheAttemptReturnedIsItsOwnProcessesBusiness) {
  run(kAtEnd.either({Hook::kCatchError}), [](const process::AttemptSpec&) {
    Ending ending = death(FailureKind::kTaskError);
    ending.dies = false;
    return ending;
  });
  EXPECT_EQ(status(), store::RunStatus::kFailed);
  EXPECT_TRUE(calls().empty());
}

TEST_F(LastWords, ATaskWithoutSuchHooksStartsNoChild) {
  run({Hook::kMiddleware, Hook::kCleanup, Hook::kOnCancel}, ending_by(FailureKind::kCrashed));
  EXPECT_TRUE(calls().empty());
}

TEST_F(LastWords, ACrashThereStandsOnTheTimelineAndEndsIt) {
  run(kAtEnd, [](const process::AttemptSpec&) { return death(FailureKind::kCrashed); });
  EXPECT_EQ(status(), store::RunStatus::kCrashed);
  EXPECT_EQ(calls().size(), 1u);
  EXPECT_EQ(events(), (std::vector<std::string>{"triggered", "claimed", "attempt_started", "hook", "crashed"}));
  const auto hook = host_->store->timeline(only()).value().at(3);
  EXPECT_NE(hook.data.find(R"("hook":"on_failure")"), std::string::npos) << hook.data;
  EXPECT_EQ(hook.attempt, 1u);
}

TEST_F(LastWords, TheAttemptKeepsItsSlotUntilTheChildHasEnded) {
  begin(kAtEnd, [](const process::AttemptSpec& spec) {
    Ending ending = spec.only ? quiet() : death(FailureKind::kCrashed);
    if (spec.only) ending.takes = 1h;
    return ending;
  });
  host_->trigger("task");
  until([this] { return !host_->hooks_called.empty(); });
  host_->core.after(30min, [this] {
    EXPECT_EQ(host_->engine->status().executing, 1u);
    EXPECT_EQ(host_->store->counts()[store::RunStatus::kQueued], 1u);
    EXPECT_EQ(status(), store::RunStatus::kExecuting);
  });
  ASSERT_TRUE(host_->core.run_out(10000));
  EXPECT_EQ(host_->store->counts()[store::RunStatus::kCrashed], 2u);
}

TEST_F(LastWords, AHostThatDiesMeanwhileLosesTheAttemptWithItAndTheRunIsTriedAgain) {
  begin(kAtEnd, ending_by(FailureKind::kCrashed));
  until([this] { return !host_->hooks_called.empty(); });
  host_->kill();
  host_->boot();
  ASSERT_TRUE(host_->core.run_out(10000));
  EXPECT_EQ(status(), store::RunStatus::kCrashed);
  EXPECT_EQ(host_->store->run(only())->attempts, 2u);
  EXPECT_EQ(calls().size(), 2u);
  EXPECT_EQ(check_hooks(*host_, kAtEnd), "");
}

TEST_F(LastWords, AStoreThatFailsMeanwhileHasTheEndRecordedLater) {
  begin(kAtEnd, ending_by(FailureKind::kCrashed));
  failing_ = "finish_attempt";
  until([this] { return !host_->store->health(); });
  failing_.clear();
  ASSERT_TRUE(host_->core.run_out(10000));
  EXPECT_EQ(status(), store::RunStatus::kExecuting);
  host_->store->serve_again();
  ASSERT_TRUE(host_->core.run_out(10000));
  EXPECT_EQ(status(), store::RunStatus::kCrashed);
  EXPECT_EQ(calls().size(), 1u);
}

TEST_F(LastWords, NoProcessToBeHadForItIsRecordedAsSuch) {
  run(kAtEnd, [](const process::AttemptSpec& spec) {
    Ending ending = spec.only ? quiet() : death(FailureKind::kCrashed);
    ending.never_starts = spec.only.has_value();
    return ending;
  });
  EXPECT_EQ(status(), store::RunStatus::kCrashed);
  EXPECT_NE(host_->store->timeline(only()).value().at(3).data.find("No process could be had"), std::string::npos);
}

TEST_F(LastWords, ARunThatIsCanceledMeanwhileIsNotRetried) {
  begin(
      HookSet{Hook::kCatchError, Hook::kOnCancel},
      [](const process::AttemptSpec& spec) {
        Ending ending = spec.only ? quiet() : death(FailureKind::kCrashed);
        if (spec.only && spec.only->hooks.has(Hook::kCatchError)) ending.takes = 1h;
        return ending;
      },
      3);
  until([this] { return !host_->hooks_called.empty(); });
  host_->engine->cancel(only(), "enough", [](const store::Result<store::Run>&) {});
  ASSERT_TRUE(host_->core.run_out(10000));
  EXPECT_EQ(status(), store::RunStatus::kCanceled);
  EXPECT_EQ(host_->store->run(only())->attempts, 1u);
  ASSERT_EQ(calls().size(), 2u);
  EXPECT_EQ(calls()[1].hooks, HookSet{Hook::kOnCancel});
  EXPECT_EQ(check_history(*host_->store, host_->acknowledged), "");
}

TEST_F(LastWords, AProcessThatHadToBeKilledToCancelItsRunHasOnCompleteCalled) {
  begin({Hook::kOnCancel, Hook::kOnComplete}, [](const process::AttemptSpec& spec) {
    Ending ending = quiet();
    if (!spec.only) ending.takes = 1h;
    ending.dies = !spec.only;
    return ending;
  });
  until([this] { return !host_->acknowledged.empty() && status() == store::RunStatus::kExecuting; });
  host_->core.after(1s, [this] { host_->engine->cancel(only(), "enough", [](const store::Result<store::Run>&) {}); });
  ASSERT_TRUE(host_->core.run_out(10000));
  EXPECT_EQ(status(), store::RunStatus::kCanceled);
  ASSERT_EQ(calls().size(), 1u);
  EXPECT_EQ(calls()[0].hooks, HookSet{Hook::kOnComplete});
}

TEST_F(LastWords, ARunThatIsGivenUpWithItsZygotesOwesItsHooks) {
  run(kAtEnd, [](const process::AttemptSpec& spec) { return spec.only ? quiet() : death(FailureKind::kHostLost); });
  EXPECT_EQ(status(), store::RunStatus::kSystemFailure);
  ASSERT_EQ(calls().size(), 1u);
  EXPECT_EQ(calls()[0].hooks, kAtEnd);
  EXPECT_EQ(events().back(), "gave_up");
}

}  // namespace
}  // namespace perdure::engine::testing
