// POST /api/v1/runs/{id}/replay: a new run of the same task, on its newest version, with the payload and the options of
// an earlier one, of whatever status, but for what the body overrides. The earlier one's idempotency key is not taken
// over, nor is its delay. By contract every refusal but 404 is a 400.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/api/api.h"
#include "host/api/errors.h"
#include "host/api/json_members.h"
#include "host/api/json_text.h"
#include "host/api/trigger_body.h"
#include "host/engine/replay.h"
#include "store/model/json_text.h"

namespace perdure::api {
namespace {

constexpr store::JsonLimits kBodyLimits{std::size_t{8} << 20, store::kPayloadLimits.depth + 1};

constexpr std::array<std::string_view, 17> kOverrides{
    "payload",     "payloadType", "metadata", "tags", "queue",          "concurrencyKey",    "machine",
    "version",     "region",      "delay",    "ttl",  "idempotencyKey", "idempotencyKeyTTL", "idempotencyKeyOptions",
    "maxAttempts", "maxDuration", "priority"};

// Changes what the body names of the request; the refusal, if any.
std::optional<Response> override_by(std::string_view body, store::Time now, engine::TriggerRequest& request) {
  if (trimmed(body).empty()) return std::nullopt;
  if (const store::Status checked = store::check_json(body, kBodyLimits, "the body"); !checked) {
    return body_error(checked.message());
  }
  const auto members = json_members(body);
  if (!members)
    return body_error("it must be an object of what to change, such as {\"payload\": ..., \"delay\": \"1h\"}");
  std::optional<std::string_view> payload;
  std::string payload_type = "application/json";
  for (const JsonMember& member : *members) {
    if (std::ranges::find(kOverrides, member.name) == kOverrides.end()) {
      return body_error("\"" + member.name + "\" is nothing that a replay can change");
    }
    if (member.name == "payload") {
      payload = member.value;
    } else if (member.name == "payloadType") {
      payload_type = json_string(member.value).value_or("");
    } else if (const std::string fault = read_trigger_option(member, now, request); !fault.empty()) {
      return body_error("\"" + member.name + "\" " + fault);
    }
  }
  if (!payload) return std::nullopt;
  request.options.payload_type = payload_type;
  return unpack_payload(*payload, request);
}

Response refused(Response response) {
  const bool is_ours = response.status >= 500 || response.status == 404;
  if (!is_ours) response.status = 400;
  return response;
}

}  // namespace

Handling replay_run(Api& api, ExchangePtr exchange) {
  const store::RunId id(exchange->request().argument);
  const store::Store& store = api.engine.store();
  const store::Result<store::Run> run = store::is_run_id(id.text()) ? store.run(id) : store::Status::not_found("");
  store::Result<std::string> payload = run ? store.payload(id) : run.status();
  if (!payload) {
    exchange->reply(payload.status().code() == store::Code::kNotFound ? no_such("run", id.text())
                                                                      : error_response(payload.status()));
    co_return;
  }
  engine::TriggerRequest asked = engine::replay_of(*run, std::move(*payload));
  asked.allow_pending = api.options.allow_pending;
  if (std::optional<Response> refusal = override_by(exchange->request().body, wall_clock(), asked)) {
    exchange->reply(refused(std::move(*refusal)));
    co_return;
  }
  if (const std::string* const request_id = exchange->request().header("x-trigger-request-idempotency-key")) {
    asked.request_id = request_id->substr(0, 256);
  }
  schema::Fault fault;
  asked.fault = &fault;
  const auto ask = [&](store::Done<engine::Triggered> done) { api.engine.trigger(std::move(asked), std::move(done)); };
  const store::Result<engine::Triggered> triggered = co_await until_done<engine::Triggered>(*exchange, ask);
  if (triggered) {
    JsonText json;
    json.begin_object().text("id", triggered->id.text()).boolean("isCached", triggered->cached).end_object();
    exchange->reply(ok(json.take()));
  } else if (!fault.what.empty()) {
    exchange->reply(refused(payload_error(triggered.status().message(), fault)));
  } else {
    exchange->reply(refused(error_response(triggered.status())));
  }
}

}  // namespace perdure::api
