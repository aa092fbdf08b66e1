// What the loaded plugins offer: GET /perdure/v1/tasks, /perdure/v1/tasks/{id}.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/api/api.h"
#include "host/api/catalog_json.h"
#include "host/api/errors.h"
#include "host/api/schedule_json.h"

namespace perdure::api {
namespace {

void put_task(JsonText& json, const catalog::Task& task, const std::vector<catalog::Held>& held,
              const std::string& default_machine) {
  const store::TaskOptions& options = task.options;
  json.begin_object().text("id", task.id.text());
  if (!options.description.empty()) json.text("description", options.description);
  json.text("plugin", task.plugin).text("version", task.version.text());
  for (const catalog::Held& each : held) {
    if (each.task != task.id || each.version != task.version) continue;
    json.key("quarantine");
    put_held(json, each);
  }
  json.text("queue", options.queue.empty() ? store::own_queue(task.id).text() : options.queue.text());
  if (options.concurrency_limit) json.number("concurrencyLimit", *options.concurrency_limit);
  json.text("machine", options.machine.empty() ? default_machine : options.machine);
  json.number("maxAttempts", options.retry.max_attempts);
  if (options.max_duration) json.number("maxDurationMs", options.max_duration->count());
  if (options.ttl) json.number("ttlMs", options.ttl->count());
  json.number("recycleAfter", options.recycle_after);
  if (options.cron) put_declared_rule(json.key("cron"), *options.cron);
  put_texts(json, "hooks", task.hooks);
  if (!options.document.empty()) json.raw("options", options.document);
  json.end_object();
}

}  // namespace

Handling list_tasks(Api& api, ExchangePtr exchange) {
  const catalog::SnapshotPtr snapshot = api.engine.catalog();
  JsonText json;
  json.begin_object().key("data").begin_array();
  const std::vector<catalog::Held> held = api.engine.held();
  const std::string machine = api.engine.status().default_machine;
  for (const auto& [id, task] : snapshot->tasks) put_task(json, task, held, machine);
  json.end_array().end_object();
  exchange->reply(ok(json.take()));
  co_return;
}

Handling show_task(Api& api, ExchangePtr exchange) {
  const catalog::SnapshotPtr snapshot = api.engine.catalog();
  const auto task = snapshot->tasks.find(store::TaskId(exchange->request().argument));
  if (task == snapshot->tasks.end()) {
    exchange->reply(no_such("task", exchange->request().argument));
    co_return;
  }
  JsonText json;
  put_task(json, task->second, api.engine.held(), api.engine.status().default_machine);
  exchange->reply(ok(json.take()));
}

}  // namespace perdure::api
