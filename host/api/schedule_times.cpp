// Times of schedules: GET /api/v1/timezones, GET /perdure/v1/schedules/{id}/upcoming, GET /perdure/v1/upcoming for a
// pattern that is no schedule yet, POST /perdure/v1/schedules/{id}/backfill.
#include <string>
#include <utility>
#include <variant>

#include "host/api/api.h"
#include "host/api/errors.h"
#include "host/api/json_text.h"
#include "host/api/query.h"
#include "host/api/schedule_body.h"
#include "host/api/schedule_json.h"
#include "store/model/time_zones.h"
#include "store/model/timetable.h"

namespace perdure::api {
namespace {

constexpr std::uint64_t kMostUpcoming = 1000;

Response upcoming(const Request& request, const store::ScheduleRule& rule, std::string_view schedule_id) {
  std::optional<QueryFault> fault;
  const std::uint64_t count = number_parameter(request, "count", 1, kMostUpcoming, fault).value_or(5);
  const store::Time after = time_parameter(request, "after", fault).value_or(wall_clock());
  if (fault) return query_error(fault->parameter, fault->message);
  const store::Result<store::Timetable> times = store::Timetable::parse(rule);
  if (!times) return error_response(times.status());
  JsonText json;
  json.begin_object().text("cron", rule.pattern).text("description", times->pattern().description());
  json.text("timezone", rule.timezone);
  put_upcoming(json, *times, after, schedule_id, static_cast<std::size_t>(count));
  json.end_object();
  return ok(json.take());
}

}  // namespace

Handling list_timezones(Api&, ExchangePtr exchange) {
  std::optional<QueryFault> fault;
  const bool without_utc = flag_parameter(exchange->request(), "excludeUtc", fault).value_or(false);
  if (fault) {
    exchange->reply(query_error(fault->parameter, fault->message));
    co_return;
  }
  JsonText json;
  json.begin_object().key("timezones").begin_array();
  for (const std::string& name : store::TimeZones::system().names()) {
    if (name != "UTC" || !without_utc) json.text(name);
  }
  json.end_array().end_object();
  exchange->reply(ok(json.take()));
}

Handling show_upcoming(Api& api, ExchangePtr exchange) {
  const store::ScheduleId id(exchange->request().argument);
  const store::Result<store::Schedule> schedule = api.engine.store().schedule(id);
  exchange->reply(schedule ? upcoming(exchange->request(), schedule->rule, id.text()) : no_such("schedule", id.text()));
  co_return;
}

Handling preview_upcoming(Api&, ExchangePtr exchange) {
  const Request& request = exchange->request();
  const std::string* const pattern = request.parameter("cron");
  const std::string* const timezone = request.parameter("timezone");
  if (pattern == nullptr) {
    exchange->reply(query_error("cron", "cron is missing: a pattern such as 0 9 * * MON-FRI"));
    co_return;
  }
  store::ScheduleRule rule;
  rule.pattern = *pattern;
  if (timezone != nullptr) rule.timezone = *timezone;
  exchange->reply(upcoming(request, rule, {}));
}

Handling backfill_schedule(Api& api, ExchangePtr exchange) {
  auto read = read_backfill(exchange->request().body);
  if (auto* refusal = std::get_if<Response>(&read)) {
    exchange->reply(std::move(*refusal));
    co_return;
  }
  const store::ScheduleId id(exchange->request().argument);
  const auto& range = std::get<BackfillRange>(read);
  using Begun = engine::BackfillBegun;
  const auto ask = [&](store::Done<Begun> done) {
    api.engine.schedules().backfill(id, range.from, range.to, std::move(done));
  };
  const store::Result<Begun> begun = co_await until_done<Begun>(*exchange, ask);
  if (!begun) {
    exchange->reply(error_response(begun.status()));
    co_return;
  }
  JsonText json;
  json.begin_object().text("id", id.text()).number("dueTimes", begun->due_times).end_object();
  exchange->reply(ok(json.take()));
}

}  // namespace perdure::api
