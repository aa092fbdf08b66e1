// Schedules as JSON: the public contract's shape, and Perdure's own members on top of it. Pure functions; any thread.
#pragma once

#include "host/api/json_text.h"
#include "store/model/schedule.h"
#include "store/model/timetable.h"

namespace perdure::api {

/// The members of the contract.
void put_schedule(JsonText& json, const store::Schedule& schedule);

/// More, of Perdure's own: window, catch-up, overlap, what fired last, what waits, a backfill under way, the next
/// times.
void put_schedule_details(JsonText& json, const store::Schedule& schedule, store::Time now);

/// The object that a task shows of the schedule it declares.
void put_declared_rule(JsonText& json, const store::ScheduleRule& rule);

/// "upcoming": the next `count` due times after `after`, each with when it fires.
void put_upcoming(JsonText& json, const store::Timetable& times, store::Time after, std::string_view schedule_id,
                  std::size_t count);

}  // namespace perdure::api
