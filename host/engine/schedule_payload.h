// The payload of a run that a schedule triggers: the public contract's, as JSON text. Pure; any thread.
#pragma once

#include <string>

#include "store/model/schedule_firing.h"

namespace perdure::engine {

/// {"type", "timestamp", "lastTimestamp"?, "timezone", "scheduleId", "externalId"?, "upcoming"}: `timestamp` is the due
/// time, `upcoming` the five after it, times as format_time() writes them.
std::string schedule_payload(const store::Schedule& schedule, const store::DueRun& due, const store::Timetable& times);

}  // namespace perdure::engine
