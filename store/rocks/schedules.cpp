// Schedules: kept, fired, forgotten, found. See rocks_store.h.
#include <utility>

#include "store/rocks/rocks_store.h"
#include "store/rocks/schedule_record.h"

namespace perdure::store::rocks {
namespace {

Status no_schedule(const ScheduleId& id) { return Status::not_found("there is no schedule " + id.text()); }

Result<std::optional<Schedule>> stored_schedule(const Database& db, PackedId id) {
  std::string bytes;
  const Status got = db.get(Family::kSchedules, schedule_key(id), bytes);
  if (got.code() == Code::kNotFound) return std::optional<Schedule>();
  if (!got) return got;
  Result<Schedule> schedule = decode_schedule(id, bytes);
  if (!schedule) return schedule.status();
  return std::optional(std::move(*schedule));
}

// The id that a key of the family stands for: a schedule's, or a run's.
Result<std::optional<PackedId>> id_under(const Database& db, const std::string& key) {
  std::string bytes;
  const Status got = db.get(Family::kSchedules, key, bytes);
  if (got.code() == Code::kNotFound) return std::optional<PackedId>();
  if (!got) return got;
  const std::optional<PackedId> id = run_in_key(bytes, 0);
  if (!id) return Status::corruption("an entry of the schedules is cut short; restore the store from a backup");
  return id;
}

// The keys by which a schedule is found, and of which each is one schedule's only.
std::vector<std::string> keys_of(const Schedule& schedule) {
  std::vector<std::string> keys;
  if (!schedule.deduplication_key.empty()) {
    keys.push_back(schedule_key(SchedulePart::kKey, schedule.deduplication_key));
  }
  if (schedule.type == ScheduleType::kDeclarative) {
    keys.push_back(schedule_key(SchedulePart::kDeclared, schedule.task.text()));
  }
  return keys;
}

}  // namespace

Status RocksStore::check_schedule(PackedId id, const Schedule& schedule, const std::optional<Schedule>& before) const {
  const std::string& name = schedule.id.text();
  if (!before && schedule.revision > 0) return no_schedule(schedule.id);
  if (before && before->revision != schedule.revision) {
    return Status::conflict("schedule " + name + " has changed meanwhile; read it and decide again");
  }
  for (const std::string& key : keys_of(schedule)) {
    const Result<std::optional<PackedId>> owner = id_under(*database_, key);
    if (!owner) return owner.status();
    if (*owner && **owner != id) {
      return Status::conflict("schedule " + unpack_schedule(**owner).text() +
                              " has that deduplication key or declares that task already; change that one");
    }
  }
  return Status::ok();
}

Result<Schedule> RocksStore::change_schedule(Schedule schedule, std::vector<NewRun> runs, bool must_exist) {
  const std::optional<PackedId> id = pack(schedule.id);
  if (!id) {
    return Status::invalid("\"" + schedule.id.text() + "\" is no schedule id; make one with new_schedule_id()");
  }
  if (!health_) return refused();
  const Result<std::optional<Schedule>> before = stored_schedule(*database_, *id);
  if (!before) return before.status();
  if (must_exist && !*before) return no_schedule(schedule.id);
  if (Status fits = check_schedule(*id, schedule, *before); !fits) return fits;
  if (!runs.empty()) {
    if (Status room = room_for_more(); !room) return room;
  }

  Batch batch(*database_);
  std::vector<std::pair<PackedId, NewRun>> fresh;
  std::optional<Time> due;
  for (NewRun& run : runs) {
    const std::optional<PackedId> run_id = pack(run.id);
    const bool later = run.scheduled_for && (!due || *due < *run.scheduled_for);
    if (!run_id || !later || run.schedule != schedule.id) {
      return Status::invalid("\"" + run.id.text() + "\" is no run for the next due time of schedule " +
                             schedule.id.text());
    }
    due = run.scheduled_for;
    const std::string key = fired_key(*id, *run.scheduled_for);
    const Result<std::optional<PackedId>> fired = id_under(*database_, key);
    if (!fired) return fired.status();
    if (*fired) {
      if (schedule.last_run == run.id) schedule.last_run = unpack(**fired);
      continue;
    }
    batch.put(Family::kSchedules, key, run_key(*run_id));
    fresh.emplace_back(*run_id, std::move(run));
  }
  ++schedule.revision;
  batch.put(Family::kSchedules, schedule_key(*id), encode(schedule));
  if (*before) {
    for (const std::string& key : keys_of(**before)) batch.erase(Family::kSchedules, key);
    hot_.schedules.leave(*id, **before);
  }
  for (const std::string& key : keys_of(schedule)) batch.put(Family::kSchedules, key, run_key(*id));
  hot_.schedules.enter(*id, schedule);
  const std::optional<Time> due_before = hot_.next_due();
  for (auto& [run_id, run] : fresh) create(run_id, std::move(run), batch);
  // Not in group_.created: should the sync fail and the batch have survived, both the runs and the schedule stand.
  if (Status written = write(batch); !written) return written;
  note_due_change(due_before);
  return schedule;
}

void RocksStore::store_schedule(Schedule schedule, std::vector<NewRun> runs, bool must_exist, Done<Schedule>& done) {
  Lock lock(mutex_);
  if (!runs.empty()) saw_time(runs.back().now);
  auto answer = [&](Result<Schedule> result) {
    lock.unlock();
    done(std::move(result));
  };
  Result<Schedule> changed = change_schedule(std::move(schedule), std::move(runs), must_exist);
  if (!changed) return answer(changed.status());
  if (std::optional<Schedule> durable = after_sync(done, std::move(*changed))) answer(std::move(*durable));
}

void RocksStore::put_schedule(Schedule schedule, Done<Schedule> done) {
  store_schedule(std::move(schedule), {}, false, done);
}

void RocksStore::fire_schedule(Schedule schedule, std::vector<NewRun> runs, Done<Schedule> done) {
  store_schedule(std::move(schedule), std::move(runs), true, done);
}

void RocksStore::delete_schedule(const ScheduleId& schedule, DoneStatus done) {
  const std::optional<PackedId> id = pack(schedule);
  if (!id) return done(no_schedule(schedule));
  Lock lock(mutex_);
  const auto erase = [&]() -> Status {
    if (!health_) return refused();
    const Result<std::optional<Schedule>> before = stored_schedule(*database_, *id);
    if (!before) return before.status();
    if (!*before) return no_schedule(schedule);
    Batch batch(*database_);
    batch.erase(Family::kSchedules, schedule_key(*id));
    for (const std::string& key : keys_of(**before)) batch.erase(Family::kSchedules, key);
    batch.erase_all(Family::kSchedules, fired_prefix(*id));
    hot_.schedules.leave(*id, **before);
    return write(batch);
  };
  const Status erased = erase();
  lock.unlock();
  if (!erased) return done(erased);
  synced(std::move(done));
}

Result<Schedule> RocksStore::schedule(const ScheduleId& id) const {
  const std::optional<PackedId> packed = pack(id);
  if (!packed) return no_schedule(id);
  return with_database([&](const Database& db) -> Result<Schedule> {
    Result<std::optional<Schedule>> found = stored_schedule(db, *packed);
    if (!found) return found.status();
    if (!*found) return no_schedule(id);
    return std::move(**found);
  });
}

Result<Schedule> RocksStore::schedule_with_key(const std::string& deduplication_key) const {
  const Status none = Status::not_found("no schedule has the deduplication key \"" + deduplication_key + "\"");
  if (deduplication_key.empty()) return none;
  return with_database([&](const Database& db) -> Result<Schedule> {
    const auto id = id_under(db, schedule_key(SchedulePart::kKey, deduplication_key));
    if (!id) return id.status();
    if (!*id) return none;
    Result<std::optional<Schedule>> found = stored_schedule(db, **id);
    if (!found) return found.status();
    if (!*found) return none;  // forgotten between the two reads
    return std::move(**found);
  });
}

Result<std::vector<Schedule>> RocksStore::declared_schedules() const {
  return with_database([&](const Database& db) -> Result<std::vector<Schedule>> {
    std::vector<Schedule> declared;
    Scan scan = db.scan(Family::kSchedules, schedule_key(SchedulePart::kDeclared, {}));
    for (; scan.valid(); scan.next()) {
      const std::optional<PackedId> id = run_in_key(scan.value(), 0);
      if (!id) continue;
      Result<std::optional<Schedule>> found = stored_schedule(db, *id);
      if (!found) return found.status();
      if (*found) declared.push_back(std::move(**found));
    }
    if (Status read = scan.status(); !read) return read;
    return declared;
  });
}

Result<SchedulePage> RocksStore::schedules(std::size_t skip, std::size_t limit) const {
  SchedulePage page;
  {
    std::lock_guard lock(mutex_);
    page.count = hot_.schedules.count();
  }
  return with_database([&](const Database& db) -> Result<SchedulePage> {
    Scan scan = db.scan(Family::kSchedules, schedule_key(SchedulePart::kRecord, {}));
    scan.seek_back(std::string(kPackedIdSize + 1, '\xff'));
    for (std::size_t i = 0; scan.valid() && page.schedules.size() < limit; ++i, scan.previous()) {
      const std::optional<PackedId> id = run_in_key(scan.key(), 1);
      if (i < skip || !id) continue;
      Result<Schedule> schedule = decode_schedule(*id, scan.value());
      if (!schedule) return schedule.status();
      page.schedules.push_back(std::move(*schedule));
    }
    if (Status read = scan.status(); !read) return read;
    return std::move(page);
  });
}

Result<RunId> RocksStore::fired(const ScheduleId& schedule, Time due) const {
  const std::optional<PackedId> packed = pack(schedule);
  const Status none = Status::not_found("schedule " + schedule.text() + " has no run for that due time");
  if (!packed) return none;
  return with_database([&](const Database& db) -> Result<RunId> {
    const Result<std::optional<PackedId>> run = id_under(db, fired_key(*packed, due));
    if (!run) return run.status();
    if (!*run) return none;
    return unpack(**run);
  });
}

std::vector<ScheduleId> RocksStore::due_schedules(Time after, Time until) const {
  std::lock_guard lock(mutex_);
  return hot_.schedules.due(after, until);
}

std::optional<Time> RocksStore::next_schedule_due(Time after) const {
  std::lock_guard lock(mutex_);
  return hot_.schedules.next_due(after);
}

std::vector<ScheduleId> RocksStore::busy_schedules() const {
  std::lock_guard lock(mutex_);
  return hot_.schedules.busy();
}

}  // namespace perdure::store::rocks
