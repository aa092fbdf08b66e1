// What a client sends about a schedule. Pure functions; any thread.
#pragma once

#include <string_view>
#include <variant>

#include "host/api/http.h"
#include "host/engine/schedule_control.h"

namespace perdure::api {

enum class ScheduleBody { kCreate, kUpdate };

/// {"task", "cron", "deduplicationKey" (of kCreate), "timezone"?, "window"?, "externalId"?} of the contract, and
/// Perdure's own "catchUp"? and "overlap"?; what is left out has its default. Or the answer that refuses it: 400 for a
/// body of another shape, 422 for a pattern, time zone, window, catch-up or overlap that is none. The task is not
/// looked for.
std::variant<engine::ScheduleRequest, Response> read_schedule(std::string_view body, ScheduleBody kind);

/// The times {"from", "to"} of a backfill, or the answer that refuses them: 400.
struct BackfillRange {
  store::Time from, to;
};
std::variant<BackfillRange, Response> read_backfill(std::string_view body);

}  // namespace perdure::api
