// What a schedule does at a moment: which of its due times fire, what becomes of the others, and what the schedule is
// afterwards. The rules of catch-up, overlap and backfill, in one place. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "store/model/schedule.h"
#include "store/model/timetable.h"

namespace perdure::store {

/// How much later than it should a due time fires and is not yet missed, as one is for which the host was restarted.
inline constexpr Duration kPunctual = std::chrono::minutes(1);
/// How many due times fire in one commit at most.
inline constexpr std::size_t kMostFiredAtOnce = 100;

struct DueRun {
  Time due;
  std::optional<Time> last;  // the due time before it that fired: the payload's `lastTimestamp`
};

struct Firing {
  Schedule schedule;         // afterwards; who creates the runs sets last_run
  std::vector<DueRun> runs;  // oldest first; may be none
  bool backfilled = false;   // they are past times that were asked for: last_run is not theirs
};

/// Sets when the schedule is due next: later than `now`, and than every time that fired or waits.
void plan_next(Schedule& schedule, const Timetable& times, Time now);

/// What the schedule does now; nothing: it has nothing to do. `last_over`: its last run is, or there is none. To be
/// asked again afterwards, until there is nothing.
///
/// First a due time fires that waited for the last run. Then those that are due: of missed ones as many as catch_up
/// says, unless the last run is unfinished and overlap says otherwise. Then some of a backfill's, whatever overlap
/// says.
std::optional<Firing> fire_now(const Schedule& schedule, const Timetable& times, Time now, bool last_over);

/// The due time before `time`, at most nine years.
std::optional<Time> due_before(const Timetable& times, Time time);

}  // namespace perdure::store
