// How the host is: GET /healthz (the process answers), /readyz (it can take triggers), /perdure/v1/status.
#include <unistd.h>

#include <map>
#include <string>
#include <utility>

#include "host/api/api.h"
#include "host/api/errors.h"
#include "host/api/json_text.h"

namespace perdure::api {

Handling show_health(Api&, ExchangePtr exchange) {
  exchange->reply(ok(R"({"status":"ok"})"));
  co_return;
}

Handling show_readiness(Api& api, ExchangePtr exchange) {
  const store::Status health = api.engine.store().health();
  if (!health) {
    exchange->reply(error_response(503, "the store takes no changes: " + health.message()));
  } else if (!api.engine.catalog()->loaded) {
    exchange->reply(error_response(503, "the plugins are being loaded"));
  } else if (api.engine.status().draining) {
    exchange->reply(error_response(503, "the host is ending"));
  } else {
    exchange->reply(ok(R"({"status":"ready"})"));
  }
  co_return;
}

Handling show_status(Api& api, ExchangePtr exchange) {
  const engine::EngineStatus engine = api.engine.status();
  const store::Status health = api.engine.store().health();
  const std::map<store::RunStatus, std::uint64_t> counts = api.engine.store().counts();
  JsonText json;
  json.begin_object().text("version", api.options.version).number("pid", ::getpid());
  if (!api.options.plugins.empty()) json.text("plugins", api.options.plugins);
  json.time("startedAt", api.started_at);
  json.key("health").begin_object().text("store", store::code_name(health.code()));
  if (!health) json.text("message", health.message());
  json.boolean("catalogLoaded", api.engine.catalog()->loaded).end_object();
  json.key("engine").begin_object();
  json.number("executing", engine.executing).number("concurrency", engine.concurrency);
  json.number("attemptsStarted", engine.attempts_started).number("attemptsFailed", engine.attempts_failed);
  json.number("attemptsCrashed", engine.attempts_crashed).boolean("draining", engine.draining).end_object();
  json.key("memory").begin_object();
  if (engine.memory != UINT64_MAX) json.number("limit", engine.memory);
  json.number("reserved", engine.memory_reserved).boolean("short", engine.short_of_memory);
  if (!api.options.memory_mechanism.empty()) json.text("mechanism", api.options.memory_mechanism);
  if (!api.options.memory_in_words.empty()) json.text("enforcedBy", api.options.memory_in_words);
  json.end_object();
  json.key("runs").begin_object();
  std::uint64_t completed = 0;
  for (const auto& [status, count] : counts) {
    json.number(store::status_name(status), count);
    if (status == store::RunStatus::kCompleted) completed = count;
  }
  json.end_object().number("completed", completed).end_object();
  exchange->reply(ok(json.take()));
  co_return;
}

}  // namespace perdure::api
