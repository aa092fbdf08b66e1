#include "store/rocks/schedule_index.h"

#include "store/rocks/schedule_record.h"

namespace perdure::store::rocks {
namespace {

constexpr PackedId kLast{UINT64_MAX, UINT64_MAX};

bool has_more_to_do(const Schedule& schedule) { return schedule.waiting || schedule.backfill; }

}  // namespace

Result<ScheduleIndex> ScheduleIndex::rebuild(const Database& db) {
  ScheduleIndex index;
  Scan scan = db.scan(Family::kSchedules, schedule_key(SchedulePart::kRecord, {}));
  for (; scan.valid(); scan.next()) {
    const std::optional<PackedId> id = run_in_key(scan.key(), 1);
    if (!id) return Status::corruption("a key of a schedule is cut short; restore the store from a backup");
    const Result<Schedule> schedule = decode_schedule(*id, scan.value());
    if (!schedule) return schedule.status();
    index.enter(*id, *schedule);
  }
  if (Status read = scan.status(); !read) return read;
  return index;
}

void ScheduleIndex::enter(PackedId id, const Schedule& schedule) {
  ++count_;
  if (schedule.active && schedule.next_at) due_.emplace(*schedule.next_at, id);
  if (has_more_to_do(schedule)) busy_.insert(id);
}

void ScheduleIndex::leave(PackedId id, const Schedule& schedule) {
  --count_;
  if (schedule.next_at) due_.erase({*schedule.next_at, id});
  busy_.erase(id);
}

std::vector<ScheduleId> ScheduleIndex::due(Time after, Time until) const {
  std::vector<ScheduleId> schedules;
  for (auto at = due_.upper_bound({after, kLast}); at != due_.end() && at->first <= until; ++at) {
    schedules.push_back(unpack_schedule(at->second));
  }
  return schedules;
}

std::optional<Time> ScheduleIndex::next_due(Time after) const {
  const auto at = due_.upper_bound({after, kLast});
  return at == due_.end() ? std::nullopt : std::optional(at->first);
}

std::vector<ScheduleId> ScheduleIndex::busy() const {
  std::vector<ScheduleId> schedules;
  for (const PackedId id : busy_) schedules.push_back(unpack_schedule(id));
  return schedules;
}

}  // namespace perdure::store::rocks
