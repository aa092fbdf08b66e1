// Hooks of runs that ended while nothing of them executed: who calls them, when, and what can go wrong.
#include <gtest/gtest.h>

#include "tests/engine/host_simulation.h"

namespace perdure::engine::testing {
namespace {

using namespace std::chrono_literals;
using process::Hook;
using process::HookSet;

constexpr HookSet kBoth{Hook::kOnCancel, Hook::kOnComplete};

Ending quiet() {
  Ending ending;
  ending.result.output = "null";
  return ending;
}

Ending crashing() {
  Ending ending;
  ending.result.failure = store::Failure{store::FailureKind::kCrashed, "SIGSEGV", "It crashed.", {}, {}};
  ending.dies = true;
  return ending;
}

class OwedHooksTest : public ::testing::Test {
 protected:
  // A host whose task has the hooks; a run of it, delayed by an hour or, with a time to live, never started.
  void boot(HookSet around, SimulatedLauncher::Script script, std::size_t runs = 1) {
    host_ = std::make_unique<HostSimulation>(HostSimulation::Options{
        .concurrency = ttl_ ? 0U : 4U, .script = std::move(script), .fault = [this](std::string_view operation) {
          return operation == failing_ ? store::Status::io("injected") : store::Status::ok();
        }});
    host_->catalog = catalog_of({"task"}, {}, around);
    host_->boot();
    for (std::size_t i = 0; i < runs; ++i) {
      TriggerRequest request;
      if (!ttl_) request.delayed_until = host_->core.now() + 1h;
      request.options.ttl = ttl_;
      host_->trigger("task", request);
    }
    until([this, runs] { return host_->acknowledged.size() == runs; });
  }

  void until(const std::function<bool()>& done) {
    while (!done()) ASSERT_TRUE(host_->core.step()) << "nothing happens any more";
  }

  void cancel(const store::RunId& run) {
    host_->engine->cancel(run, "changed my mind", [](const store::Result<store::Run>& canceled) {
      EXPECT_TRUE(canceled) << canceled.status().message();
    });
  }

  [[nodiscard]] const store::RunId& only() const { return host_->acknowledged.at(0); }
  std::vector<process::HooksOnly>& calls() { return host_->hooks_called[only()]; }
  std::vector<store::TimelineEvent> hook_events() {
    std::vector<store::TimelineEvent> events = host_->store->timeline(only()).value();
    std::erase_if(events, [](const store::TimelineEvent& each) { return each.name != "hook"; });
    return events;
  }
  bool owed() { return !host_->store->owing_hooks(1)->empty(); }

  std::optional<store::Duration> ttl_;
  std::string failing_;  // the operation of the store that does not succeed
  std::unique_ptr<HostSimulation> host_;
};

TEST_F(OwedHooksTest, ADelayedRunThatIsCanceledHasOnCancelAndOnCompleteCalledWithTheReason) {
  boot(kBoth, [](const process::AttemptSpec&) { return quiet(); });
  cancel(only());
  ASSERT_TRUE(host_->core.run_out(1000));
  ASSERT_EQ(calls().size(), 1u);
  EXPECT_EQ(calls()[0].hooks, kBoth);
  EXPECT_EQ(calls()[0].reason, "changed my mind");
  EXPECT_EQ(calls()[0].error,
            R"({"name":"CANCELED","message":"The run was canceled: changed my mind","code":"CANCELED"})");
  EXPECT_EQ(host_->store->run(only())->status, store::RunStatus::kCanceled);
  EXPECT_FALSE(owed());
  EXPECT_EQ(check_history(*host_->store, host_->acknowledged), "");
}

TEST_F(OwedHooksTest, ARunThatExpiresHasThemCalledAsWell) {
  ttl_ = 5s;
  boot(kBoth, [](const process::AttemptSpec&) { return quiet(); });
  ASSERT_TRUE(host_->core.run_out(1000));
  EXPECT_EQ(host_->store->run(only())->status, store::RunStatus::kExpired);
  ASSERT_EQ(calls().size(), 1u);
  EXPECT_EQ(calls()[0].reason, "expired");
  EXPECT_NE(calls()[0].error.find(R"("name":"EXPIRED")"), std::string::npos);
}

TEST_F(OwedHooksTest, OnlyTheHooksThatTheTaskHasAreCalled) {
  boot({Hook::kOnComplete, Hook::kCatchError}, [](const process::AttemptSpec&) { return quiet(); });
  cancel(only());
  ASSERT_TRUE(host_->core.run_out(1000));
  ASSERT_EQ(calls().size(), 1u);
  EXPECT_EQ(calls()[0].hooks, HookSet{Hook::kOnComplete});
}

TEST_F(OwedHooksTest, ATaskWithoutSuchHooksStartsNoProcessAndWritesNothing) {
  boot({Hook::kCatchError, Hook::kOnFailure, Hook::kCleanup}, [](const process::AttemptSpec&) { return quiet(); });
  cancel(only());
  ASSERT_TRUE(host_->core.run_out(1000));
  EXPECT_TRUE(calls().empty());
  EXPECT_EQ(host_->store->timeline(only())->size(), 2u);
}

TEST_F(OwedHooksTest, AHookThatCrashesStandsOnTheTimelineAndIsNotCalledAgain) {
  boot(kBoth, [](const process::AttemptSpec&) { return crashing(); });
  cancel(only());
  ASSERT_TRUE(host_->core.run_out(1000));
  EXPECT_EQ(calls().size(), 1u);
  ASSERT_EQ(hook_events().size(), 1u);
  EXPECT_NE(hook_events()[0].data.find(R"("hook":"on_cancel")"), std::string::npos) << hook_events()[0].data;
  EXPECT_NE(hook_events()[0].data.find(R"("name":"SIGSEGV")"), std::string::npos) << hook_events()[0].data;
  EXPECT_FALSE(owed());
  EXPECT_EQ(host_->store->run(only())->status, store::RunStatus::kCanceled);
}

TEST_F(OwedHooksTest, TheNextHostCallsWhatTheKilledOneOwed) {
  boot(kBoth, [](const process::AttemptSpec&) { return quiet(); });
  cancel(only());
  until([this] { return owed(); });
  host_->kill();
  ASSERT_TRUE(host_->core.run_out(1000));
  EXPECT_TRUE(calls().empty());
  host_->boot();
  ASSERT_TRUE(host_->core.run_out(1000));
  EXPECT_EQ(calls().size(), 1u);
  EXPECT_FALSE(owed());
}

TEST_F(OwedHooksTest, AHostThatIsKilledWhileTheyAreCalledLeavesThemToTheNext) {
  boot(kBoth, [](const process::AttemptSpec&) { return quiet(); });
  cancel(only());
  until([this] { return !calls().empty(); });
  host_->kill();
  host_->boot();
  ASSERT_TRUE(host_->core.run_out(1000));
  EXPECT_EQ(calls().size(), 2u);
  EXPECT_FALSE(owed());
}

TEST_F(OwedHooksTest, TheyWaitUntilThePluginsAreLoaded) {
  boot(kBoth, [](const process::AttemptSpec&) { return quiet(); });
  cancel(only());
  until([this] { return owed(); });
  host_->kill();
  const catalog::SnapshotPtr all = std::exchange(host_->catalog, std::make_shared<const catalog::Snapshot>());
  host_->boot();
  ASSERT_TRUE(host_->core.run_out(1000));
  EXPECT_TRUE(owed());
  host_->engine->offer(all);
  ASSERT_TRUE(host_->core.run_out(1000));
  EXPECT_EQ(calls().size(), 1u);
  EXPECT_FALSE(owed());
}

TEST_F(OwedHooksTest, APluginThatIsGoneByThenIsSaidOnTheTimeline) {
  boot(kBoth, [](const process::AttemptSpec&) { return quiet(); });
  cancel(only());
  until([this] { return owed(); });
  host_->kill();
  host_->catalog = catalog_of({"another"});
  host_->boot();
  ASSERT_TRUE(host_->core.run_out(1000));
  EXPECT_TRUE(calls().empty());
  EXPECT_FALSE(owed());
  ASSERT_EQ(hook_events().size(), 1u);
  EXPECT_NE(hook_events()[0].data.find("PLUGIN_NOT_LOADED"), std::string::npos);
}

TEST_F(OwedHooksTest, AStoreThatFailsMeanwhileIsToldWhenItServesAgainAndTheHooksAreNotCalledTwice) {
  boot(kBoth, [](const process::AttemptSpec&) { return quiet(); });
  failing_ = "hooks_ran";
  cancel(only());
  until([this] { return !host_->store->health(); });
  failing_.clear();
  ASSERT_TRUE(host_->core.run_out(1000));
  EXPECT_TRUE(owed());
  host_->store->serve_again();
  ASSERT_TRUE(host_->core.run_out(1000));
  EXPECT_FALSE(owed());
  EXPECT_EQ(calls().size(), 1u);
}

TEST_F(OwedHooksTest, NoProcessToBeHadIsTriedAgainAFewTimes) {
  boot(kBoth, [](const process::AttemptSpec&) {
    Ending ending = quiet();
    ending.never_starts = true;
    return ending;
  });
  cancel(only());
  ASSERT_TRUE(host_->core.run_out(1000));
  EXPECT_TRUE(calls().empty());
  EXPECT_FALSE(owed());
  ASSERT_EQ(hook_events().size(), 1u);
  EXPECT_NE(hook_events()[0].data.find("No process could be had"), std::string::npos);
  EXPECT_GE(host_->core.now() - host_->store->run(only())->finished_at.value(), 20s);
}

TEST_F(OwedHooksTest, ManyAreCalledAFewAtATimeBesideTheAttempts) {
  std::size_t executing = 0, most = 0;
  boot(
      kBoth,
      [&](const process::AttemptSpec& spec) {
        Ending ending = quiet();
        ending.takes = 1s;
        if (spec.only) {
          most = std::max(most, ++executing);
          host_->core.after(ending.takes, [&executing] { --executing; });
        }
        return ending;
      },
      30);
  for (const store::RunId& run : host_->acknowledged) cancel(run);
  ASSERT_TRUE(host_->core.run_out(10000));
  EXPECT_EQ(host_->hooks_called.size(), 30u);
  EXPECT_GT(most, 1u);
  EXPECT_LE(most, 5u);
  EXPECT_EQ(host_->launcher->most_at_once(), 0u) << "they took slots";
  EXPECT_FALSE(owed());
}

TEST_F(OwedHooksTest, DrainingWaitsForThoseThatExecuteAndLeavesTheOthers) {
  boot(
      kBoth, [](const process::AttemptSpec&) { return quiet(); }, 30);
  for (const store::RunId& run : host_->acknowledged) cancel(run);
  until([this] { return !host_->hooks_called.empty(); });
  bool idle = false;
  host_->engine->drain([&] { idle = true; });
  EXPECT_FALSE(idle);
  ASSERT_TRUE(host_->core.run_out(10000));
  EXPECT_TRUE(idle);
  EXPECT_TRUE(owed());
  host_->kill();
  host_->boot();
  ASSERT_TRUE(host_->core.run_out(10000));
  EXPECT_FALSE(owed());
  EXPECT_EQ(host_->hooks_called.size(), 30u);
}

TEST_F(OwedHooksTest, ARunThatWaitsForItsRetryWhenItIsCanceledHasThemCalledOnItsVersion) {
  std::vector<store::VersionId> versions;
  boot(kBoth, [&](const process::AttemptSpec& spec) {
    Ending ending = quiet();
    if (spec.only) {
      versions.push_back(spec.version);
    } else {
      ending.result.failure = store::Failure{store::FailureKind::kTaskError, "Boom", "boom", {}, {}};
    }
    return ending;
  });
  until([this] { return host_->store->run(only())->attempts == 1 && host_->store->run(only())->failure; });
  cancel(only());
  ASSERT_TRUE(host_->core.run_out(1000));
  EXPECT_EQ(versions, std::vector<store::VersionId>{host_->store->run(only())->version});
}

TEST_F(OwedHooksTest, TheCheckerCatchesHooksThatWereNotCalled) {
  boot(kBoth, [](const process::AttemptSpec&) { return quiet(); });
  cancel(only());
  ASSERT_TRUE(host_->core.run_out(1000));
  EXPECT_EQ(check_hooks(*host_, kBoth), "");
  calls()[0].hooks.remove(Hook::kOnCancel);
  EXPECT_NE(check_hooks(*host_, kBoth), "");
  calls()[0].hooks = kBoth;
  EXPECT_EQ(check_hooks(*host_, kBoth), "");
  calls().resize(3);
  EXPECT_NE(check_hooks(*host_, kBoth), "");
}

}  // namespace
}  // namespace perdure::engine::testing
