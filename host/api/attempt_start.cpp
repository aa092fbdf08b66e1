// What an attempt was started with: GET /perdure/v1/runs/{id}/start?attempt=N, so that `perdure debug` can execute it
// again. The plugin's configuration is in it, secrets included.
#include <optional>
#include <string>
#include <utility>

#include "host/api/api.h"
#include "host/api/errors.h"
#include "host/api/json_text.h"
#include "host/api/query.h"

namespace perdure::api {

Handling show_start(Api& api, ExchangePtr exchange) {
  const store::RunId id(exchange->request().argument);
  std::optional<QueryFault> fault;
  const auto number = number_parameter(exchange->request(), "attempt", 1, UINT32_MAX, fault);
  if (fault) {
    exchange->reply(query_error(fault->parameter, fault->message));
    co_return;
  }
  if (!store::is_run_id(id.text())) {
    exchange->reply(no_such("run", id.text()));
    co_return;
  }
  std::optional<std::uint32_t> attempt;
  if (number) attempt = static_cast<std::uint32_t>(*number);
  const auto ask = [&](store::Done<engine::AttemptStart> done) {
    api.engine.attempt_start(id, attempt, std::move(done));
  };
  const store::Result<engine::AttemptStart> found = co_await until_done<engine::AttemptStart>(*exchange, ask);
  if (!found) {
    exchange->reply(error_response(found.status()));
    co_return;
  }
  JsonText json;
  json.begin_object().text("id", found->run.text()).number("attempt", found->number).boolean("begun", found->begun);
  json.text("task", found->task.text());
  if (found->max_duration) json.number("maxDurationMs", found->max_duration->count());
  json.key("plugin").begin_object().text("name", found->plugin.name).text("versionHash", found->plugin.id.text());
  json.text("versionNumber", found->plugin.number).text("version", found->plugin.version);
  json.text("file", found->plugin.file).text("path", found->plugin.path).end_object();
  json.raw("start", found->start).raw("payload", found->payload).end_object();
  exchange->reply(ok(json.take()));
}

}  // namespace perdure::api
