// Thousands of simulated days of schedules, with hosts killed at any moment, disks that fail, plugins that go: each due
// time has one run at most, and exactly one where every time is to fire. PERDURE_SEED=… repeats a seed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "store/model/timestamp.h"
#include "tests/engine/host_simulation.h"

namespace perdure::engine::testing {
namespace {

using namespace std::chrono_literals;
using store::CatchUp;
using store::Overlap;

std::string name_of(const store::Schedule& schedule) {
  return std::string(catch_up_name(schedule.rule.catch_up)) + "/" + std::string(overlap_name(schedule.rule.overlap));
}

// Every run by its schedule, in the order in which they were made.
std::map<store::ScheduleId, std::vector<store::Run>> runs_by_schedule(const store::Store& store) {
  std::map<store::ScheduleId, std::vector<store::Run>> by;
  store::RunFilter filter;
  filter.limit = 100;
  for (bool more = true; more;) {
    const store::RunPage page = store.list(filter).value();
    for (const store::Run& run : page.runs) by[run.schedule].insert(by[run.schedule].begin(), run);
    more = page.more_after;
    if (more) filter.after = page.runs.back().id;
  }
  return by;
}

// What is wrong with the runs of a schedule, in words; empty: nothing. `all` are the due times that passed.
std::string check(const store::Schedule& schedule, const std::vector<store::Run>& runs,
                  const std::vector<store::Time>& all) {
  std::set<store::Time> fired;
  const store::Run* before = nullptr;
  for (const store::Run& run : runs) {
    const std::string due = store::format_time(*run.scheduled_for);
    if (!std::ranges::binary_search(all, *run.scheduled_for)) return due + " was never due";
    if (!fired.insert(*run.scheduled_for).second) return due + " fired twice";
    if (before != nullptr && *before->scheduled_for > *run.scheduled_for) return due + " fired after a later one";
    const bool alone = schedule.rule.overlap != Overlap::kAllow;
    if (alone && before != nullptr && (!before->finished_at || *before->finished_at > run.created_at)) {
      return due + " fired while the last run was unfinished";
    }
    before = &run;
  }
  const bool every = schedule.rule.catch_up == CatchUp::kAll && schedule.rule.overlap == Overlap::kAllow;
  if (every && fired.size() != all.size()) {
    return std::to_string(all.size() - fired.size()) + " of " + std::to_string(all.size()) + " never fired";
  }
  // With the others the last one may be skipped for one that waits.
  const bool last_counts =
      schedule.rule.overlap == Overlap::kAllow || schedule.rule.overlap == Overlap::kCancelPrevious;
  if (last_counts && schedule.rule.catch_up != CatchUp::kNone && !fired.contains(all.back()) &&
      schedule.waiting != all.back()) {
    return "the last due time did not fire";
  }
  return {};
}

std::string live(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  bool faulty = false;
  HostSimulation* simulation = nullptr;
  HostSimulation host({.concurrency = 1 + random() % 6,
                       .seed = seed,
                       .script =
                           [&random](const process::AttemptSpec&) {
                             Ending ending;
                             ending.takes = store::Duration(random() % 4 == 0 ? random() % 200'000 : random() % 50);
                             ending.result.output = "null";
                             return ending;
                           },
                       .fault =
                           [&](std::string_view) {
                             if (!faulty || random() % 60 != 0) return store::Status::ok();
                             simulation->core.after(store::Duration(random() % 20'000),
                                                    [&] { simulation->store->serve_again(); });
                             return store::Status::io("injected");
                           }});
  simulation = &host;
  const catalog::SnapshotPtr all = host.catalog;
  auto none = std::make_shared<catalog::Snapshot>();
  none->loaded = true;
  host.boot();
  host.core.run_until(host.core.now() + 100ms);
  const store::Time begin = host.core.now();
  for (const CatchUp catch_up : {CatchUp::kNone, CatchUp::kLatest, CatchUp::kAll}) {
    for (const Overlap overlap : {Overlap::kAllow, Overlap::kSkip, Overlap::kQueueOne, Overlap::kCancelPrevious}) {
      host.engine->schedules().create({.task = store::TaskId("task"),
                                       .rule = {.pattern = random() % 2 == 0 ? "* * * * *" : "*/3 * * * *",
                                                .catch_up = catch_up,
                                                .overlap = overlap},
                                       .deduplication_key = {},
                                       .external_id = {}},
                                      [](const store::Result<store::Schedule>&) {});
    }
  }
  host.core.run_until(begin + 1s);
  if (host.store->schedules(0, 100)->count != 12) return "not all schedules were made";
  faulty = random() % 2 == 0;
  const auto any_moment = [&] {
    // Most things happen near a due time.
    const store::Duration minute = 1min * static_cast<int>(1 + random() % 25);
    return begin + minute + store::Duration(static_cast<int>(random() % 40) - 10) + (random() % 4 == 0 ? 20s : 0s);
  };
  for (std::uint64_t i = random() % 12; i > 0; --i) {
    const auto down = random() % 3 == 0 ? store::Duration(random() % 300'000) : store::Duration(random() % 20);
    host.core.at(any_moment(), [&, down] {
      host.kill();
      host.core.after(down, [&] {
        host.kill();
        const bool later = std::exchange(faulty, false);  // a host that cannot recover its store does not start
        host.store->serve_again();
        host.boot();
        faulty = later;
      });
    });
  }
  for (std::uint64_t i = random() % 3; i > 0; --i) {
    host.core.at(any_moment(), [&, back = store::Duration(random() % 200'000)] {
      host.catalog = none;
      if (host.engine) host.engine->offer(none);
      host.core.after(back, [&] {
        host.catalog = all;
        if (host.engine) host.engine->offer(all);
      });
    });
  }
  host.core.run_until(begin + 32min);
  faulty = false;
  host.store->serve_again();
  if (!host.engine) return "it was never started again";
  host.core.run_until(begin + 60min + 30s);
  if (!host.wrong.empty()) return host.wrong;
  auto by = runs_by_schedule(*host.store);
  const store::SchedulePage made = host.store->schedules(0, 100).value();
  for (const store::Schedule& schedule : made.schedules) {
    std::vector<store::Time> due;
    const auto times = store::Timetable::parse(schedule.rule).value();
    for (store::Time each : times.upcoming(schedule.created_at, 200)) {
      if (each <= host.core.now()) due.push_back(each);
    }
    const std::string wrong = check(schedule, by[schedule.id], due);
    if (!wrong.empty()) return name_of(schedule) + ": " + wrong;
  }
  return {};
}

TEST(ScheduleSimulation, NoDueTimeFiresTwiceAndNoneIsLostWhateverFails) {
  const char* only = std::getenv("PERDURE_SEED");
  const std::uint64_t first = only != nullptr ? std::strtoull(only, nullptr, 10) : 1;
  const std::uint64_t count = only != nullptr ? 1 : 200;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    ASSERT_EQ(live(seed), "") << "reproduce with PERDURE_SEED=" << seed;
  }
}

TEST(ScheduleSimulation, TheCheckerCatchesADoubleAndALostTime) {
  store::Schedule schedule;
  schedule.rule.catch_up = CatchUp::kAll;
  const store::Time noon{std::chrono::hours(12)};
  store::Run run;
  run.scheduled_for = noon;
  run.created_at = noon;
  EXPECT_EQ(check(schedule, {run}, {noon}), "");
  EXPECT_NE(check(schedule, {run, run}, {noon}), "");
  EXPECT_NE(check(schedule, {run}, {noon - 1min, noon}), "");
  EXPECT_NE(check(schedule, {run}, {noon - 1min}), "");
  schedule.rule = {.overlap = Overlap::kSkip};
  store::Run next = run;
  next.scheduled_for = noon + 1min;
  EXPECT_NE(check(schedule, {run, next}, {noon, noon + 1min}), "") << "the first is unfinished";
  run.finished_at = noon;
  EXPECT_EQ(check(schedule, {run, next}, {noon, noon + 1min}), "");
}

}  // namespace
}  // namespace perdure::engine::testing
