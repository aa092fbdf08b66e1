// Random operations on schedules; see random_operations.h.
#include <algorithm>

#include "tests/store/conformance/random_operations.h"
#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

constexpr std::uint64_t kGrid = 100;  // due times are multiples of so many milliseconds

template <class T>
void expect_same(const Result<T>& subject, const Result<T>& reference, const char* what) {
  ASSERT_EQ(code_name(subject.status().code()), code_name(reference.status().code()))
      << what << ": " << subject.status().message() << reference.status().message();
  if (!subject) return;
  EXPECT_TRUE(*subject == *reference) << what;
}

}  // namespace

ScheduleId RandomOperations::some_schedule() {
  return schedules_.empty() || one_in(30) ? new_schedule_id(now_) : schedules_[below(schedules_.size())];
}

void RandomOperations::schedule(Store& store) {
  const ScheduleId id = some_schedule();
  const Result<Schedule> stored = store.schedule(id);
  expect_same(stored, reference_.schedule(id), "schedule");
  if (one_in(25)) {
    const Status subject = delete_schedule(store, id), reference = delete_schedule(reference_, id);
    EXPECT_EQ(code_name(subject.code()), code_name(reference.code())) << subject.message();
    return;
  }
  if (stored && !one_in(4)) return fire(store, *stored);

  Schedule schedule;
  schedule.id = new_schedule_id(now_);
  schedule.task = TaskId(pick("task", 3));
  schedule.created_at = now_;
  if (stored && one_in(2)) schedule = *stored;
  if (one_in(4)) schedule.type = static_cast<ScheduleType>(1 + below(2));
  if (one_in(3)) schedule.deduplication_key = one_in(3) ? "" : pick("key", 4);
  schedule.external_id = pick("user", 3);
  schedule.updated_at = now_;
  schedule.active = !one_in(4);
  schedule.next_due = now_ + Duration(below(400));
  schedule.next_at = *schedule.next_due + Duration(below(50));
  if (one_in(8)) schedule.next_due = schedule.next_at = std::nullopt;
  if (one_in(10)) schedule.revision = below(3);
  const Result<Schedule> subject = put_schedule(store, schedule), reference = put_schedule(reference_, schedule);
  expect_same(subject, reference, "put_schedule");
  if (subject && std::ranges::find(schedules_, schedule.id) == schedules_.end()) schedules_.push_back(schedule.id);
}

void RandomOperations::fire(Store& store, Schedule schedule) {
  std::vector<NewRun> runs;
  Time due{Duration(now_.time_since_epoch().count() / kGrid * kGrid)};
  for (std::uint64_t i = below(3); i > 0; --i, due += Duration(one_in(20) ? 0 : kGrid)) {
    NewRun run;
    run.id = new_run_id(now_);
    run.task = schedule.task;
    run.queue = QueueName("queue");
    run.now = now_;
    run.payload = "{}";
    run.schedule = schedule.id;
    run.scheduled_for = due;
    runs.push_back(std::move(run));
  }
  if (!runs.empty()) {
    schedule.last_run = runs.back().id;
    schedule.last_due = runs.back().scheduled_for;
  }
  schedule.next_due = schedule.next_at = now_ + Duration(below(300));
  schedule.waiting = one_in(5) ? std::optional(now_) : std::nullopt;
  schedule.backfill = one_in(8) ? std::optional(Backfill{now_, now_}) : std::nullopt;
  if (one_in(15)) --schedule.revision;
  const Result<Schedule> subject = fire_schedule(store, schedule, runs);
  expect_same(subject, fire_schedule(reference_, schedule, runs), "fire_schedule");
  if (!subject) return;
  for (const NewRun& run : runs) {
    expect_same(store.fired(schedule.id, *run.scheduled_for), reference_.fired(schedule.id, *run.scheduled_for),
                "fired");
    if (store.run(run.id)) runs_.push_back(run.id);
  }
}

void RandomOperations::compare_schedules(Store& store) {
  for (const ScheduleId& id : schedules_) expect_same(store.schedule(id), reference_.schedule(id), "schedule");
  for (std::uint64_t i = 0; i < 4; ++i) {
    const std::string key = "key" + std::to_string(i);
    expect_same(store.schedule_with_key(key), reference_.schedule_with_key(key), "schedule_with_key");
  }
  expect_same(store.declared_schedules(), reference_.declared_schedules(), "declared_schedules");
  const std::size_t skip = below(5), limit = below(20);
  const Result<SchedulePage> subject = store.schedules(skip, limit), reference = reference_.schedules(skip, limit);
  ASSERT_TRUE(subject && reference);
  EXPECT_EQ(subject->count, reference->count);
  EXPECT_TRUE(subject->schedules == reference->schedules);
  const Time after = one_in(2) ? Time::min() : now_;
  EXPECT_EQ(store.next_schedule_due(after), reference_.next_schedule_due(after));
  EXPECT_EQ(store.due_schedules(after, now_ + Duration(200)), reference_.due_schedules(after, now_ + Duration(200)));
  EXPECT_EQ(store.busy_schedules(), reference_.busy_schedules());
}

}  // namespace perdure::store::conformance
