// Which runs a filter lets through.
#include "store/model/run_filter.h"

#include <gtest/gtest.h>

namespace perdure::store {
namespace {

Run a_run() {
  Run run;
  run.id = new_run_id(Time(Duration(1'700'000'000'000)));
  run.task = TaskId("echo");
  run.queue = QueueName("q");
  run.version = VersionId("v");
  run.options.tags = {"a", "b"};
  run.options.machine = "micro";
  run.created_at = Time(Duration(1'700'000'000'000));
  return run;
}

TEST(RunFilter, LetsThroughWhatHasOneOfEachWantedValue) {
  const store::Run run = a_run();
  EXPECT_TRUE(lets_through({}, run));
  RunFilter filter;
  filter.statuses = {RunStatus::kFailed, RunStatus::kQueued};
  filter.tasks = {TaskId("t"), TaskId("echo")};
  filter.tags = {"x", "b"};
  filter.queues = {QueueName("q")};
  filter.versions = {VersionId("v")};
  filter.machines = {"micro"};
  filter.is_test = false;
  filter.from = filter.to = run.created_at;
  EXPECT_TRUE(lets_through(filter, run));
  const auto without = [&](auto change) {
    RunFilter other = filter;
    change(other);
    return lets_through(other, run);
  };
  EXPECT_FALSE(without([](RunFilter& f) { f.statuses = {RunStatus::kFailed}; }));
  EXPECT_FALSE(without([](RunFilter& f) { f.tasks = {TaskId("t")}; }));
  EXPECT_FALSE(without([](RunFilter& f) { f.tags = {"x"}; }));
  EXPECT_FALSE(without([](RunFilter& f) { f.queues = {QueueName("r")}; }));
  EXPECT_FALSE(without([](RunFilter& f) { f.versions = {VersionId("w")}; }));
  EXPECT_FALSE(without([](RunFilter& f) { f.machines = {"small-1x"}; }));
  EXPECT_FALSE(without([](RunFilter& f) { f.schedules = {new_schedule_id({})}; }));
  EXPECT_FALSE(without([](RunFilter& f) { f.is_test = true; }));
  EXPECT_FALSE(without([](RunFilter& f) { f.from = *f.from + Duration(1); }));
  EXPECT_FALSE(without([](RunFilter& f) { f.to = *f.to - Duration(1); }));
}

TEST(RunFilter, GoesByWhatClientsAreToldWhenAsked) {
  store::Run run = a_run();
  run.status = RunStatus::kDelayed;
  run.attempts = 1;  // in its backoff
  RunFilter queued, delayed;
  queued.statuses = {RunStatus::kQueued};
  delayed.statuses = {RunStatus::kDelayed};
  EXPECT_FALSE(lets_through(queued, run));
  EXPECT_TRUE(lets_through(delayed, run));
  queued.told = delayed.told = true;
  EXPECT_TRUE(lets_through(queued, run));
  EXPECT_FALSE(lets_through(delayed, run));
}

TEST(RunFilter, GoesByTheLargerMachineThatARunHas) {
  store::Run run = a_run();
  run.machine = "small-2x";
  RunFilter filter;
  filter.machines = {"micro"};
  EXPECT_FALSE(lets_through(filter, run));
  filter.machines = {"small-2x"};
  EXPECT_TRUE(lets_through(filter, run));
}

}  // namespace
}  // namespace perdure::store
