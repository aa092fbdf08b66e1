// What the engine does with one run, on a simulated clock with simulated children.
#include <gtest/gtest.h>

#include "tests/engine/host_simulation.h"

namespace perdure::engine::testing {
namespace {

using namespace std::chrono_literals;

Ending succeeding() {
  Ending ending;
  ending.result.output = "1";
  return ending;
}

Ending failing(store::FailureKind kind) {
  Ending ending;
  ending.result.failure = store::Failure{kind, "Boom", "boom", {}, {}};
  ending.dies = kind == store::FailureKind::kCrashed;
  return ending;
}

store::Run only_run(HostSimulation& host) {
  EXPECT_EQ(host.acknowledged.size(), 1u);
  return host.store->run(host.acknowledged.at(0)).value();
}

TEST(Engine, ATriggeredRunIsExecutedAndCompleted) {
  HostSimulation host({.script = [](const process::AttemptSpec&) { return succeeding(); }, .fault = {}});
  host.boot();
  host.trigger("task");
  ASSERT_TRUE(host.core.run_out(1000));
  EXPECT_EQ(only_run(host).status, store::RunStatus::kCompleted);
  EXPECT_EQ(host.store->output(host.acknowledged[0]).value(), "1");
  EXPECT_EQ(check_history(*host.store, host.acknowledged), "");
}

TEST(Engine, AFailedAttemptIsRetriedAfterTheDesignedBackoffAndTheRunFailsWhenAttemptsAreUsedUp) {
  HostSimulation host(
      {.script = [](const process::AttemptSpec&) { return failing(store::FailureKind::kTaskError); }, .fault = {}});
  store::RetryPolicy steady;
  steady.randomize = false;
  host.catalog = catalog_of({"task"}, steady);
  host.boot();
  host.trigger("task");
  ASSERT_TRUE(host.core.run_out(1000));
  EXPECT_EQ(only_run(host).status, store::RunStatus::kFailed);
  const auto attempts = host.store->attempts(host.acknowledged[0]).value();
  ASSERT_EQ(attempts.size(), 3u);
  const auto first_pause = attempts[1].started_at - *attempts[0].ended_at;
  const auto second_pause = attempts[2].started_at - *attempts[1].ended_at;
  EXPECT_GE(first_pause, 1000ms);
  EXPECT_LT(first_pause, 1050ms);
  EXPECT_GE(second_pause, 2000ms);
  EXPECT_LT(second_pause, 2050ms);
}

TEST(Engine, ACrashedAttemptIsRetriedAndTheRunCompletes) {
  HostSimulation host({.script =
                           [](const process::AttemptSpec& spec) {
                             return spec.number < 3 ? failing(store::FailureKind::kCrashed) : succeeding();
                           },
                       .fault = {}});
  host.boot();
  host.trigger("task");
  ASSERT_TRUE(host.core.run_out(1000));
  EXPECT_EQ(only_run(host).status, store::RunStatus::kCompleted);
  EXPECT_EQ(only_run(host).attempts, 3u);
}

TEST(Engine, AnUnknownTaskIsRefusedAndNothingIsStored) {
  HostSimulation host({.script = [](const process::AttemptSpec&) { return succeeding(); }, .fault = {}});
  host.boot();
  host.trigger("nope");
  ASSERT_TRUE(host.core.run_out(1000));
  ASSERT_EQ(host.refused.size(), 1u);
  EXPECT_EQ(host.refused[0].code(), store::Code::kNotFound);
  EXPECT_NE(host.refused[0].message().find("'nope'"), std::string::npos);
  EXPECT_TRUE(host.store->list({})->runs.empty());
}

TEST(Engine, APendingRunStartsAsSoonAsAPluginOffersItsTask) {
  HostSimulation host({.script = [](const process::AttemptSpec&) { return succeeding(); }, .fault = {}});
  host.boot();
  TriggerRequest request;
  request.allow_pending = true;
  host.trigger("later", request);
  ASSERT_TRUE(host.core.run_out(1000));
  EXPECT_EQ(only_run(host).status, store::RunStatus::kPendingVersion);
  host.engine->offer(catalog_of({"task", "later"}));
  ASSERT_TRUE(host.core.run_out(1000));
  EXPECT_EQ(only_run(host).status, store::RunStatus::kCompleted);
}

TEST(Engine, ADelayedRunWaitsForItsTime) {
  HostSimulation host({.script = [](const process::AttemptSpec&) { return succeeding(); }, .fault = {}});
  host.boot();
  TriggerRequest request;
  const store::Time due = host.core.now() + 1h;
  request.delayed_until = due;
  host.trigger("task", request);
  ASSERT_TRUE(host.core.run_out(1000));
  EXPECT_EQ(only_run(host).status, store::RunStatus::kCompleted);
  EXPECT_GE(*only_run(host).started_at, due);
  EXPECT_LT(*only_run(host).started_at, due + 1s);
}

TEST(Engine, CancelingAnExecutingRunStopsItsAttempt) {
  HostSimulation host({.script =
                           [](const process::AttemptSpec&) {
                             Ending ending = succeeding();
                             ending.takes = 1h;
                             return ending;
                           },
                       .fault = {}});
  host.boot();
  host.trigger("task");
  host.core.after(1s, [&] {
    host.engine->cancel(host.acknowledged.at(0), "because",
                        [](const store::Result<store::Run>& run) { EXPECT_TRUE(run); });
  });
  ASSERT_TRUE(host.core.run_out(1000));
  EXPECT_EQ(only_run(host).status, store::RunStatus::kCanceled);
  EXPECT_EQ(only_run(host).attempts, 1u);
}

TEST(Engine, NoMoreAttemptsExecuteAtOnceThanTheHostMay) {
  HostSimulation host(
      {.concurrency = 3, .script = [](const process::AttemptSpec&) { return succeeding(); }, .fault = {}});
  host.boot();
  for (int i = 0; i < 50; ++i) host.trigger("task");
  ASSERT_TRUE(host.core.run_out(10000));
  host.kill();
  EXPECT_EQ(host.most_at_once, 3u);
  EXPECT_EQ(check_history(*host.store, host.acknowledged), "");
  EXPECT_EQ(host.acknowledged.size(), 50u);
}

TEST(Engine, DrainingClaimsNothingMoreAndTellsWhenTheLastAttemptEnded) {
  HostSimulation host(
      {.concurrency = 1, .script = [](const process::AttemptSpec&) { return succeeding(); }, .fault = {}});
  host.boot();
  host.trigger("task");
  host.trigger("task");
  bool idle = false;
  host.core.after(8ms, [&] { host.engine->drain([&] { idle = true; }); });
  ASSERT_TRUE(host.core.run_out(1000));
  EXPECT_TRUE(idle);
  EXPECT_EQ(host.store->counts()[store::RunStatus::kCompleted], 1u);
  EXPECT_EQ(host.store->counts()[store::RunStatus::kQueued], 1u);
}

TEST(Engine, WatchersHearOfEveryChangeUntilTheyUnsubscribe) {
  HostSimulation host({.script = [](const process::AttemptSpec&) { return succeeding(); }, .fault = {}});
  host.boot();
  TriggerRequest request;
  request.delayed_until = host.core.now() + 10s;
  host.trigger("task", request);
  std::unique_ptr<Subscription> subscription;
  int heard = 0;
  host.core.after(1s, [&] { subscription = host.engine->watch(host.acknowledged.at(0), [&] { ++heard; }); });
  ASSERT_TRUE(host.core.run_out(1000));
  EXPECT_GE(heard, 2);  // executing, completed
  subscription.reset();
  const int before = heard;
  host.trigger("task");
  ASSERT_TRUE(host.core.run_out(1000));
  EXPECT_EQ(heard, before);
}

}  // namespace
}  // namespace perdure::engine::testing
