// Schedules. See memory_store.h.
#include <algorithm>
#include <utility>

#include "store/memory/mutation.h"

namespace perdure::store {
namespace {

Status no_schedule(const ScheduleId& id) { return Status::not_found("there is no schedule " + id.text()); }

bool is_declared(const Schedule& schedule) { return schedule.type == ScheduleType::kDeclarative; }

// Whether two schedules cannot both be.
bool collide(const Schedule& one, const Schedule& other) {
  const bool same_key = !one.deduplication_key.empty() && one.deduplication_key == other.deduplication_key;
  return same_key || (is_declared(one) && is_declared(other) && one.task == other.task);
}

}  // namespace

Status MemoryStore::check_schedule(const Schedule& schedule) const {
  const auto before = schedules_.find(schedule.id);
  if (before == schedules_.end() && schedule.revision > 0) return no_schedule(schedule.id);
  if (before != schedules_.end() && before->second.revision != schedule.revision) {
    return Status::conflict("schedule " + schedule.id.text() + " has changed meanwhile; read it and decide again");
  }
  for (const auto& [id, each] : schedules_) {
    if (id != schedule.id && collide(each, schedule)) {
      return Status::conflict("schedule " + id.text() +
                              " has that deduplication key or declares that task already; change that one");
    }
  }
  return Status::ok();
}

Result<Schedule> MemoryStore::change_schedule(Mutation& mutation, Schedule schedule, std::vector<NewRun> runs) {
  if (!is_schedule_id(schedule.id.text())) {
    return Status::invalid("\"" + schedule.id.text() + "\" is no schedule id; make one with new_schedule_id()");
  }
  if (Status fits = check_schedule(schedule); !fits) return fits;
  std::optional<Time> due;
  for (const NewRun& run : runs) {
    const bool later = run.scheduled_for && (!due || *due < *run.scheduled_for);
    if (!is_run_id(run.id.text()) || !later || run.schedule != schedule.id) {
      return Status::invalid("\"" + run.id.text() + "\" is no run for the next due time of schedule " +
                             schedule.id.text());
    }
    due = run.scheduled_for;
  }
  for (NewRun& run : runs) {
    const auto [fired, fresh] = fired_.try_emplace({schedule.id, *run.scheduled_for}, run.id);
    if (fresh) {
      create(mutation, std::move(run));
    } else if (schedule.last_run == run.id) {
      schedule.last_run = fired->second;
    }
  }
  ++schedule.revision;
  schedules_[schedule.id] = schedule;
  return schedule;
}

void MemoryStore::put_schedule(Schedule schedule, Done<Schedule> done) {
  if (Status admitted = admit("put_schedule"); !admitted) return done(admitted);
  Mutation mutation(*this);
  Result<Schedule> changed = change_schedule(mutation, std::move(schedule), {});
  mutation.finish<Schedule>(std::move(done), std::move(changed));
}

void MemoryStore::fire_schedule(Schedule schedule, std::vector<NewRun> runs, Done<Schedule> done) {
  if (Status admitted = admit("fire_schedule"); !admitted) return done(admitted);
  Mutation mutation(*this);
  Result<Schedule> changed = schedules_.contains(schedule.id)
                                 ? change_schedule(mutation, std::move(schedule), std::move(runs))
                                 : no_schedule(schedule.id);
  mutation.finish<Schedule>(std::move(done), std::move(changed));
}

void MemoryStore::delete_schedule(const ScheduleId& schedule, DoneStatus done) {
  if (Status admitted = admit("delete_schedule"); !admitted) return done(admitted);
  Mutation mutation(*this);
  const Status deleted = schedules_.erase(schedule) > 0 ? Status::ok() : no_schedule(schedule);
  std::erase_if(fired_, [&](const auto& each) { return each.first.first == schedule; });
  mutation.finish([done = std::move(done), deleted] { done(deleted); });
}

Result<Schedule> MemoryStore::schedule(const ScheduleId& id) const {
  std::lock_guard lock(mutex_);
  const auto found = schedules_.find(id);
  if (found == schedules_.end()) return no_schedule(id);
  return found->second;
}

Result<Schedule> MemoryStore::schedule_with_key(const std::string& deduplication_key) const {
  std::lock_guard lock(mutex_);
  for (const auto& [id, each] : schedules_) {
    if (!deduplication_key.empty() && each.deduplication_key == deduplication_key) return each;
  }
  return Status::not_found("no schedule has the deduplication key \"" + deduplication_key + "\"");
}

Result<std::vector<Schedule>> MemoryStore::declared_schedules() const {
  std::lock_guard lock(mutex_);
  std::vector<Schedule> declared;
  for (const auto& [id, each] : schedules_) {
    if (is_declared(each)) declared.push_back(each);
  }
  std::ranges::sort(declared, {}, &Schedule::task);
  return declared;
}

Result<SchedulePage> MemoryStore::schedules(std::size_t skip, std::size_t limit) const {
  std::lock_guard lock(mutex_);
  SchedulePage page;
  page.count = schedules_.size();
  std::size_t i = 0;
  for (auto each = schedules_.rbegin(); each != schedules_.rend() && page.schedules.size() < limit; ++each) {
    if (i++ >= skip) page.schedules.push_back(each->second);
  }
  return page;
}

Result<RunId> MemoryStore::fired(const ScheduleId& schedule, Time due) const {
  std::lock_guard lock(mutex_);
  const auto run = fired_.find({schedule, due});
  if (run != fired_.end()) return run->second;
  return Status::not_found("schedule " + schedule.text() + " has no run for that due time");
}

std::vector<ScheduleId> MemoryStore::due_schedules(Time after, Time until) const {
  std::lock_guard lock(mutex_);
  std::vector<std::pair<Time, ScheduleId>> due;
  for (const auto& [id, each] : schedules_) {
    if (each.active && each.next_at && *each.next_at > after && *each.next_at <= until) {
      due.emplace_back(*each.next_at, id);
    }
  }
  std::ranges::sort(due);
  std::vector<ScheduleId> ids;
  for (auto& [at, id] : due) ids.push_back(std::move(id));
  return ids;
}

std::optional<Time> MemoryStore::next_schedule_due(Time after) const {
  std::lock_guard lock(mutex_);
  std::optional<Time> next;
  for (const auto& [id, each] : schedules_) {
    if (each.active && each.next_at && *each.next_at > after && (!next || *each.next_at < *next)) next = each.next_at;
  }
  return next;
}

std::vector<ScheduleId> MemoryStore::busy_schedules() const {
  std::lock_guard lock(mutex_);
  std::vector<ScheduleId> busy;
  for (const auto& [id, each] : schedules_) {
    if (each.waiting || each.backfill) busy.push_back(id);
  }
  return busy;
}

}  // namespace perdure::store
