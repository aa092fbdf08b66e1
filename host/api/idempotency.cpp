// POST /api/v1/idempotencyKeys/{key}/reset: the next trigger with the key makes a run again.
#include <optional>
#include <string>

#include "host/api/api.h"
#include "host/api/errors.h"
#include "host/api/json_members.h"
#include "host/api/json_text.h"
#include "store/model/json_text.h"

namespace perdure::api {
namespace {

constexpr store::JsonLimits kBodyLimits{std::size_t{64} << 10, 8};

std::optional<store::TaskId> task_in(std::string_view body) {
  if (!store::check_json(body, kBodyLimits)) return std::nullopt;
  const auto members = json_members(body);
  const auto value = members ? find_member(*members, "taskIdentifier") : std::nullopt;
  const auto task = value ? json_string(*value) : std::nullopt;
  return task && store::is_task_id(*task) ? std::optional(store::TaskId(*task)) : std::nullopt;
}

}  // namespace

Handling reset_idempotency_key(Api& api, ExchangePtr exchange) {
  const std::string key = exchange->request().argument;
  const std::optional<store::TaskId> task = task_in(exchange->request().body);
  if (!task) {
    exchange->reply(body_error("it must be {\"taskIdentifier\": the id of the task whose key this is}"));
    co_return;
  }
  const auto ask = [&](store::Done<store::RunId> done) {
    api.engine.reset_idempotency_key(*task, key, std::move(done));
  };
  const store::Result<store::RunId> reset = co_await until_done<store::RunId>(*exchange, ask);
  if (!reset) {
    exchange->reply(error_response(reset.status()));
    co_return;
  }
  JsonText json;
  json.begin_object().text("id", key).end_object();
  exchange->reply(ok(json.take()));
}

}  // namespace perdure::api
