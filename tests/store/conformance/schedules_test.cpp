// Schedules: kept, found, and one run for each due time, whatever is asked twice.
#include <algorithm>

#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

using std::chrono::minutes;
using Ids = std::vector<ScheduleId>;

Schedule new_schedule(Time now, const std::string& task = "echo") {
  Schedule schedule;
  schedule.id = new_schedule_id(now);
  schedule.task = TaskId(task);
  schedule.rule.pattern = "* * * * *";
  schedule.created_at = schedule.updated_at = now;
  schedule.next_due = schedule.next_at = now + minutes(1);
  return schedule;
}

Schedule declared(Time now, const std::string& task) {
  Schedule schedule = new_schedule(now, task);
  schedule.type = ScheduleType::kDeclarative;
  schedule.declared_by = "mail";
  return schedule;
}

NewRun due_run(const Schedule& schedule, Time due, Time now) {
  NewRun run;
  run.id = new_run_id(now);
  run.task = schedule.task;
  run.queue = QueueName("task/" + schedule.task.text());
  run.now = now;
  run.payload = "{}";
  run.schedule = schedule.id;
  run.scheduled_for = due;
  return run;
}

// The schedule after it fired once, a minute later.
Schedule after_firing(Schedule schedule, const NewRun& run) {
  schedule.last_due = run.scheduled_for;
  schedule.last_run = run.id;
  schedule.next_due = schedule.next_at = *run.scheduled_for + minutes(1);
  return schedule;
}

Schedule made(Store& store, Schedule schedule) {
  const Result<Schedule> put = put_schedule(store, std::move(schedule));
  EXPECT_TRUE(put) << put.status().message();
  return put ? *put : Schedule();
}

Ids ids_of(const std::vector<Schedule>& schedules) {
  Ids ids;
  for (const Schedule& each : schedules) ids.push_back(each.id);
  return ids;
}

TEST_P(StoreConformance, AScheduleIsKeptWithAllThatItWasMadeOf) {
  Schedule schedule = new_schedule(now);
  schedule.rule = {"0 9 L * MON", "Europe/Berlin", "30m", CatchUp::kAll, Overlap::kCancelPrevious};
  schedule.active = false;
  schedule.deduplication_key = "key \xc3\xa9";
  schedule.external_id = "user 1";
  schedule.next_at = *schedule.next_due + seconds(7);
  schedule.last_due = now - minutes(5);
  schedule.last_run = new_run_id(now);
  schedule.waiting = now - minutes(4);
  schedule.backfill = Backfill{now - minutes(90), now - minutes(60)};
  const Result<Schedule> put = put_schedule(store(), schedule);
  ASSERT_TRUE(put) << put.status().message();
  EXPECT_EQ(put->revision, 1u);
  schedule.revision = 1;
  EXPECT_EQ(*put, schedule);
  EXPECT_EQ(store().schedule(schedule.id).value(), schedule);
  if (factory().can_reopen()) {
    reopen();
    EXPECT_EQ(store().schedule(schedule.id).value(), schedule);
    EXPECT_EQ(store().busy_schedules(), Ids{schedule.id});
    EXPECT_EQ(store().next_schedule_due(Time::min()), std::nullopt) << "it is not active";
  }
}

TEST_P(StoreConformance, AScheduleThatChangedMeanwhileIsNotChangedByWhoDidNotSeeIt) {
  const Schedule first = made(store(), new_schedule(now));
  Schedule one = first, other = first;
  one.external_id = "one";
  other.external_id = "other";
  EXPECT_EQ(made(store(), one).revision, 2u);
  EXPECT_EQ(put_schedule(store(), other).status().code(), Code::kConflict);
  EXPECT_EQ(store().schedule(first.id)->external_id, "one");
  EXPECT_EQ(put_schedule(store(), first).status().code(), Code::kConflict);
  Schedule again = first;
  again.revision = 0;
  EXPECT_EQ(put_schedule(store(), again).status().code(), Code::kConflict) << "it is not new";
}

TEST_P(StoreConformance, WhatIsNoScheduleIsNeitherChangedNorFired) {
  Schedule gone = new_schedule(now);
  gone.revision = 3;
  EXPECT_EQ(put_schedule(store(), gone).status().code(), Code::kNotFound);
  EXPECT_EQ(fire_schedule(store(), gone, {}).status().code(), Code::kNotFound);
  gone.revision = 0;
  EXPECT_EQ(fire_schedule(store(), gone, {}).status().code(), Code::kNotFound);
  EXPECT_EQ(delete_schedule(store(), gone.id).code(), Code::kNotFound);
  EXPECT_EQ(store().schedule(gone.id).status().code(), Code::kNotFound);
  EXPECT_EQ(store().schedule(ScheduleId("nonsense")).status().code(), Code::kNotFound);
  gone.id = ScheduleId("sched_1");
  EXPECT_EQ(put_schedule(store(), gone).status().code(), Code::kInvalid);
}

TEST_P(StoreConformance, ADeduplicationKeyIsOneSchedulesOnlyAndFindsIt) {
  Schedule keyed = new_schedule(now), other = new_schedule(now);
  keyed.deduplication_key = other.deduplication_key = "key";
  keyed = made(store(), keyed);
  EXPECT_EQ(put_schedule(store(), other).status().code(), Code::kConflict);
  EXPECT_EQ(store().schedule_with_key("key")->id, keyed.id);
  EXPECT_EQ(store().schedule_with_key("").status().code(), Code::kNotFound);
  keyed.deduplication_key = "another";
  keyed = made(store(), keyed);
  EXPECT_EQ(store().schedule_with_key("key").status().code(), Code::kNotFound);
  other = made(store(), other);
  EXPECT_EQ(store().schedule_with_key("key")->id, other.id);
  ASSERT_TRUE(delete_schedule(store(), other.id));
  EXPECT_EQ(store().schedule_with_key("key").status().code(), Code::kNotFound);
}

TEST_P(StoreConformance, ATaskDeclaresOneScheduleBesideThoseThatOthersMake) {
  const Schedule b = made(store(), declared(now, "b"));
  const Schedule a = made(store(), declared(now, "a"));
  made(store(), new_schedule(now, "a"));
  EXPECT_EQ(put_schedule(store(), declared(now, "a")).status().code(), Code::kConflict);
  EXPECT_EQ(store().declared_schedules().value(), (std::vector<Schedule>{a, b}));
  ASSERT_TRUE(delete_schedule(store(), a.id));
  const Schedule again = made(store(), declared(now, "a"));
  EXPECT_EQ(store().declared_schedules().value(), (std::vector<Schedule>{again, b}));
}

TEST_P(StoreConformance, SchedulesAreListedFromTheNewestPageByPage) {
  Ids newest_first;
  for (int i = 0; i < 5; ++i) {
    now += seconds(1);
    newest_first.insert(newest_first.begin(), made(store(), new_schedule(now)).id);
  }
  EXPECT_EQ(store().schedules(0, 2)->count, 5u);
  EXPECT_EQ(ids_of(store().schedules(0, 2)->schedules), Ids(newest_first.begin(), newest_first.begin() + 2));
  EXPECT_EQ(ids_of(store().schedules(2, 10)->schedules), Ids(newest_first.begin() + 2, newest_first.end()));
  EXPECT_TRUE(store().schedules(5, 10)->schedules.empty());
  ASSERT_TRUE(delete_schedule(store(), newest_first[1]));
  EXPECT_EQ(store().schedules(0, 10)->count, 4u);
}

TEST_P(StoreConformance, ActiveSchedulesAreDueAtTheirNextTimeAndInItsOrder) {
  std::vector<Schedule> all;
  for (const int minute : {3, 1, 2}) {
    Schedule schedule = new_schedule(now);
    schedule.next_at = now + minutes(minute);
    all.push_back(made(store(), schedule));
  }
  EXPECT_EQ(store().next_schedule_due(Time::min()), now + minutes(1));
  EXPECT_EQ(store().next_schedule_due(now + minutes(1)), now + minutes(2));
  EXPECT_EQ(store().next_schedule_due(now + minutes(3)), std::nullopt);
  EXPECT_EQ(store().due_schedules(Time::min(), now + minutes(2)), (Ids{all[1].id, all[2].id}));
  EXPECT_EQ(store().due_schedules(now + minutes(1), now + minutes(3)), (Ids{all[2].id, all[0].id}));
  all[1].active = false;
  made(store(), all[1]);
  all[2].next_due = all[2].next_at = std::nullopt;
  made(store(), all[2]);
  EXPECT_EQ(store().due_schedules(Time::min(), Time::max()), Ids{all[0].id});
  ASSERT_TRUE(delete_schedule(store(), all[0].id));
  EXPECT_EQ(store().next_schedule_due(Time::min()), std::nullopt);
}

TEST_P(StoreConformance, FiringCreatesTheRunAndMovesTheScheduleOnInOne) {
  const Schedule schedule = made(store(), new_schedule(now));
  const Time due = *schedule.next_due;
  now = due + seconds(1);
  NewRun asked = due_run(schedule, due, now);
  asked.payload = "{\"timestamp\":1}";
  Result<Schedule> fired = fire_schedule(store(), after_firing(schedule, asked), {asked});
  ASSERT_TRUE(fired) << fired.status().message();
  EXPECT_EQ(fired->last_run, asked.id);
  EXPECT_EQ(fired->revision, 2u);
  EXPECT_EQ(store().schedule(schedule.id).value(), *fired);
  EXPECT_EQ(store().next_schedule_due(Time::min()), due + minutes(1));
  EXPECT_EQ(store().fired(schedule.id, due).value(), asked.id);
  EXPECT_EQ(store().fired(schedule.id, due + minutes(1)).status().code(), Code::kNotFound);

  const store::Run created = run(asked.id);
  EXPECT_EQ(created.schedule, schedule.id);
  EXPECT_EQ(created.scheduled_for, due);
  EXPECT_EQ(created.status, RunStatus::kQueued);
  EXPECT_EQ(store().payload(asked.id).value(), asked.payload);
  EXPECT_EQ(events(asked.id), std::vector<std::string>{"triggered"});
  EXPECT_EQ(claim_one().run.id, asked.id);
}

TEST_P(StoreConformance, ADueTimeHasOneRunHoweverOftenItIsFired) {
  Schedule schedule = made(store(), new_schedule(now));
  const Time due = *schedule.next_due;
  now = due;
  const NewRun first = due_run(schedule, due, now), second = due_run(schedule, due, now);
  const Schedule stale = schedule;
  schedule = fire_schedule(store(), after_firing(schedule, first), {first}).value();
  EXPECT_EQ(fire_schedule(store(), after_firing(stale, second), {second}).status().code(), Code::kConflict);
  // Nor by who knows the schedule as it is now, as one that fires past times may.
  const NewRun before = due_run(schedule, due - minutes(1), now), after = due_run(schedule, due + minutes(1), now);
  const Result<Schedule> fired = fire_schedule(store(), after_firing(schedule, second), {before, second, after});
  ASSERT_TRUE(fired) << fired.status().message();
  EXPECT_EQ(fired->last_run, first.id);
  EXPECT_EQ(store().run(second.id).status().code(), Code::kNotFound);
  RunFilter filter;
  filter.schedules = {schedule.id};
  EXPECT_EQ(conformance::ids_of(store().list(filter)->runs), (std::vector<RunId>{after.id, before.id, first.id}));
  EXPECT_EQ(store().counts().at(RunStatus::kQueued), 3u);
}

TEST_P(StoreConformance, NothingOfAFiringThatIsRefusedHappens) {
  const Schedule schedule = made(store(), new_schedule(now)), other = made(store(), new_schedule(now));
  const Time due = *schedule.next_due;
  const NewRun good = due_run(schedule, due, now);
  NewRun timeless = due_run(schedule, due + minutes(1), now);
  timeless.scheduled_for.reset();
  for (const NewRun& bad : {timeless, due_run(other, due + minutes(1), now), due_run(schedule, due, now)}) {
    EXPECT_EQ(fire_schedule(store(), after_firing(schedule, good), {good, bad}).status().code(), Code::kInvalid);
    EXPECT_EQ(store().run(good.id).status().code(), Code::kNotFound);
    EXPECT_EQ(store().schedule(schedule.id).value(), schedule);
  }
  EXPECT_TRUE(fire_schedule(store(), after_firing(schedule, good), {good}));
}

TEST_P(StoreConformance, AScheduleMayMoveOnWithoutARun) {
  Schedule schedule = made(store(), new_schedule(now));
  schedule.waiting = schedule.next_due;
  schedule.next_due = schedule.next_at = *schedule.next_due + minutes(1);
  schedule = fire_schedule(store(), schedule, {}).value();
  EXPECT_EQ(store().busy_schedules(), Ids{schedule.id});
  const NewRun run = due_run(schedule, *schedule.waiting, now);
  schedule.waiting.reset();
  schedule = fire_schedule(store(), schedule, {run}).value();
  EXPECT_TRUE(store().busy_schedules().empty());
  EXPECT_EQ(store().fired(schedule.id, *run.scheduled_for).value(), run.id);
}

TEST_P(StoreConformance, RunsAreListedByTheirSchedule) {
  std::vector<Schedule> all{made(store(), new_schedule(now)), made(store(), new_schedule(now, "other"))};
  std::vector<RunId> runs;
  for (int i = 0; i < 4; ++i) {
    Schedule& schedule = all[static_cast<std::size_t>(i % 2)];
    const NewRun run = due_run(schedule, *schedule.next_due, now);
    schedule = fire_schedule(store(), after_firing(schedule, run), {run}).value();
    runs.insert(runs.begin(), run.id);
  }
  enqueued();
  RunFilter filter;
  filter.schedules = {all[0].id};
  EXPECT_EQ(conformance::ids_of(store().list(filter)->runs), (std::vector<RunId>{runs[1], runs[3]}));
  filter.schedules.push_back(all[1].id);
  EXPECT_EQ(conformance::ids_of(store().list(filter)->runs), runs);
  filter.tasks = {TaskId("other")};
  EXPECT_EQ(conformance::ids_of(store().list(filter)->runs), (std::vector<RunId>{runs[0], runs[2]}));
  for (const ScheduleId& none : {new_schedule_id(now), ScheduleId("nonsense"), ScheduleId()}) {
    filter.schedules = {none};
    EXPECT_TRUE(store().list(filter)->runs.empty());
  }
}

TEST_P(StoreConformance, ADeletedSchedulesRunsStayAndItsDueTimesAreForgotten) {
  Schedule schedule = made(store(), new_schedule(now)), other = made(store(), new_schedule(now));
  const NewRun run = due_run(schedule, *schedule.next_due, now), kept = due_run(other, *other.next_due, now);
  schedule = fire_schedule(store(), after_firing(schedule, run), {run}).value();
  other = fire_schedule(store(), after_firing(other, kept), {kept}).value();
  ASSERT_TRUE(delete_schedule(store(), schedule.id));
  EXPECT_EQ(store().schedule(schedule.id).status().code(), Code::kNotFound);
  EXPECT_EQ(store().fired(schedule.id, *run.scheduled_for).status().code(), Code::kNotFound);
  EXPECT_EQ(store().fired(other.id, *kept.scheduled_for).value(), kept.id);
  EXPECT_EQ(this->run(run.id).schedule, schedule.id);
  RunFilter filter;
  filter.schedules = {schedule.id};
  EXPECT_EQ(store().list(filter)->runs.size(), 1u);
  EXPECT_EQ(fire_schedule(store(), schedule, {}).status().code(), Code::kNotFound);
}

TEST_P(StoreConformance, WhatFiredAndWasAnsweredSurvivesTheMachine) {
  if (!factory().can_lose_power()) GTEST_SKIP() << "nothing of this engine outlives it";
  Schedule schedule = made(store(), new_schedule(now));
  const NewRun run = due_run(schedule, *schedule.next_due, now);
  schedule = fire_schedule(store(), after_firing(schedule, run), {run}).value();
  lose_power();
  EXPECT_EQ(store().schedule(schedule.id).value(), schedule);
  EXPECT_EQ(store().fired(schedule.id, *run.scheduled_for).value(), run.id);
  EXPECT_EQ(store().next_schedule_due(Time::min()), schedule.next_at);
  EXPECT_EQ(claim_one().run.id, run.id);
}

TEST_P(StoreConformance, AFiringThatCouldNotBeWrittenMayBeTriedAgainAndHasOneRun) {
  if (!factory().can_fail_writes()) GTEST_SKIP() << "the engine's writes cannot be made to fail";
  const Schedule schedule = made(store(), new_schedule(now));
  const Time due = *schedule.next_due;
  NewRun run = due_run(schedule, due, now);
  factory().fail_writes();
  EXPECT_FALSE(fire_schedule(store(), after_firing(schedule, run), {run}));
  factory().heal();
  ASSERT_TRUE(listener.wait_until([](const auto& told) { return !told.health.empty() && told.health.back().is_ok(); }));
  const Schedule now_stored = store().schedule(schedule.id).value();
  if (now_stored.next_due == due) {  // nothing of it was written
    EXPECT_EQ(store().run(run.id).status().code(), Code::kNotFound);
    run = due_run(schedule, due, now);
    ASSERT_TRUE(fire_schedule(store(), after_firing(now_stored, run), {run}));
  }
  EXPECT_EQ(store().fired(schedule.id, due).value(), run.id);
  RunFilter filter;
  filter.schedules = {schedule.id};
  EXPECT_EQ(store().list(filter)->runs.size(), 1u);
}

}  // namespace
}  // namespace perdure::store::conformance
