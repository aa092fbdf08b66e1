// remove_finished(): which runs go, what goes with them, and what stays.
#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

using Ids = std::vector<RunId>;
using std::chrono::minutes;

Removal all_before(Time time, RunStatus status = RunStatus::kCompleted) {
  Removal removal;
  removal.status = status;
  removal.ended_before = time;
  return removal;
}

Removed removed(Store& store, const Removal& removal) {
  const Result<Removed> answer = remove_finished(store, removal);
  EXPECT_TRUE(answer) << answer.status().message();
  return answer ? *answer : Removed();
}

Ids all_runs(Store& store) {
  RunFilter filter;
  filter.limit = 100;
  return ids_of(store.list(filter)->runs);
}

TEST_P(StoreConformance, ARunThatIsRemovedIsGoneFromEverywhere) {
  NewRun created = new_run("orders");
  created.options.tags = {"a", "b"};
  created.options.idempotency_key = "key";
  created.options.metadata = "{\"m\":1}";
  const RunId id = enqueued(std::move(created));
  store().append_logs(id, {{0, now, 1, LogLevel::kInfo, LogSource::kTask, "line", {}}});
  ASSERT_TRUE(append_stream(store(), {.run = id, .name = "s", .chunks = {"chunk"}, .now = now}));
  fail(claim_one(), RetryAt{now});
  succeed(claim_one());
  const RunId other = enqueued("orders");
  now += minutes(5);
  const Removed answer = removed(store(), all_before(now));
  EXPECT_EQ(answer.runs, 1u);
  EXPECT_EQ(answer.last, id);
  EXPECT_FALSE(answer.more);
  EXPECT_EQ(store().run(id).status().code(), Code::kNotFound);
  EXPECT_EQ(store().payload(id).status().code(), Code::kNotFound);
  EXPECT_EQ(store().output(id).status().code(), Code::kNotFound);
  EXPECT_EQ(store().attempts(id).status().code(), Code::kNotFound);
  EXPECT_EQ(store().timeline(id).status().code(), Code::kNotFound);
  EXPECT_EQ(store().logs(id, 0, 10).status().code(), Code::kNotFound);
  EXPECT_EQ(store().metadata(id).status().code(), Code::kNotFound);
  EXPECT_EQ(store().streams(id).status().code(), Code::kNotFound);
  EXPECT_EQ(cancel(store(), id, now).status().code(), Code::kNotFound);
  EXPECT_EQ(all_runs(store()), Ids{other});
  RunFilter filter;
  filter.tasks = {TaskId("orders")};
  EXPECT_EQ(ids_of(store().list(filter)->runs), Ids{other});
  filter.tasks.clear();
  filter.tags = {"a"};
  EXPECT_TRUE(store().list(filter)->runs.empty());
  filter.tags.clear();
  filter.statuses = {RunStatus::kCompleted};
  EXPECT_TRUE(store().list(filter)->runs.empty());
  EXPECT_EQ(store().counts().at(RunStatus::kCompleted), 0u);
  EXPECT_EQ(store().counts().at(RunStatus::kQueued), 1u);
  store().append_logs(id, {{0, now, 1, LogLevel::kInfo, LogSource::kTask, "late", {}}});
  EXPECT_EQ(store().logs(id, 0, 10).status().code(), Code::kNotFound);
}

TEST_P(StoreConformance, TheKeyOfARemovedRunIsFree) {
  NewRun created = new_run();
  created.options.idempotency_key = "key";
  const RunId id = enqueued(created);
  succeed(claim_one());
  now += minutes(1);
  ASSERT_EQ(removed(store(), all_before(now)).runs, 1u);
  created.id = new_run_id(now);
  created.now = now;
  const Result<Enqueued> again = enqueue(store(), created);
  ASSERT_TRUE(again) << again.status().message();
  EXPECT_FALSE(again->existing);
  EXPECT_NE(again->id, id);
}

TEST_P(StoreConformance, OnlyRunsThatEndedBeforeAreRemovedAndOnlyOfTheStatus) {
  const RunId old = enqueued();
  succeed(claim_one());
  const RunId failed = enqueued();
  fail(claim_one(), GiveUp{RunStatus::kFailed});
  const RunId slow = enqueued();
  const Claim executing = claim_one();
  const RunId waiting = enqueued();
  now += minutes(10);
  succeed(executing);
  EXPECT_EQ(removed(store(), all_before(now - minutes(5))).runs, 1u);
  EXPECT_EQ(all_runs(store()), (Ids{waiting, slow, failed}));
  EXPECT_EQ(removed(store(), all_before(now, RunStatus::kFailed)).runs, 1u);
  now += minutes(1);
  EXPECT_EQ(removed(store(), all_before(now)).last, slow);
  EXPECT_EQ(all_runs(store()), Ids{waiting});
  for (const RunStatus status : {RunStatus::kQueued, RunStatus::kExecuting, RunStatus::kDelayed}) {
    EXPECT_EQ(remove_finished(store(), all_before(now, status)).status().code(), Code::kInvalid);
  }
}

TEST_P(StoreConformance, TheNewestSoManyOfAStatusAreKept) {
  Ids runs;
  for (int i = 0; i < 6; ++i) {
    now += minutes(1);
    runs.insert(runs.begin(), enqueued());
    succeed(claim_one());
  }
  now += minutes(1);
  Removal removal = all_before(now);
  removal.keep = 4;
  removal.most = 1;
  EXPECT_TRUE(removed(store(), removal).more);
  EXPECT_FALSE(removed(store(), removal).more);
  EXPECT_EQ(removed(store(), removal).runs, 0u);
  EXPECT_EQ(all_runs(store()), Ids(runs.begin(), runs.begin() + 4));
  removal.keep = 10;
  EXPECT_EQ(removed(store(), removal).runs, 0u);
}

TEST_P(StoreConformance, ACallLooksAtSoManyAndTheNextGoesOnAfterThem) {
  Ids runs;
  for (int i = 0; i < 50; ++i) {
    now += seconds(1);
    runs.push_back(enqueued());
    succeed(claim_one());
  }
  now += minutes(1);
  Removal removal = all_before(now);
  removal.most = 20;
  removal.after = runs[4];
  Removed answer = removed(store(), removal);
  EXPECT_EQ(answer.runs, 20u);
  EXPECT_EQ(answer.last, runs[24]);
  EXPECT_TRUE(answer.more);
  removal.after = answer.last;
  EXPECT_EQ(removed(store(), removal).runs, 20u);
  removal.after = runs[44];
  answer = removed(store(), removal);
  EXPECT_EQ(answer.runs, 5u);
  EXPECT_FALSE(answer.more);
  EXPECT_EQ(all_runs(store()), (Ids{runs[4], runs[3], runs[2], runs[1], runs[0]}));
  for (const RunId& id : all_runs(store())) {
    EXPECT_TRUE(store().payload(id));
    EXPECT_EQ(events(id).size(), 4u);
  }
}

TEST_P(StoreConformance, RunsBetweenThoseThatGoStayWhole) {
  Ids stay;
  for (int i = 0; i < 90; ++i) {
    now += seconds(1);
    const RunId id = enqueued();
    store().append_logs(id, {{0, now, 1, LogLevel::kInfo, LogSource::kTask, "line", {}}});
    if (i % 40 == 39) {
      fail(claim_one(), GiveUp{RunStatus::kFailed});
      stay.insert(stay.begin(), id);
    } else {
      succeed(claim_one());
    }
  }
  now += minutes(1);
  EXPECT_EQ(removed(store(), all_before(now)).runs, 88u);
  EXPECT_EQ(all_runs(store()), stay);
  for (const RunId& id : stay) {
    EXPECT_TRUE(store().payload(id));
    EXPECT_EQ(store().logs(id, 0, 10)->size(), 1u);
    EXPECT_EQ(attempts(id).size(), 1u);
  }
}

TEST_P(StoreConformance, WhoeverOwesSomethingOrHasAnUnfinishedParentStays) {
  store().owe_hooks([](const store::Run& run) { return run.task == TaskId("owing"); });
  const RunId parent = enqueued("parent");
  const Claim executing = claim_one();
  NewRun created = new_run();
  created.parent = created.root = parent;
  created.call = 1;
  const RunId child = enqueued(created);
  succeed(claim_one());
  const RunId owing = enqueued("owing");
  ASSERT_TRUE(cancel(store(), owing, now));
  now += minutes(1);
  EXPECT_EQ(removed(store(), all_before(now)).runs, 0u);
  EXPECT_EQ(removed(store(), all_before(now, RunStatus::kCanceled)).runs, 0u);
  ASSERT_TRUE(hooks_ran(store(), owing, {}));
  EXPECT_EQ(removed(store(), all_before(now, RunStatus::kCanceled)).runs, 1u);

  // The same call of a later attempt is still answered with the child; once the parent is over, both may go.
  created.id = new_run_id(now);
  EXPECT_EQ(enqueue(store(), created)->id, child);
  AttemptEnd end = failure_of(executing, now, GiveUp{RunStatus::kCanceled}, FailureKind::kCanceled);
  finish(end);
  ASSERT_EQ(store().canceled_parents(10).value(), Ids{parent});
  now += minutes(1);
  EXPECT_EQ(removed(store(), all_before(now, RunStatus::kCanceled)).runs, 0u) << "its children are to be looked at";
  EXPECT_EQ(removed(store(), all_before(now)).runs, 1u);
  EXPECT_TRUE(store().children(parent, {}, 10)->empty());
}

TEST_P(StoreConformance, ARunOutlivesItsParentAndNamesIt) {
  const RunId parent = enqueued("parent");
  const Claim executing = claim_one();
  NewRun created = new_run();
  created.parent = created.root = parent;
  created.delayed_until = now + minutes(60);
  const RunId child = enqueued(created);
  succeed(executing);
  now += minutes(1);
  ASSERT_EQ(removed(store(), all_before(now)).runs, 1u);
  EXPECT_EQ(run(child).parent, parent);
  EXPECT_EQ(store().children(parent, {}, 10).status().code(), Code::kNotFound);
  now += minutes(60);
  ASSERT_TRUE(wake_due(store(), now));
  succeed(claim_one());
  now += minutes(1);
  EXPECT_EQ(removed(store(), all_before(now)).runs, 1u);
  EXPECT_TRUE(all_runs(store()).empty());
}

TEST_P(StoreConformance, TheDueTimeOfARemovedRunIsForgotten) {
  Schedule schedule;
  schedule.id = new_schedule_id(now);
  schedule.task = TaskId("echo");
  schedule = put_schedule(store(), schedule).value();
  NewRun created = new_run();
  created.schedule = schedule.id;
  created.scheduled_for = now;
  const RunId id = created.id;
  schedule = fire_schedule(store(), schedule, {created}).value();
  ASSERT_EQ(store().fired(schedule.id, now).value(), id);
  succeed(claim_one());
  const Time due = now;
  now += minutes(1);
  ASSERT_EQ(removed(store(), all_before(now)).runs, 1u);
  EXPECT_EQ(store().fired(schedule.id, due).status().code(), Code::kNotFound);
  RunFilter filter;
  filter.schedules = {schedule.id};
  EXPECT_TRUE(store().list(filter)->runs.empty());
  EXPECT_EQ(store().schedule(schedule.id).value(), schedule);
}

TEST_P(StoreConformance, WhatWasRemovedStaysSoAndCountsStayRightAfterReopening) {
  if (!factory().can_reopen()) GTEST_SKIP() << "nothing of this engine outlives it";
  for (int i = 0; i < 40; ++i) {
    enqueued();
    succeed(claim_one());
  }
  const RunId kept = enqueued();
  now += minutes(1);
  Removal removal = all_before(now);
  removal.most = 30;
  ASSERT_EQ(removed(store(), removal).runs, 30u);
  reopen();
  EXPECT_EQ(store().counts().at(RunStatus::kCompleted), 10u);
  EXPECT_EQ(all_runs(store()).size(), 11u);
  ASSERT_EQ(removed(store(), removal).runs, 10u);
  reopen();
  EXPECT_EQ(store().counts().at(RunStatus::kCompleted), 0u);
  EXPECT_EQ(all_runs(store()), Ids{kept});
  EXPECT_EQ(claim_one().run.id, kept);
}

}  // namespace
}  // namespace perdure::store::conformance
