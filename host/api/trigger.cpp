// POST /api/v1/tasks/{id}/trigger: creates a run, and answers once it is durable.
#include <utility>
#include <variant>

#include "host/api/api.h"
#include "host/api/errors.h"
#include "host/api/json_text.h"
#include "host/api/token_header.h"
#include "host/api/trigger_body.h"

namespace perdure::api {
namespace {

constexpr std::size_t kLongestRequestId = 256;

Response created(const Api& api, const Request& request, const engine::Triggered& run) {
  JsonText json;
  json.begin_object().text("id", run.id.text()).boolean("isCached", run.cached).end_object();
  Response response = ok(json.take());
  hand_back_token(api, request, "read:runs:" + run.id.text(), kRunTokenLifetime, response);
  return response;
}

}  // namespace

Handling trigger_task(Api& api, ExchangePtr exchange) {
  const Request& request = exchange->request();
  if (!store::is_task_id(request.argument)) {
    exchange->reply(no_such("task", request.argument));
    co_return;
  }
  const std::string* const request_id = request.header("x-trigger-request-idempotency-key");
  if (request_id != nullptr && request_id->size() > kLongestRequestId) {
    exchange->reply(error_response(400, "the header x-trigger-request-idempotency-key has more than 256 characters"));
    co_return;
  }
  std::variant<engine::TriggerRequest, Response> parsed = parse_trigger(
      store::TaskId(request.argument), request.body, wall_clock(), api.options.allow_pending, &api.packets);
  if (Response* const refusal = std::get_if<Response>(&parsed)) {
    exchange->reply(std::move(*refusal));
    co_return;
  }
  auto& asked = std::get<engine::TriggerRequest>(parsed);
  if (request_id != nullptr) asked.request_id = *request_id;
  if (request.caller && request.caller->token && request.caller->token->one_time) {
    asked.permit = request.caller->token->digest;
    asked.permit_expires = request.caller->token->expires;
  }
  schema::Fault fault;
  asked.fault = &fault;
  const auto ask = [&](store::Done<engine::Triggered> done) { api.engine.trigger(std::move(asked), std::move(done)); };
  const store::Result<engine::Triggered> triggered = co_await until_done<engine::Triggered>(*exchange, ask);
  if (triggered) {
    exchange->reply(created(api, request, triggered.value()));
  } else if (!fault.what.empty()) {
    exchange->reply(payload_error(triggered.status().message(), fault));
  } else {
    exchange->reply(error_response(triggered.status()));
  }
}

}  // namespace perdure::api
