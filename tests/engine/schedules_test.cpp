// Schedules in the engine: what fires when, what tasks declare, what is asked for, and what a killed host leaves.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "store/model/timestamp.h"
#include "tests/engine/host_simulation.h"

namespace perdure::engine::testing {
namespace {

using namespace std::chrono_literals;
using store::CatchUp;
using store::Overlap;
using store::Schedule;
using store::Time;
using Due = std::vector<std::string>;

// A catalog whose tasks have the schedule.
catalog::SnapshotPtr declaring(const std::vector<std::string>& tasks, const std::optional<store::ScheduleRule>& rule) {
  auto snapshot = std::make_shared<catalog::Snapshot>(*catalog_of(tasks));
  for (auto& [id, task] : snapshot->tasks) task.options.cron = rule;
  offer_version(*snapshot, snapshot->tasks);
  catalog::PluginVersion plugin;
  plugin.name = "simulated";
  plugin.state = catalog::VersionState::kServing;
  snapshot->plugins.push_back(plugin);
  return snapshot;
}

std::shared_ptr<catalog::Snapshot> nothing_loaded() {
  auto snapshot = std::make_shared<catalog::Snapshot>();
  snapshot->loaded = true;
  return snapshot;
}

const store::ScheduleRule kMinutely{.pattern = "* * * * *"};

class SchedulesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    host_ = std::make_unique<HostSimulation>(HostSimulation::Options{
        .concurrency = 4,
        .script =
            [this](const process::AttemptSpec&) {
              Ending ending;
              ending.takes = takes_;
              ending.result.output = "null";
              return ending;
            },
        .fault =
            [this](std::string_view operation) { return operation == failing_ ? failure_ : store::Status::ok(); }});
    host_->boot();
    pass(1s);
  }

  void pass(store::Duration time) { host_->core.run_until(host_->core.now() + time); }
  void offer(catalog::SnapshotPtr catalog) {
    host_->catalog = std::move(catalog);
    host_->engine->offer(host_->catalog);
  }
  void restart_after(store::Duration down) {
    host_->kill();
    pass(down);
    host_->boot();
  }

  Schedule created(const store::ScheduleRule& rule = kMinutely, const std::string& key = "key",
                   const std::string& task = "task") {
    return answered<Schedule>([&](const store::Done<Schedule>& done) {
      host_->engine->schedules().create(
          {.task = store::TaskId(task), .rule = rule, .deduplication_key = key, .external_id = "user"}, done);
    });
  }
  template <class T>
  store::Result<T> result(const std::function<void(store::Done<T>)>& ask) {
    std::optional<store::Result<T>> answer;
    ask([&](const store::Result<T>& given) { answer = given; });
    while (!answer && host_->core.step()) continue;
    return answer ? *answer : store::Status::unavailable("no answer");
  }
  template <class T>
  T answered(const std::function<void(store::Done<T>)>& ask) {
    const store::Result<T> answer = result<T>(ask);
    EXPECT_TRUE(answer) << answer.status().message();
    return answer ? *answer : T();
  }
  Schedule set_active(const store::ScheduleId& id, bool active) {
    return answered<Schedule>(
        [&](const store::Done<Schedule>& done) { host_->engine->schedules().set_active(id, active, done); });
  }
  store::Result<BackfillBegun> backfill(const store::ScheduleId& id, Time from, Time until) {
    return result<BackfillBegun>(
        [&](const store::Done<BackfillBegun>& done) { host_->engine->schedules().backfill(id, from, until, done); });
  }
  store::Status removed(const store::ScheduleId& id) {
    return result<bool>([&](const store::Done<bool>& done) {
             host_->engine->schedules().remove(id, [done](const store::Status& status) {
               done(status ? store::Result<bool>(true) : store::Result<bool>(status));
             });
           })
        .status();
  }

  std::vector<store::Run> runs(const store::ScheduleId& id) {
    store::RunFilter filter;
    filter.schedules = {id};
    filter.limit = 100;
    std::vector<store::Run> all = host_->store->list(filter)->runs;
    std::ranges::reverse(all);
    return all;
  }
  // For which due times there are runs, oldest run first.
  Due due(const store::ScheduleId& id) {
    Due times;
    for (const store::Run& run : runs(id)) times.push_back(store::format_time(*run.scheduled_for).substr(11, 5));
    return times;
  }
  Schedule stored(const store::ScheduleId& id) { return host_->store->schedule(id).value(); }
  std::vector<Schedule> declared() { return host_->store->declared_schedules().value(); }
  Time at(const std::string& clock) {
    return store::parse_time(store::format_time(start_).substr(0, 11) + clock + ":00Z").value();
  }

  store::Duration takes_{10};
  std::string failing_;
  store::Status failure_ = store::Status::io("injected");
  std::unique_ptr<HostSimulation> host_;
  const Time start_{std::chrono::milliseconds(1'800'000'000'000)};  // 2027-01-15 08:00
};

TEST_F(SchedulesTest, AScheduleFiresAtEachOfItsTimesWithThePayloadOfTheContract) {
  const Schedule schedule = created({.pattern = "*/2 * * * *", .timezone = "Europe/Berlin"});
  pass(5min);
  EXPECT_EQ(due(schedule.id), (Due{"08:02", "08:04"}));
  const std::vector<store::Run> all = runs(schedule.id);
  EXPECT_EQ(all[0].status, store::RunStatus::kCompleted);
  EXPECT_EQ(all[0].queue, store::QueueName("task/task"));
  EXPECT_LT(all[0].created_at - *all[0].scheduled_for, 100ms);
  EXPECT_EQ(boost::json::parse(host_->store->payload(all[1].id).value()),
            boost::json::parse(R"({"type":"IMPERATIVE","timestamp":"2027-01-15T08:04:00.000Z",
              "lastTimestamp":"2027-01-15T08:02:00.000Z","timezone":"Europe/Berlin","scheduleId":")" +
                               schedule.id.text() + R"(","externalId":"user","upcoming":["2027-01-15T08:06:00.000Z",
              "2027-01-15T08:08:00.000Z","2027-01-15T08:10:00.000Z","2027-01-15T08:12:00.000Z",
              "2027-01-15T08:14:00.000Z"]})"));
  EXPECT_EQ(boost::json::parse(host_->store->payload(all[0].id).value()).as_object().count("lastTimestamp"), 0u);
  EXPECT_EQ(stored(schedule.id).last_run, all[1].id);
}

TEST_F(SchedulesTest, ADeduplicationKeyChangesTheScheduleThatHasIt) {
  const Schedule first = created();
  const Schedule again = created({.pattern = "*/5 * * * *"});
  EXPECT_EQ(again.id, first.id);
  EXPECT_EQ(again.next_due, at("08:05"));
  EXPECT_NE(created(kMinutely, "another").id, first.id);
  EXPECT_NE(created(kMinutely, "").id, created(kMinutely, "").id) << "no key is no key that two share";
  pass(3min);
  EXPECT_EQ(due(first.id), Due());
}

TEST_F(SchedulesTest, WhatCannotBeIsRefusedInWords) {
  const auto refusal = [&](const store::ScheduleRule& rule, const std::string& task) {
    return result<Schedule>([&](const store::Done<Schedule>& done) {
             host_->engine->schedules().create(
                 {.task = store::TaskId(task), .rule = rule, .deduplication_key = "k", .external_id = {}}, done);
           })
        .status();
  };
  EXPECT_EQ(refusal({.pattern = "99 * * * *"}, "task").code(), store::Code::kInvalid);
  EXPECT_EQ(refusal({.pattern = "* * * * *", .timezone = "Mars/Base"}, "task").code(), store::Code::kInvalid);
  const store::Status unknown = refusal(kMinutely, "nobody's");
  EXPECT_EQ(unknown.code(), store::Code::kInvalid);
  EXPECT_NE(unknown.message().find("nobody's"), std::string::npos);
  EXPECT_EQ(host_->store->schedules(0, 10)->count, 0u);
  const store::ScheduleId none = store::new_schedule_id(start_);
  EXPECT_EQ(removed(none).code(), store::Code::kNotFound);
  EXPECT_EQ(backfill(none, start_, start_).status().code(), store::Code::kNotFound);
}

TEST_F(SchedulesTest, AnInactiveScheduleFiresNothingAndMissesNothing) {
  const Schedule schedule = created();
  pass(2min);
  EXPECT_FALSE(set_active(schedule.id, false).active);
  pass(5min);
  EXPECT_EQ(due(schedule.id), (Due{"08:01", "08:02"}));
  EXPECT_EQ(set_active(schedule.id, true).next_due, at("08:08"));
  pass(1min);
  EXPECT_EQ(due(schedule.id), (Due{"08:01", "08:02", "08:08"}));
}

TEST_F(SchedulesTest, ADeletedScheduleFiresNoMoreAndItsRunsStay) {
  const Schedule schedule = created();
  pass(1min);
  EXPECT_TRUE(removed(schedule.id));
  pass(5min);
  EXPECT_EQ(due(schedule.id), Due{"08:01"});
}

TEST_F(SchedulesTest, ThousandsAreDueInTheSameSecondAndEachFiresOnce) {
  std::vector<store::ScheduleId> all;
  for (int i = 0; i < 2000; ++i) all.push_back(created({.pattern = "1 * * * *"}, std::to_string(i)).id);
  pass(90s);
  std::size_t fired = 0;
  for (const store::ScheduleId& id : all) fired += runs(id).size();
  EXPECT_EQ(fired, all.size());
}

// ---- Missed times -----------------------------------------------------------------------------------------------

TEST_F(SchedulesTest, WhatWasMissedWhileTheHostWasDownFiresAsItsCatchUpSays) {
  const Schedule latest = created({.pattern = "* * * * *", .catch_up = CatchUp::kLatest}, "latest");
  const Schedule all = created({.pattern = "* * * * *", .catch_up = CatchUp::kAll}, "all");
  const Schedule none = created({.pattern = "* * * * *", .catch_up = CatchUp::kNone}, "none");
  pass(1min);
  restart_after(4min + 30s);  // 08:05:31, so that 08:05 is less than a minute ago
  pass(10s);
  EXPECT_EQ(due(latest.id), (Due{"08:01", "08:05"}));
  EXPECT_EQ(due(all.id), (Due{"08:01", "08:02", "08:03", "08:04", "08:05"}));
  EXPECT_EQ(due(none.id), (Due{"08:01", "08:05"}));
  pass(1min);
  EXPECT_EQ(due(latest.id), (Due{"08:01", "08:05", "08:06"}));
}

TEST_F(SchedulesTest, LongMissedTimesOfOneThatCatchesUpNoneDoNotFire) {
  const Schedule none = created({.pattern = "*/10 * * * *", .catch_up = CatchUp::kNone});
  restart_after(25min);
  pass(10s);
  EXPECT_EQ(due(none.id), Due());
  pass(5min);
  EXPECT_EQ(due(none.id), Due{"08:30"});
}

TEST_F(SchedulesTest, ADrainingHostFiresNothingAndTheNextCatchesUp) {
  const Schedule schedule = created({.pattern = "* * * * *", .catch_up = CatchUp::kAll});
  host_->engine->drain([] {});
  pass(2min);
  EXPECT_EQ(due(schedule.id), Due());
  restart_after(10s);
  pass(1s);
  EXPECT_EQ(due(schedule.id), (Due{"08:01", "08:02"}));
}

TEST_F(SchedulesTest, AClockSetForwardIsTimeThatWasMissedAndOneSetBackFiresNothingAgain) {
  const Schedule schedule = created();
  pass(2min);
  host_->core.set_clock(at("09:30"));
  pass(1s);
  EXPECT_EQ(due(schedule.id), (Due{"08:01", "08:02", "09:30"}));
  host_->core.set_clock(at("08:01"));
  pass(10min);
  EXPECT_EQ(due(schedule.id), (Due{"08:01", "08:02", "09:30"}));
  created({.pattern = "*/2 * * * *"});  // a change does not bring back what fired either
  pass(1h + 20min);
  EXPECT_EQ(due(schedule.id), (Due{"08:01", "08:02", "09:30"})) << "it is 09:31";
  pass(1min);
  EXPECT_EQ(due(schedule.id), (Due{"08:01", "08:02", "09:30", "09:32"}));
}

TEST_F(SchedulesTest, AScheduleMadeAfterTheClockWasSetBackFiresByTheNewTime) {
  created();
  host_->core.set_clock(at("12:00"));
  pass(2min);
  host_->core.set_clock(at("09:00"));
  const Schedule schedule = created(kMinutely, "later");
  pass(2min);
  EXPECT_EQ(due(schedule.id), (Due{"09:01", "09:02"}));
}

TEST_F(SchedulesTest, WhatTheStoreRefusesFiresOnceItDoesNot) {
  const Schedule schedule = created({.pattern = "* * * * *", .catch_up = CatchUp::kAll});
  failing_ = "fire_schedule";
  pass(3min);
  EXPECT_EQ(due(schedule.id), Due());
  failing_.clear();
  host_->store->serve_again();
  pass(1s);
  EXPECT_EQ(due(schedule.id), (Due{"08:01", "08:02", "08:03"}));
}

// ---- Overlap ----------------------------------------------------------------------------------------------------

TEST_F(SchedulesTest, RunsOverlapUnlessTheScheduleSaysOtherwise) {
  takes_ = 150s;
  const Schedule allow = created({.pattern = "* * * * *", .overlap = Overlap::kAllow}, "allow");
  const Schedule skip = created({.pattern = "* * * * *", .overlap = Overlap::kSkip}, "skip");
  pass(4min + 30s);
  EXPECT_EQ(due(allow.id), (Due{"08:01", "08:02", "08:03", "08:04"}));
  EXPECT_EQ(due(skip.id), (Due{"08:01", "08:04"}));
}

TEST_F(SchedulesTest, QueueOneFiresTheFirstSkippedTimeWhenTheLastRunIsOver) {
  takes_ = 150s;
  const Schedule schedule = created({.pattern = "* * * * *", .overlap = Overlap::kQueueOne});
  pass(3min + 15s);  // the first run executes until 08:03:30
  EXPECT_EQ(due(schedule.id), Due{"08:01"});
  EXPECT_EQ(stored(schedule.id).waiting, at("08:02"));
  pass(20s);
  EXPECT_EQ(due(schedule.id), (Due{"08:01", "08:02"}));
  pass(30s);  // 08:04 waits
  pass(150s);
  EXPECT_EQ(due(schedule.id), (Due{"08:01", "08:02", "08:04"}));
}

TEST_F(SchedulesTest, CancelPreviousEndsTheLastRunAndFiresOnceItIsOver) {
  takes_ = 1h;
  const Schedule schedule = created({.pattern = "* * * * *", .overlap = Overlap::kCancelPrevious});
  pass(3min + 30s);
  EXPECT_EQ(due(schedule.id), (Due{"08:01", "08:02", "08:03"}));
  const std::vector<store::Run> all = runs(schedule.id);
  EXPECT_EQ(all[0].status, store::RunStatus::kCanceled);
  EXPECT_EQ(all[1].status, store::RunStatus::kCanceled);
  EXPECT_EQ(all[2].status, store::RunStatus::kExecuting);
  EXPECT_GE(all[1].created_at, *all[0].finished_at);
}

TEST_F(SchedulesTest, WhatWaitsForTheLastRunIsNotLostWithTheHost) {
  for (const Overlap overlap : {Overlap::kQueueOne, Overlap::kCancelPrevious}) {
    takes_ = 150s;
    const Schedule schedule = created({.pattern = "*/4 * * * *", .overlap = overlap}, {});
    pass(5min);
    takes_ = 1h;
    Schedule waits = stored(schedule.id);
    const std::size_t before = runs(schedule.id).size();
    waits.waiting = *waits.last_due + 1min;  // as if another time had come while it executes
    host_->store->put_schedule(waits, [](const store::Result<Schedule>&) {});
    host_->kill();
    host_->boot();
    pass(1s);
    EXPECT_EQ(stored(schedule.id).waiting.has_value(), overlap == Overlap::kQueueOne) << overlap_name(overlap);
    EXPECT_EQ(runs(schedule.id).size(), before + (overlap == Overlap::kQueueOne ? 0 : 1)) << overlap_name(overlap);
    ASSERT_TRUE(removed(schedule.id));
  }
}

TEST_F(SchedulesTest, DeactivatingForgetsWhatWaits) {
  takes_ = 150s;
  const Schedule schedule = created({.pattern = "* * * * *", .overlap = Overlap::kQueueOne});
  pass(2min + 10s);
  ASSERT_TRUE(stored(schedule.id).waiting);
  set_active(schedule.id, false);
  pass(10min);
  EXPECT_EQ(due(schedule.id), Due{"08:01"});
}

// ---- Declared by tasks ------------------------------------------------------------------------------------------

TEST_F(SchedulesTest, ATaskThatHasACronFiresFromWhenItIsLoaded) {
  offer(declaring({"task"}, kMinutely));
  pass(2min);
  ASSERT_EQ(declared().size(), 1u);
  const Schedule schedule = declared()[0];
  EXPECT_EQ(schedule.type, store::ScheduleType::kDeclarative);
  EXPECT_EQ(schedule.declared_by, "simulated");
  EXPECT_EQ(due(schedule.id), (Due{"08:01", "08:02"}));
  const std::string payload = host_->store->payload(runs(schedule.id)[0].id).value();
  EXPECT_NE(payload.find(R"("type":"DECLARATIVE")"), std::string::npos) << payload;
}

TEST_F(SchedulesTest, ALoadThatChangesNothingWritesNothing) {
  offer(declaring({"task"}, kMinutely));
  pass(90s);
  const Schedule before = declared()[0];
  offer(declaring({"task"}, kMinutely));
  restart_after(1s);
  pass(1s);
  EXPECT_EQ(declared(), std::vector<Schedule>{before});
}

TEST_F(SchedulesTest, ALoadThatChangesTheCronChangesTheSchedule) {
  offer(declaring({"task"}, kMinutely));
  pass(90s);
  const store::ScheduleId id = declared()[0].id;
  offer(declaring({"task"}, store::ScheduleRule{.pattern = "*/3 * * * *"}));
  pass(5min);
  ASSERT_EQ(declared().size(), 1u);
  EXPECT_EQ(declared()[0].id, id);
  EXPECT_EQ(due(id), (Due{"08:01", "08:03", "08:06"}));
}

TEST_F(SchedulesTest, AVersionWithoutTheCronOrTheTaskRemovesTheSchedule) {
  for (const bool task_stays : {true, false}) {
    offer(declaring({"task"}, kMinutely));
    pass(61s);
    ASSERT_EQ(declared().size(), 1u);
    offer(declaring({task_stays ? "task" : "another"}, std::nullopt));
    pass(3min);
    EXPECT_TRUE(declared().empty()) << task_stays;
    EXPECT_EQ(host_->store->next_schedule_due(Time::min()), std::nullopt);
  }
}

TEST_F(SchedulesTest, WhileItsPluginIsGoneAScheduleStaysAndItsTimesCountAsMissed) {
  offer(declaring({"task"}, kMinutely));
  pass(61s);
  const store::ScheduleId id = declared()[0].id;
  offer(nothing_loaded());
  pass(5min);
  ASSERT_EQ(declared().size(), 1u);
  EXPECT_EQ(due(id), Due{"08:01"});
  EXPECT_EQ(host_->store->counts().at(store::RunStatus::kPendingVersion), 0u);
  offer(declaring({"task"}, kMinutely));
  pass(10s);
  EXPECT_EQ(due(id), (Due{"08:01", "08:06"}));
  pass(1min);
  EXPECT_EQ(due(id), (Due{"08:01", "08:06", "08:07"}));
}

TEST_F(SchedulesTest, ADeclaredScheduleIsChangedWhereItsTaskIsButMayBeStopped) {
  offer(declaring({"task"}, kMinutely));
  pass(1s);
  const store::ScheduleId id = declared()[0].id;
  const auto changed = result<Schedule>([&](const store::Done<Schedule>& done) {
    host_->engine->schedules().change(
        id, {.task = store::TaskId("task"), .rule = kMinutely, .deduplication_key = {}, .external_id = {}}, done);
  });
  EXPECT_EQ(changed.status().code(), store::Code::kInvalid);
  EXPECT_EQ(removed(id).code(), store::Code::kInvalid);
  set_active(id, false);
  offer(declaring({"task"}, store::ScheduleRule{.pattern = "*/2 * * * *"}));
  restart_after(1s);
  pass(5min);
  EXPECT_FALSE(declared()[0].active);
  EXPECT_EQ(due(id), Due());
  offer(nothing_loaded());
  EXPECT_TRUE(removed(id)) << "nobody would bring it back";
}

// ---- Backfill ---------------------------------------------------------------------------------------------------

TEST_F(SchedulesTest, ABackfillRunsThePastTimesOnceAndNoneThatFired) {
  const Schedule schedule = created({.pattern = "*/5 * * * *"});
  pass(11min);
  ASSERT_EQ(due(schedule.id), (Due{"08:05", "08:10"}));
  const auto begun = backfill(schedule.id, at("07:45"), at("09:00"));
  ASSERT_TRUE(begun) << begun.status().message();
  EXPECT_EQ(begun->due_times, 6u) << "those to come are not counted";
  pass(1s);
  EXPECT_EQ(due(schedule.id), (Due{"08:05", "08:10", "07:45", "07:50", "07:55", "08:00"}));
  ASSERT_TRUE(backfill(schedule.id, at("07:40"), at("08:00")));
  pass(1s);
  EXPECT_EQ(due(schedule.id), (Due{"08:05", "08:10", "07:45", "07:50", "07:55", "08:00", "07:40"}));
  pass(4min);
  EXPECT_EQ(due(schedule.id).back(), "08:15");
}

TEST_F(SchedulesTest, ABackfillOfThousandsSurvivesItsHostAndFiresEachTimeOnce) {
  const Schedule schedule = created({.pattern = "* * * * *"});
  ASSERT_TRUE(backfill(schedule.id, at("00:00") - 24h, at("00:00")));
  EXPECT_EQ(backfill(schedule.id, at("00:00") - 48h, at("00:00")).status().code(), store::Code::kConflict);
  int kills = 0;
  while (stored(schedule.id).backfill) {
    for (int i = 0; i < 7; ++i) ASSERT_TRUE(host_->core.step());
    host_->kill();
    host_->boot();
    ++kills;
  }
  EXPECT_GT(kills, 10);
  pass(10s);
  for (Time due = at("00:00") - 24h; due <= at("00:00"); due += 1min) {
    EXPECT_TRUE(host_->store->fired(schedule.id, due)) << store::format_time(due);
  }
  std::uint64_t count = 0;
  for (const auto& [status, runs] : host_->store->counts()) count += runs;
  EXPECT_EQ(count, 24u * 60 + 1);
}

TEST_F(SchedulesTest, ABackfillThatIsNoneIsRefused) {
  const Schedule schedule = created();
  EXPECT_EQ(backfill(schedule.id, at("10:00"), at("11:00")).status().code(), store::Code::kInvalid);
  EXPECT_EQ(backfill(schedule.id, at("07:00"), at("06:00")).status().code(), store::Code::kInvalid);
  const store::Status endless = backfill(schedule.id, Time{}, at("08:00")).status();
  EXPECT_EQ(endless.code(), store::Code::kInvalid);
  EXPECT_NE(endless.message().find("100000"), std::string::npos) << endless.message();
}

TEST_F(SchedulesTest, DeactivatingEndsABackfillWhichMayBeBegunWhileInactive) {
  const Schedule schedule = created();
  set_active(schedule.id, false);
  ASSERT_TRUE(backfill(schedule.id, at("07:00"), at("07:02")));
  pass(1s);
  EXPECT_EQ(due(schedule.id), (Due{"07:00", "07:01", "07:02"}));
  ASSERT_TRUE(backfill(schedule.id, at("00:00") - 24h, at("00:00")));
  set_active(schedule.id, false);
  pass(1min);
  EXPECT_FALSE(stored(schedule.id).backfill);
  EXPECT_LT(host_->store->counts().at(store::RunStatus::kCompleted), 1000u);
}

}  // namespace
}  // namespace perdure::engine::testing
