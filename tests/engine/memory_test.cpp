// Which machine an attempt gets, and that attempts wait until there is memory for them.
#include <gtest/gtest.h>

#include "host/engine/attempt_machine.h"
#include "tests/engine/host_simulation.h"

namespace perdure::engine::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

Ending succeeding() {
  Ending ending;
  ending.result.output = "1";
  return ending;
}

Ending out_of_memory(std::uint64_t peak) {
  Ending ending;
  ending.result.failure = store::Failure{store::FailureKind::kOutOfMemory, "OutOfMemory", "too much", {}, {}};
  ending.result.usage.peak_memory = peak;
  ending.dies = true;
  return ending;
}

TriggerRequest on(const char* machine) {
  TriggerRequest request;
  request.options.machine = machine;
  return request;
}

std::vector<std::string> machines_of(const HostSimulation& host, std::size_t run) {
  std::vector<std::string> machines;
  const std::vector<store::Attempt> attempts = host.store->attempts(host.acknowledged.at(run)).value();
  for (const store::Attempt& attempt : attempts) machines.push_back(attempt.machine);
  return machines;
}

// A host whose attempts run out of memory on machines of less than `needed` bytes.
HostSimulation::Options needing(std::uint64_t needed) {
  return {.script =
              [needed](const process::AttemptSpec& spec) {
                return spec.machine.memory < needed ? out_of_memory(spec.machine.memory) : succeeding();
              },
          .fault = {}};
}

TEST(Machine, IsTheTriggersElseTheTasksElseTheHosts) {
  store::Run run;
  store::TaskOptions task;
  EXPECT_EQ(machine_of(run, task, {}).name, "small-1x");
  EXPECT_EQ(machine_of(run, task, {.machine = "micro", .max_duration = {}}).name, "micro");
  task.machine = "2/1000000000";
  EXPECT_EQ(machine_of(run, task, {}), (store::Machine{"", 2, 1'000'000'000}));
  run.options.machine = "medium-1x";
  EXPECT_EQ(machine_of(run, task, {}).name, "medium-1x");
  run.machine = "large-1x";
  EXPECT_EQ(machine_of(run, task, {}).name, "large-1x");
}

TEST(Machine, AfterWantOfMemoryIsTheOneNamedOrTheNextPreset) {
  store::RetryPolicy policy;
  const store::Machine small = *store::parse_machine("small-1x");
  EXPECT_EQ(machine_after(small, {}, policy), "");
  policy.out_of_memory_machine = "large-1x";
  EXPECT_EQ(machine_after(small, {}, policy), "large-1x");
  policy.out_of_memory_machine = "auto";
  EXPECT_EQ(machine_after(small, {}, policy), "small-2x");
  store::Usage usage;
  usage.peak_memory = 3 * kGiB;
  EXPECT_EQ(machine_after(small, usage, policy), "medium-2x");
  EXPECT_EQ(machine_after({"", 1, 300'000'000}, {}, policy), "small-1x");
  EXPECT_EQ(machine_after(*store::parse_machine("large-2x"), {}, policy), "large-2x");
}

TEST(MaxDuration, IsTheTriggersElseTheTasksElseTheHostsAndNoneRemovesAnInheritedOne) {
  store::Run run;
  store::TaskOptions task;
  AttemptDefaults defaults;
  EXPECT_FALSE(max_duration_of(run, task, defaults));
  defaults.max_duration = store::Duration(1h);
  EXPECT_EQ(max_duration_of(run, task, defaults), store::Duration(1h));
  task.max_duration = store::Duration(1min);
  EXPECT_EQ(max_duration_of(run, task, defaults), store::Duration(1min));
  run.options.max_duration = store::Duration(5s);
  EXPECT_EQ(max_duration_of(run, task, defaults), store::Duration(5s));
  run.options.max_duration = store::Duration(0);
  EXPECT_FALSE(max_duration_of(run, task, defaults));
  run.options.max_duration.reset();
  task.max_duration = store::Duration(0);
  EXPECT_FALSE(max_duration_of(run, task, defaults));
}

TEST(Memory, ARunThatRanOutOfItGoesOnOnLargerMachinesAndStaysThere) {
  HostSimulation host(needing(2 * kGiB));
  store::RetryPolicy policy;
  policy.out_of_memory_machine = "auto";
  host.catalog = catalog_of({"task"}, policy);
  host.boot();
  host.trigger("task", on("small-1x"));
  ASSERT_TRUE(host.core.run_out(1000));
  EXPECT_EQ(host.store->run(host.acknowledged.at(0))->status, store::RunStatus::kCompleted);
  EXPECT_EQ(machines_of(host, 0), (std::vector<std::string>{"small-1x", "small-2x", "medium-1x"}));
}

TEST(Memory, ARunWhoseTaskNamesNoLargerMachineIsTriedOnTheSameOne) {
  HostSimulation host(needing(2 * kGiB));
  host.boot();
  host.trigger("task");
  ASSERT_TRUE(host.core.run_out(1000));
  EXPECT_EQ(host.store->run(host.acknowledged.at(0))->status, store::RunStatus::kCrashed);
  EXPECT_EQ(machines_of(host, 0), (std::vector<std::string>{"small-1x", "small-1x", "small-1x"}));
}

TEST(Memory, NoMoreOfItIsReservedThanTheHostHas) {
  HostSimulation host({.concurrency = 100,
                       .memory = 2 * kGiB + 1,
                       .script = [](const process::AttemptSpec&) { return succeeding(); },
                       .fault = {}});
  host.boot();
  const char* const machines[] = {"micro", "small-1x", "small-2x", "medium-1x"};
  for (int i = 0; i < 60; ++i) host.trigger("task", on(machines[i * 7 % 4]));
  ASSERT_TRUE(host.core.run_out(10000));
  EXPECT_EQ(host.store->counts()[store::RunStatus::kCompleted], 60u);
  EXPECT_EQ(host.engine->status().memory_reserved, 0u);
  EXPECT_LE(host.launcher->most_memory(), 2 * kGiB);
  EXPECT_GT(host.launcher->most_memory(), kGiB);
  EXPECT_EQ(check_history(*host.store, host.acknowledged), "");
}

TEST(Memory, ALargeAttemptGetsItsTurnHoweverManySmallOnesCome) {
  HostSimulation host({.concurrency = 100,
                       .memory = 2 * kGiB,
                       .script =
                           [](const process::AttemptSpec&) {
                             Ending ending = succeeding();
                             ending.takes = 10s;
                             return ending;
                           },
                       .fault = {}});
  host.boot();
  const auto small = [&host](int number) {
    TriggerRequest request = on("small-1x");
    request.concurrency_key = "key" + std::to_string(number);  // each one a sub-queue that was never served
    host.trigger("task", std::move(request));
  };
  for (int i = 0; i < 4; ++i) small(i);
  host.core.after(1s, [&] { host.trigger("task", on("medium-1x")); });
  for (int i = 4; i < 100; ++i) host.core.after(std::chrono::milliseconds(2000 + i * 500), [&small, i] { small(i); });
  host.core.after(5s, [&] { EXPECT_TRUE(host.engine->status().short_of_memory); });
  ASSERT_TRUE(host.core.run_out(10000));
  const store::Run large = host.store->run(host.acknowledged.at(4)).value();
  ASSERT_EQ(machines_of(host, 4), std::vector<std::string>{"medium-1x"});
  EXPECT_LE(*large.started_at - large.created_at, 12s);
  EXPECT_FALSE(host.engine->status().short_of_memory);
  EXPECT_EQ(check_history(*host.store, host.acknowledged), "");
}

TEST(Memory, AnAttemptThatNeedsMoreThanTheHostHasFailsInWords) {
  HostSimulation host(
      {.memory = 2 * kGiB, .script = [](const process::AttemptSpec&) { return succeeding(); }, .fault = {}});
  host.boot();
  host.trigger("task", on("large-1x"));
  host.trigger("task", on("micro"));
  ASSERT_TRUE(host.core.run_out(1000));
  const store::Run run = host.store->run(host.acknowledged.at(0)).value();
  EXPECT_EQ(run.status, store::RunStatus::kFailed);
  EXPECT_EQ(run.attempts, 1u);
  EXPECT_EQ(
      run.failure->message,
      "The attempt needs the machine large-1x (8 GiB), and all attempts of this host together may use 2 GiB; give "
      "the task a smaller machine or the host more (memory in [host])");
  EXPECT_EQ(host.store->run(host.acknowledged.at(1))->status, store::RunStatus::kCompleted);
}

}  // namespace
}  // namespace perdure::engine::testing
