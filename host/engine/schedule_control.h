// What people and programs ask about schedules: to make, change, stop and delete them, and to run past times. Reads are
// the store's (store/store.h).
//
// Threads: any. `done` is called on a thread of the engine's or the store's once the change is durable, and must not
// block. Besides what each says: kUnavailable while the host starts or stops, kNoSpace, kIo.
#pragma once

#include <cstdint>
#include <string>

#include "store/model/schedule.h"
#include "store/store.h"

namespace perdure::engine {

/// What a schedule is to be.
struct ScheduleRequest {
  store::TaskId task;
  store::ScheduleRule rule;
  std::string deduplication_key;  // for create() only
  std::string external_id;
};

/// How many due times one backfill may have.
inline constexpr std::uint64_t kMostBackfilled = 100'000;

struct BackfillBegun {
  store::Schedule schedule;
  std::uint64_t due_times = 0;  // in the range; those with a run already get no other
};

class ScheduleControl {
 public:
  virtual ~ScheduleControl() = default;

  /// Makes a schedule, or changes the one that has the deduplication key. kInvalid: bad rule, or a task that no plugin
  /// has ever offered.
  virtual void create(ScheduleRequest request, store::Done<store::Schedule> done) = 0;

  /// Changes task, rule and external id of a schedule to what `request` says; the due times that fired stay fired.
  /// kNotFound; kInvalid: as above, or it is declarative, and changed where its task is.
  virtual void change(const store::ScheduleId& id, ScheduleRequest request, store::Done<store::Schedule> done) = 0;

  /// Lets a schedule fire from now on, or no more. Due times that pass while it is inactive are not missed. One that
  /// waits for the last run, and a backfill under way, end with its activity. A declarative one stays as it was left
  /// here, whatever is loaded. kNotFound.
  virtual void set_active(const store::ScheduleId& id, bool active, store::Done<store::Schedule> done) = 0;

  /// Deletes a schedule; its runs stay. kNotFound; kInvalid: it is declarative, and a plugin offers its task.
  virtual void remove(const store::ScheduleId& id, store::DoneStatus done) = 0;

  /// Runs the schedule's due times from `from` until `until`, both included, oldest first, active or not; those that
  /// are still to come are left out. A due time that has its run gets no other, so a second backfill fills gaps only.
  /// Overlap is not looked at: the runs queue up as any others. kNotFound; kInvalid: none is due then, or more than
  /// kMostBackfilled; kConflict: another backfill of the schedule is under way.
  virtual void backfill(const store::ScheduleId& id, store::Time from, store::Time until,
                        store::Done<BackfillBegun> done) = 0;
};

}  // namespace perdure::engine
