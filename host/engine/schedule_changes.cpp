// What is asked for about schedules; see schedule_control.h.
#include <utility>

#include "host/engine/schedules.h"
#include "store/model/timestamp.h"

namespace perdure::engine {

namespace {

constexpr store::Duration kInstant{1};

bool is_declared(const store::Schedule& schedule) { return schedule.type == store::ScheduleType::kDeclarative; }

store::Status declared(const store::Schedule& schedule, const std::string& what) {
  return store::Status::invalid("Schedule " + schedule.id.text() + " is declared by the task '" + schedule.task.text() +
                                "' of the plugin '" + schedule.declared_by + "'; " + what);
}

}  // namespace

template <class T>
void Schedules::on_core(store::Done<T> done, std::function<void(store::Done<T>)> work) {
  core_.run([this, alive = std::weak_ptr(alive_), done = std::move(done), work = std::move(work)] {
    if (alive.expired() || stopped_) return done(store::Status::unavailable("The host is stopping."));
    if (!started_) {
      return done(store::Status::unavailable("The host is still opening its store; try again in a moment."));
    }
    work(done);
  });
}

store::Status Schedules::check_task(const store::TaskId& task) const {
  const catalog::SnapshotPtr catalog = around_.catalog();
  if (catalog->tasks.contains(task) || catalog->known->contains(task)) return store::Status::ok();
  if (!catalog->loaded) {
    return store::Status::unavailable("The host is still loading its plugins; try again in a moment.");
  }
  return store::Status::invalid("No loaded plugin offers the task '" + task.text() +
                                "'; `perdure tasks list` shows those there are.");
}

void Schedules::put(store::Schedule schedule, store::Done<store::Schedule> done) {
  store_.put_schedule(std::move(schedule), [this, core = &core_, alive = std::weak_ptr(alive_),
                                            done = std::move(done)](const store::Result<store::Schedule>& answer) {
    if (answer) {
      core->run([this, alive, schedule = *answer] {
        if (alive.expired()) return;
        changed(schedule);
        pump();
      });
    }
    done(answer);
  });
}

// What it is now may be something to do at once, or earlier than everything else.
void Schedules::changed(const store::Schedule& schedule) {
  const store::Time now = core_.now();
  const bool due = schedule.active && schedule.next_at && *schedule.next_at <= now;
  if (due || schedule.waiting || schedule.backfill) look_at(schedule.id);
  if (seen_ > now) seen_ = now;  // the clock was set back
  set_timer();
}

// Sets what `request` says and stores it.
void Schedules::write(store::Schedule schedule, const ScheduleRequest& request, store::Done<store::Schedule> done) {
  const auto times = store::Timetable::parse(request.rule);
  if (!times) return done(times.status());
  schedule.task = request.task;
  schedule.rule = request.rule;
  schedule.external_id = request.external_id;
  schedule.updated_at = core_.now();
  store::plan_next(schedule, *times, core_.now());
  put(std::move(schedule), std::move(done));
}

void Schedules::create(ScheduleRequest request, store::Done<store::Schedule> done) {
  on_core<store::Schedule>(std::move(done), [this, request = std::move(request)](store::Done<store::Schedule> answer) {
    if (store::Status known = check_task(request.task); !known) return answer(known);
    store::Result<store::Schedule> before = store_.schedule_with_key(request.deduplication_key);
    if (before) return write(std::move(*before), request, std::move(answer));
    if (before.status().code() != store::Code::kNotFound) return answer(before.status());
    store::Schedule schedule;
    schedule.created_at = core_.now();
    schedule.id = store::new_schedule_id(schedule.created_at);
    schedule.deduplication_key = request.deduplication_key;
    write(std::move(schedule), request, std::move(answer));
  });
}

void Schedules::change(const store::ScheduleId& id, ScheduleRequest request, store::Done<store::Schedule> done) {
  on_core<store::Schedule>(std::move(done),
                           [this, id, request = std::move(request)](store::Done<store::Schedule> answer) {
                             store::Result<store::Schedule> before = store_.schedule(id);
                             if (!before) return answer(before.status());
                             if (is_declared(*before))
                               return answer(declared(*before, "change its cron there and load the plugin."));
                             if (store::Status known = check_task(request.task); !known) return answer(known);
                             write(std::move(*before), request, std::move(answer));
                           });
}

void Schedules::set_active(const store::ScheduleId& id, bool active, store::Done<store::Schedule> done) {
  on_core<store::Schedule>(std::move(done), [this, id, active](store::Done<store::Schedule> answer) {
    store::Result<store::Schedule> schedule = store_.schedule(id);
    if (!schedule) return answer(schedule.status());
    const auto times = store::Timetable::parse(schedule->rule);
    if (!times) return answer(times.status());
    if (schedule->active != active) store::plan_next(*schedule, *times, core_.now());
    schedule->active = active;
    schedule->updated_at = core_.now();
    if (!active) {
      schedule->waiting.reset();
      schedule->backfill.reset();
    }
    put(std::move(*schedule), std::move(answer));
  });
}

void Schedules::remove(const store::ScheduleId& id, store::DoneStatus done) {
  const auto answer_to = [done = std::move(done)](const store::Result<bool>& answer) { done(answer.status()); };
  on_core<bool>(answer_to, [this, id](const store::Done<bool>& answer) {
    const store::Result<store::Schedule> schedule = store_.schedule(id);
    if (!schedule) return answer(schedule.status());
    if (is_declared(*schedule) && around_.catalog()->tasks.contains(schedule->task)) {
      return answer(declared(*schedule, "remove its cron there, or deactivate the schedule."));
    }
    store_.delete_schedule(
        id, [answer](const store::Status& deleted) { answer(deleted ? store::Result<bool>(true) : deleted); });
  });
}

void Schedules::backfill(const store::ScheduleId& id, store::Time from, store::Time until,
                         store::Done<BackfillBegun> done) {
  // How many they are takes a while to count, which is not the core thread's to spend.
  const store::Result<store::Schedule> asked = store_.schedule(id);
  if (!asked) return done(asked.status());
  const auto times = store::Timetable::parse(asked->rule);
  if (!times) return done(times.status());
  until = std::min(until, core_.now());
  std::optional<store::Time> first;
  std::uint64_t count = 0;
  for (auto due = times->next(from - kInstant, {}); due && due->nominal <= until && count <= kMostBackfilled;
       due = times->next(due->nominal, {}), ++count) {
    if (!first) first = due->nominal;
  }
  if (!first) {
    return done(store::Status::invalid("Schedule " + id.text() + " has no due time from " + store::format_time(from) +
                                       " until " + store::format_time(until) + "; name a range in the past that has."));
  }
  if (count > kMostBackfilled) {
    return done(store::Status::invalid("Schedule " + id.text() + " has more than " + std::to_string(kMostBackfilled) +
                                       " due times in that range; name a shorter one, then the next."));
  }
  const auto begun = [done, count](const store::Result<store::Schedule>& schedule) {
    done(schedule ? store::Result<BackfillBegun>(BackfillBegun{*schedule, count}) : schedule.status());
  };
  on_core<store::Schedule>(begun, [this, id, range = store::Backfill{*first, until},
                                   rule = asked->rule](store::Done<store::Schedule> answer) {
    store::Result<store::Schedule> schedule = store_.schedule(id);
    if (!schedule) return answer(schedule.status());
    if (schedule->backfill || schedule->rule != rule) {
      return answer(store::Status::conflict("Schedule " + id.text() +
                                            " has a backfill under way, or was changed just now; try again later, or "
                                            "deactivate it to end the backfill."));
    }
    schedule->backfill = range;
    put(std::move(*schedule), std::move(answer));
  });
}

}  // namespace perdure::engine
