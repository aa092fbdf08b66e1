// Delays: until when a run is not to be started. One that is a duration ends that long after it was asked for, whatever
// becomes of the wall clock meanwhile; one that is a calendar time ends when the wall clock shows it. Pure functions;
// any thread.
#pragma once

#include <string_view>
#include <variant>

#include "store/model/ids.h"
#include "store/model/run.h"
#include "store/model/status.h"

namespace perdure::store {

using Delay = std::variant<Duration, Time>;

/// Reads a delay as it is written: a duration such as "1h30m", or a time in ISO 8601.
Result<Delay> parse_delay(std::string_view text);

/// When the delay ends, by the wall clock as it goes now.
Time end_of(const Delay& delay, Time now);
/// Whether it ends at a calendar time.
inline bool is_calendar(const Delay& delay) { return std::holds_alternative<Time>(delay); }

/// The trigger's delay of `run` (not the backoff between two attempts) goes on until `until`, from now on: at least
/// until `now`. What the run has as its ttl counts from there.
void move_delay(Run& run, Time until, bool calendar, Time now);
/// Which times of a run are the ends of durations that go on now, so that they move when the wall clock is set.
struct TimedParts {
  bool ready = false, expires = false, debounce = false;
};
TimedParts parts_of_durations(const Run& run);

/// Whether `run` waits for the end of its trigger's delay, so that it may be moved.
bool in_trigger_delay(const Run& run);
/// The refusal for one that does not: kConflict.
Status no_delay(const Run& run);

}  // namespace perdure::store
