// What a schedule does at a moment: catch-up, overlap, backfill.
#include "store/model/schedule_firing.h"

#include <gtest/gtest.h>

#include "store/model/timestamp.h"

namespace perdure::store {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

Time at(const std::string& text) { return parse_time(text).value(); }

// Every ten minutes, last fired at noon.
Schedule every_ten(CatchUp catch_up = CatchUp::kLatest, Overlap overlap = Overlap::kAllow) {
  Schedule schedule;
  schedule.id = new_schedule_id(at("2030-01-01T00:00:00Z"));
  schedule.task = TaskId("report");
  schedule.rule = {"*/10 * * * *", "UTC", "", catch_up, overlap};
  schedule.last_due = at("2030-01-01T12:00:00Z");
  schedule.next_due = schedule.next_at = at("2030-01-01T12:10:00Z");
  return schedule;
}

Timetable times_of(const Schedule& schedule) { return Timetable::parse(schedule.rule).value(); }

std::vector<std::string> clock_times(const Firing& firing) {
  std::vector<std::string> times;
  for (const DueRun& run : firing.runs) times.push_back(format_time(run.due).substr(11, 5));
  return times;
}
using Times = std::vector<std::string>;

// What it fires until it has nothing to do, every run being over at once.
Times all_fired(Schedule schedule, Time now) {
  Times all;
  for (int i = 0; i < 1000; ++i) {
    const std::optional<Firing> firing = fire_now(schedule, times_of(schedule), now, true);
    if (!firing) return all;
    for (std::string& time : clock_times(*firing)) all.push_back(std::move(time));
    schedule = firing->schedule;
  }
  ADD_FAILURE() << "it never comes to an end";
  return all;
}

TEST(ScheduleFiring, BeforeItsTimeThereIsNothingToDo) {
  const Schedule schedule = every_ten();
  EXPECT_FALSE(fire_now(schedule, times_of(schedule), at("2030-01-01T12:09:59.999Z"), true));
}

TEST(ScheduleFiring, ADueTimeFiresOnceAndTheNextIsPlanned) {
  const Schedule schedule = every_ten();
  const auto firing = fire_now(schedule, times_of(schedule), at("2030-01-01T12:10:00.250Z"), true);
  ASSERT_TRUE(firing);
  EXPECT_EQ(clock_times(*firing), Times{"12:10"});
  EXPECT_EQ(firing->runs[0].last, schedule.last_due);
  EXPECT_FALSE(firing->backfilled);
  EXPECT_EQ(firing->schedule.last_due, at("2030-01-01T12:10:00Z"));
  EXPECT_EQ(firing->schedule.next_due, at("2030-01-01T12:20:00Z"));
  EXPECT_EQ(firing->schedule.next_at, at("2030-01-01T12:20:00Z"));
  EXPECT_FALSE(fire_now(firing->schedule, times_of(schedule), at("2030-01-01T12:10:00.250Z"), true));
}

TEST(ScheduleFiring, OfMissedTimesTheLatestFiresOrAllOrNone) {
  const Time now = at("2030-01-01T12:45:00Z");
  EXPECT_EQ(all_fired(every_ten(CatchUp::kLatest), now), Times{"12:40"});
  EXPECT_EQ(all_fired(every_ten(CatchUp::kAll), now), (Times{"12:10", "12:20", "12:30", "12:40"}));
  EXPECT_EQ(all_fired(every_ten(CatchUp::kNone), now), Times());
}

TEST(ScheduleFiring, ATimeLessThanAMinuteAgoIsNotMissed) {
  EXPECT_EQ(all_fired(every_ten(CatchUp::kNone), at("2030-01-01T12:10:59Z")), Times{"12:10"});
  EXPECT_EQ(all_fired(every_ten(CatchUp::kNone), at("2030-01-01T12:30:20Z")), Times{"12:30"});
  EXPECT_EQ(all_fired(every_ten(CatchUp::kNone), at("2030-01-01T12:31:01Z")), Times());
}

TEST(ScheduleFiring, AfterMissedTimesTheNextOneIsTheFirstInTheFuture) {
  for (const CatchUp each : {CatchUp::kNone, CatchUp::kLatest, CatchUp::kAll}) {
    const Schedule schedule = every_ten(each);
    const auto firing = fire_now(schedule, times_of(schedule), at("2030-01-01T12:45:00Z"), true);
    EXPECT_EQ(firing->schedule.next_due, at("2030-01-01T12:50:00Z")) << catch_up_name(each);
  }
}

TEST(ScheduleFiring, ManyMissedTimesFireInBoundedBatchesEachOnceInOrder) {
  Schedule schedule = every_ten(CatchUp::kAll);
  const Time now = *schedule.next_due + minutes(10) * 250;
  std::vector<Time> fired;
  std::size_t batches = 0;
  while (const auto firing = fire_now(schedule, times_of(schedule), now, true)) {
    EXPECT_LE(firing->runs.size(), kMostFiredAtOnce);
    for (const DueRun& run : firing->runs) {
      EXPECT_EQ(run.last, fired.empty() ? schedule.last_due : std::optional(fired.back()));
      fired.push_back(run.due);
    }
    schedule = firing->schedule;
    ++batches;
  }
  ASSERT_EQ(fired.size(), 251u);
  EXPECT_EQ(batches, 3u);
  for (std::size_t i = 0; i < fired.size(); ++i) {
    EXPECT_EQ(fired[i], at("2030-01-01T12:10:00Z") + minutes(10) * static_cast<int>(i));
  }
}

TEST(ScheduleFiring, YearsOfMissedMinutesAreSkippedAtOnce) {
  Schedule schedule = every_ten();
  schedule.rule.pattern = "* * * * *";
  const auto firing = fire_now(schedule, times_of(schedule), at("2040-01-01T12:45:30Z"), true);
  EXPECT_EQ(clock_times(*firing), Times{"12:45"});
  EXPECT_EQ(firing->schedule.next_due, at("2040-01-01T12:46:00Z"));
}

TEST(ScheduleFiring, ItsPlaceInTheWindowDelaysTheFiringAndNotTheDueTime) {
  Schedule schedule = every_ten();
  schedule.rule.window = "5m";
  plan_next(schedule, times_of(schedule), at("2030-01-01T12:01:00Z"));
  ASSERT_EQ(schedule.next_due, at("2030-01-01T12:10:00Z"));
  ASSERT_GT(*schedule.next_at, *schedule.next_due) << "an offset of 0, which one id in 300,000 has";
  ASSERT_LT(*schedule.next_at, *schedule.next_due + minutes(5));
  EXPECT_FALSE(fire_now(schedule, times_of(schedule), *schedule.next_at - Duration(1), true));
  const auto firing = fire_now(schedule, times_of(schedule), *schedule.next_at, true);
  EXPECT_EQ(clock_times(*firing), Times{"12:10"});
  EXPECT_EQ(*firing->schedule.next_at - *firing->schedule.next_due, *schedule.next_at - *schedule.next_due);
}

TEST(ScheduleFiring, SkipLeavesOutWhatIsDueWhileTheLastRunIsUnfinished) {
  const Schedule schedule = every_ten(CatchUp::kAll, Overlap::kSkip);
  const auto firing = fire_now(schedule, times_of(schedule), at("2030-01-01T12:25:00Z"), false);
  ASSERT_TRUE(firing);
  EXPECT_EQ(clock_times(*firing), Times());
  EXPECT_EQ(firing->schedule.next_due, at("2030-01-01T12:30:00Z"));
  EXPECT_EQ(firing->schedule.last_due, schedule.last_due);
  EXPECT_FALSE(firing->schedule.waiting);
}

TEST(ScheduleFiring, OnlyOneOfManyMissedTimesFiresAtOnceWhereRunsMustNotOverlap) {
  for (const Overlap overlap : {Overlap::kSkip, Overlap::kQueueOne, Overlap::kCancelPrevious}) {
    const Schedule schedule = every_ten(CatchUp::kAll, overlap);
    const auto firing = fire_now(schedule, times_of(schedule), at("2030-01-01T12:35:00Z"), true);
    EXPECT_EQ(clock_times(*firing), Times{"12:10"}) << overlap_name(overlap);
    EXPECT_EQ(firing->schedule.next_due, at("2030-01-01T12:20:00Z"));
  }
}

TEST(ScheduleFiring, QueueOneKeepsTheFirstWaitingAndSkipsTheOthers) {
  Schedule schedule = every_ten(CatchUp::kLatest, Overlap::kQueueOne);
  auto firing = fire_now(schedule, times_of(schedule), at("2030-01-01T12:10:00Z"), false);
  EXPECT_EQ(clock_times(*firing), Times());
  EXPECT_EQ(firing->schedule.waiting, at("2030-01-01T12:10:00Z"));
  firing = fire_now(firing->schedule, times_of(schedule), at("2030-01-01T12:20:00Z"), false);
  EXPECT_EQ(clock_times(*firing), Times());
  EXPECT_EQ(firing->schedule.waiting, at("2030-01-01T12:10:00Z"));
  EXPECT_EQ(firing->schedule.next_due, at("2030-01-01T12:30:00Z"));
  schedule = firing->schedule;
  EXPECT_FALSE(fire_now(schedule, times_of(schedule), at("2030-01-01T12:23:00Z"), false));
  firing = fire_now(schedule, times_of(schedule), at("2030-01-01T12:23:00Z"), true);
  EXPECT_EQ(clock_times(*firing), Times{"12:10"});
  EXPECT_EQ(firing->schedule.last_due, at("2030-01-01T12:10:00Z"));
  EXPECT_FALSE(firing->schedule.waiting);
}

TEST(ScheduleFiring, CancelPreviousKeepsTheLatestWaiting) {
  Schedule schedule = every_ten(CatchUp::kLatest, Overlap::kCancelPrevious);
  auto firing = fire_now(schedule, times_of(schedule), at("2030-01-01T12:10:00Z"), false);
  EXPECT_EQ(firing->schedule.waiting, at("2030-01-01T12:10:00Z"));
  firing = fire_now(firing->schedule, times_of(schedule), at("2030-01-01T12:20:00Z"), false);
  EXPECT_EQ(firing->schedule.waiting, at("2030-01-01T12:20:00Z"));
  firing = fire_now(firing->schedule, times_of(schedule), at("2030-01-01T12:20:01Z"), true);
  EXPECT_EQ(clock_times(*firing), Times{"12:20"});
}

TEST(ScheduleFiring, AWaitingTimeComesBeforeOneThatIsDueByThen) {
  Schedule schedule = every_ten(CatchUp::kLatest, Overlap::kQueueOne);
  schedule.waiting = at("2030-01-01T12:00:00Z");
  schedule.last_due = at("2030-01-01T11:50:00Z");
  const auto firing = fire_now(schedule, times_of(schedule), at("2030-01-01T12:10:00Z"), true);
  EXPECT_EQ(clock_times(*firing), Times{"12:00"});
  const auto next = fire_now(firing->schedule, times_of(schedule), at("2030-01-01T12:10:00Z"), false);
  EXPECT_EQ(clock_times(*next), Times());
  EXPECT_EQ(next->schedule.waiting, at("2030-01-01T12:10:00Z"));
}

TEST(ScheduleFiring, AnInactiveScheduleFiresNothingButItsBackfill) {
  Schedule schedule = every_ten();
  schedule.active = false;
  const Time now = at("2030-01-01T13:00:00Z");
  EXPECT_FALSE(fire_now(schedule, times_of(schedule), now, true));
  schedule.backfill = Backfill{at("2030-01-01T10:00:00Z"), at("2030-01-01T10:25:00Z")};
  const auto firing = fire_now(schedule, times_of(schedule), now, false);
  EXPECT_TRUE(firing->backfilled);
  EXPECT_EQ(clock_times(*firing), (Times{"10:00", "10:10", "10:20"}));
  EXPECT_EQ(firing->runs[0].last, at("2030-01-01T09:50:00Z"));
  EXPECT_EQ(firing->runs[2].last, at("2030-01-01T10:10:00Z"));
  EXPECT_FALSE(firing->schedule.backfill);
  EXPECT_EQ(firing->schedule.last_due, schedule.last_due);
  EXPECT_EQ(firing->schedule.next_due, schedule.next_due);
}

TEST(ScheduleFiring, ALongBackfillFiresInBatchesEachTimeOnce) {
  Schedule schedule = every_ten();
  schedule.active = false;
  schedule.backfill = Backfill{at("2029-12-01T00:00:00Z"), at("2029-12-02T00:00:00Z")};
  const Times fired = all_fired(schedule, at("2030-01-01T13:00:00Z"));
  EXPECT_EQ(fired.size(), 145u);
  EXPECT_EQ(fired.front(), "00:00");
  EXPECT_EQ(fired[100], "16:40") << "where the second batch begins";
  EXPECT_EQ(fired.back(), "00:00");
}

TEST(ScheduleFiring, AnExactMultipleOfABatchLeavesNothingOver) {
  Schedule schedule = every_ten();
  schedule.active = false;
  schedule.backfill = Backfill{at("2029-12-01T00:00:00Z"), at("2029-12-01T00:00:00Z") + minutes(10) * 99};
  const auto firing = fire_now(schedule, times_of(schedule), at("2030-01-01T13:00:00Z"), true);
  EXPECT_EQ(firing->runs.size(), 100u);
  EXPECT_FALSE(firing->schedule.backfill);
}

TEST(ScheduleFiring, WhatIsPlannedIsLaterThanAllThatFiredAlsoWhenTheClockWasSetBack) {
  Schedule schedule = every_ten();
  plan_next(schedule, times_of(schedule), at("2030-01-01T11:00:00Z"));
  EXPECT_EQ(schedule.next_due, at("2030-01-01T12:10:00Z"));
  schedule.waiting = at("2030-01-01T12:30:00Z");
  plan_next(schedule, times_of(schedule), at("2030-01-01T11:00:00Z"));
  EXPECT_EQ(schedule.next_due, at("2030-01-01T12:40:00Z"));
  schedule.waiting.reset();
  schedule.last_due.reset();
  plan_next(schedule, times_of(schedule), at("2030-01-01T11:00:00Z"));
  EXPECT_EQ(schedule.next_due, at("2030-01-01T11:10:00Z"));
}

TEST(ScheduleFiring, TheDueTimeBeforeAnotherIsFoundHoweverRareTheyAre) {
  Schedule schedule = every_ten();
  EXPECT_EQ(due_before(times_of(schedule), at("2030-01-01T12:10:00Z")), at("2030-01-01T12:00:00Z"));
  EXPECT_EQ(due_before(times_of(schedule), at("2030-01-01T12:10:00.001Z")), at("2030-01-01T12:10:00Z"));
  schedule.rule.pattern = "0 0 29 2 *";
  EXPECT_EQ(due_before(times_of(schedule), at("2030-01-01T12:10:00Z")), at("2028-02-29T00:00:00Z"));
  EXPECT_EQ(due_before(times_of(schedule), at("2104-02-28T00:00:00Z")), at("2096-02-29T00:00:00Z"));
}

}  // namespace
}  // namespace perdure::store
