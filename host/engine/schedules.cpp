// Firing: who is due, and what comes of it. See schedules.h.
#include "host/engine/schedules.h"

#include <utility>
#include <vector>

#include "host/engine/schedule_payload.h"

namespace perdure::engine {

namespace {

constexpr std::size_t kAtOnce = 64;  // commits that the store has not answered
constexpr std::chrono::seconds kAgain{10};

store::NewRun run_of(const store::Schedule& schedule, const store::DueRun& due, const store::Timetable& times,
                     const catalog::Task& task, store::Time now) {
  store::NewRun run;
  run.id = store::new_run_id(now);
  run.task = schedule.task;
  run.queue = task.options.queue.empty() ? store::QueueName("task/" + schedule.task.text()) : task.options.queue;
  run.now = now;
  run.options.ttl = task.options.ttl;
  run.options.payload_type = "application/json";
  run.payload = schedule_payload(schedule, due, times);
  run.schedule = schedule.id;
  run.scheduled_for = due.due;
  return run;
}

}  // namespace

Schedules::Schedules(Core& core, store::Store& store, Surroundings around)
    : core_(core),
      store_(store),
      around_(std::move(around)),
      timer_(core.timer([this] { look(); })),
      again_(core.timer([this] {
        for (const store::ScheduleId& id : std::exchange(failed_, {})) look_at(id);
        pump();
      })) {}

void Schedules::start() {
  started_ = true;
  store_serves();
}

void Schedules::store_serves() {
  if (!started_ || stopped_) return;
  declare();
  for (const store::ScheduleId& id : store_.busy_schedules()) look_at(id);
  for (const store::ScheduleId& id : std::exchange(failed_, {})) look_at(id);
  seen_ = store::Time::min();
  look();
}

void Schedules::offered() {
  if (!started_ || stopped_) return;
  declare();
  const catalog::SnapshotPtr catalog = around_.catalog();
  for (auto at = not_offered_.begin(); at != not_offered_.end();) {
    if (!catalog->tasks.contains(at->first)) {
      ++at;
      continue;
    }
    for (const store::ScheduleId& id : at->second) look_at(id);
    at = not_offered_.erase(at);
  }
  pump();
}

void Schedules::look() {
  if (!started_ || stopped_ || !store_.health()) return;
  const store::Time now = core_.now();
  for (const store::ScheduleId& id : store_.due_schedules(seen_, now)) look_at(id);
  seen_ = now;  // earlier than before when the clock was set back
  pump();
  set_timer();
}

void Schedules::set_timer() { timer_->set(store_.next_schedule_due(seen_)); }

void Schedules::look_at(const store::ScheduleId& id) {
  if (in_line_.insert(id).second) to_look_at_.push_back(id);
}

void Schedules::pump() {
  if (std::exchange(pumping_, true)) return;
  while (!stopped_ && !to_look_at_.empty() && firing_.size() < kAtOnce) {
    const store::ScheduleId id = std::move(to_look_at_.front());
    to_look_at_.pop_front();
    in_line_.erase(id);
    step(id);
  }
  pumping_ = false;
}

void Schedules::step(const store::ScheduleId& id) {
  if (firing_.contains(id)) return;  // looked at once more when that is answered
  const auto schedule = store_.schedule(id);
  if (!schedule) {
    if (schedule.status().code() == store::Code::kCorruption) around_.warn(schedule.status().message());
    return;  // deleted, or read again once the store serves
  }
  const catalog::SnapshotPtr catalog = around_.catalog();
  const auto task = catalog->tasks.find(schedule->task);
  if (task == catalog->tasks.end()) {
    not_offered_[schedule->task].insert(id);
    return;
  }
  const auto times = store::Timetable::parse(schedule->rule);
  if (!times) {
    return around_.warn("Schedule " + id.text() + " of the task '" + schedule->task.text() +
                        "' cannot fire: " + times.status().message());
  }
  const bool matters = schedule->waiting || schedule->rule.overlap != store::Overlap::kAllow;
  bool over = !matters || last_over(*schedule);
  if (schedule->active && schedule->waiting && !over) over = await_last(*schedule);
  std::optional<store::Firing> firing = store::fire_now(*schedule, *times, core_.now(), over);
  if (firing) fire(std::move(*firing), *times, task->second);
}

bool Schedules::last_over(const store::Schedule& schedule) const {
  if (schedule.last_run.empty()) return true;
  const auto run = store_.run(schedule.last_run);
  return run ? store::is_final(run->status) : run.status().code() == store::Code::kNotFound;
}

// Whether the last run is over after all; else its end is heard of.
bool Schedules::await_last(const store::Schedule& schedule) {
  {
    const std::lock_guard lock(watched_mutex_);
    watched_[schedule.last_run] = schedule.id;
    watching_ = watched_.size();
  }
  if (last_over(schedule)) return true;
  if (schedule.rule.overlap == store::Overlap::kCancelPrevious) {
    around_.cancel(schedule.last_run, "Its schedule " + schedule.id.text() + " is due again.");
  }
  return false;
}

void Schedules::run_over(const store::RunId& run) {
  store::ScheduleId schedule;
  {
    const std::lock_guard lock(watched_mutex_);
    const auto found = watched_.find(run);
    if (found == watched_.end()) return;
    schedule = std::move(found->second);
    watched_.erase(found);
    watching_ = watched_.size();
  }
  core_.post([this, alive = std::weak_ptr(alive_), schedule] {
    if (alive.expired()) return;
    look_at(schedule);
    pump();
  });
}

void Schedules::fire(store::Firing firing, const store::Timetable& times, const catalog::Task& task) {
  const store::Time now = core_.now();
  std::vector<store::NewRun> runs;
  runs.reserve(firing.runs.size());
  for (const store::DueRun& due : firing.runs) runs.push_back(run_of(firing.schedule, due, times, task, now));
  if (!runs.empty() && !firing.backfilled) firing.schedule.last_run = runs.back().id;
  const store::ScheduleId id = firing.schedule.id;
  firing_.insert(id);
  store_.fire_schedule(
      std::move(firing.schedule), std::move(runs),
      [this, core = &core_, alive = std::weak_ptr(alive_), id](const store::Result<store::Schedule>& answer) {
        core->run([this, alive, id, answer] {
          if (!alive.expired()) fired(id, answer);
        });
      });
}

void Schedules::fired(const store::ScheduleId& id, const store::Result<store::Schedule>& answer) {
  firing_.erase(id);
  switch (answer.status().code()) {
    case store::Code::kOk:
    case store::Code::kConflict:  // somebody changed it meanwhile
      if (answer) {
        changed(*answer);
      } else {
        look_at(id);
      }
      break;
    case store::Code::kNotFound:  // deleted meanwhile
      break;
    case store::Code::kNoSpace:
    case store::Code::kIo:
    case store::Code::kUnavailable:
      failed_.insert(id);
      again_->after(kAgain);
      break;
    default:
      around_.warn("Schedule " + id.text() + " did not fire: " + answer.status().message());
  }
  pump();
}

}  // namespace perdure::engine
