// Schedules: GET and POST /api/v1/schedules, GET, PUT and DELETE /api/v1/schedules/{id}, POST …/activate and
// …/deactivate as the public contract has them.
#include <string>
#include <utility>
#include <variant>

#include "host/api/api.h"
#include "host/api/durable.h"
#include "host/api/errors.h"
#include "host/api/json_text.h"
#include "host/api/query.h"
#include "host/api/schedule_body.h"
#include "host/api/schedule_json.h"

namespace perdure::api {
namespace {

using store::Schedule;

constexpr std::uint64_t kLargestPage = 100;
constexpr std::uint64_t kUsualPage = 20;
constexpr std::uint64_t kMostPages = 1'000'000'000;

enum class Form { kPublic, kLong };

Response document(const Schedule& schedule, Form form) {
  JsonText json;
  json.begin_object();
  put_schedule(json, schedule);
  if (form == Form::kLong) put_schedule_details(json, schedule, wall_clock());
  json.end_object();
  return ok(json.take());
}

Response answer_to(const store::Result<Schedule>& done) {
  return done ? document(*done, Form::kPublic) : error_response(done.status());
}

Handling show(Api& api, ExchangePtr exchange, Form form) {
  const store::ScheduleId id(exchange->request().argument);
  const store::Result<Schedule> schedule = api.engine.store().schedule(id);
  if (!schedule) {
    exchange->reply(schedule.status().code() == store::Code::kNotFound ? no_such("schedule", id.text())
                                                                       : error_response(schedule.status()));
    co_return;
  }
  std::optional<Response> refusal = co_await refusal_unless_durable(*exchange, api);
  exchange->reply(refusal ? std::move(*refusal) : document(*schedule, form));
}

Handling list(Api& api, ExchangePtr exchange, Form form) {
  std::optional<QueryFault> fault;
  const std::uint64_t size =
      number_parameter(exchange->request(), "perPage", 1, kLargestPage, fault).value_or(kUsualPage);
  const std::uint64_t number = number_parameter(exchange->request(), "page", 1, kMostPages, fault).value_or(1);
  if (fault) {
    exchange->reply(query_error(fault->parameter, fault->message));
    co_return;
  }
  const store::Result<store::SchedulePage> page = api.engine.store().schedules((number - 1) * size, size);
  if (!page) {
    exchange->reply(error_response(page.status()));
    co_return;
  }
  if (std::optional<Response> refusal = co_await refusal_unless_durable(*exchange, api)) {
    exchange->reply(std::move(*refusal));
    co_return;
  }
  JsonText json;
  json.begin_object().key("data").begin_array();
  for (const Schedule& schedule : page->schedules) {
    json.begin_object();
    put_schedule(json, schedule);
    if (form == Form::kLong) put_schedule_details(json, schedule, wall_clock());
    json.end_object();
  }
  json.end_array().key("pagination").begin_object().number("currentPage", number);
  json.number("totalPages", (page->count + size - 1) / size).number("count", page->count);
  json.end_object().end_object();
  exchange->reply(ok(json.take()));
}

Handling set_active(Api& api, ExchangePtr exchange, bool active) {
  const store::ScheduleId id(exchange->request().argument);
  const auto ask = [&](store::Done<Schedule> done) { api.engine.schedules().set_active(id, active, std::move(done)); };
  const store::Result<Schedule> changed = co_await until_done<Schedule>(*exchange, ask);
  exchange->reply(answer_to(changed));
}

}  // namespace

Handling list_schedules(Api& api, ExchangePtr exchange) { return list(api, std::move(exchange), Form::kPublic); }
Handling list_schedules_at_length(Api& api, ExchangePtr exchange) {
  return list(api, std::move(exchange), Form::kLong);
}
Handling retrieve_schedule(Api& api, ExchangePtr exchange) { return show(api, std::move(exchange), Form::kPublic); }
Handling show_schedule(Api& api, ExchangePtr exchange) { return show(api, std::move(exchange), Form::kLong); }
Handling activate_schedule(Api& api, ExchangePtr exchange) { return set_active(api, std::move(exchange), true); }
Handling deactivate_schedule(Api& api, ExchangePtr exchange) { return set_active(api, std::move(exchange), false); }

Handling create_schedule(Api& api, ExchangePtr exchange) {
  auto read = read_schedule(exchange->request().body, ScheduleBody::kCreate);
  if (auto* refusal = std::get_if<Response>(&read)) {
    exchange->reply(std::move(*refusal));
    co_return;
  }
  auto& request = std::get<engine::ScheduleRequest>(read);
  const auto ask = [&](store::Done<Schedule> done) {
    api.engine.schedules().create(std::move(request), std::move(done));
  };
  const store::Result<Schedule> made = co_await until_done<Schedule>(*exchange, ask);
  exchange->reply(answer_to(made));
}

Handling update_schedule(Api& api, ExchangePtr exchange) {
  auto read = read_schedule(exchange->request().body, ScheduleBody::kUpdate);
  if (auto* refusal = std::get_if<Response>(&read)) {
    exchange->reply(std::move(*refusal));
    co_return;
  }
  const store::ScheduleId id(exchange->request().argument);
  auto& request = std::get<engine::ScheduleRequest>(read);
  const auto ask = [&](store::Done<Schedule> done) {
    api.engine.schedules().change(id, std::move(request), std::move(done));
  };
  const store::Result<Schedule> changed = co_await until_done<Schedule>(*exchange, ask);
  exchange->reply(answer_to(changed));
}

Handling delete_schedule(Api& api, ExchangePtr exchange) {
  const store::ScheduleId id(exchange->request().argument);
  const auto ask = [&](store::DoneStatus done) { api.engine.schedules().remove(id, std::move(done)); };
  const store::Status deleted = co_await until_ok(*exchange, ask);
  if (!deleted) {
    exchange->reply(error_response(deleted));
    co_return;
  }
  JsonText json;
  json.begin_object().text("id", id.text()).end_object();
  exchange->reply(ok(json.take()));
}

}  // namespace perdure::api
