// What the loaded plugins offer: GET /perdure/v1/tasks, /perdure/v1/tasks/{id}, /perdure/v1/plugins.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/api/api.h"
#include "host/api/errors.h"
#include "host/api/json_text.h"

namespace perdure::api {
namespace {

std::string_view state_name(catalog::VersionState state) {
  switch (state) {
    case catalog::VersionState::kLoading:
      return "loading";
    case catalog::VersionState::kServing:
      return "serving";
    case catalog::VersionState::kRefused:
      return "refused";
  }
  return "unknown";
}

void put_texts(JsonText& json, std::string_view name, const std::vector<std::string>& texts) {
  json.key(name).begin_array();
  for (const std::string& text : texts) json.text(text);
  json.end_array();
}

void put_task(JsonText& json, const catalog::Task& task) {
  const store::TaskOptions& options = task.options;
  json.begin_object().text("id", task.id.text());
  if (!options.description.empty()) json.text("description", options.description);
  json.text("plugin", task.plugin).text("version", task.version.text());
  json.text("queue", options.queue.empty() ? "task/" + task.id.text() : options.queue.text());
  if (options.concurrency_limit) json.number("concurrencyLimit", *options.concurrency_limit);
  if (!options.machine.empty()) json.text("machine", options.machine);
  json.number("maxAttempts", options.retry.max_attempts);
  if (options.max_duration) json.number("maxDurationMs", options.max_duration->count());
  if (options.ttl) json.number("ttlMs", options.ttl->count());
  json.number("recycleAfter", options.recycle_after);
  put_texts(json, "hooks", task.hooks);
  if (!options.document.empty()) json.raw("options", options.document);
  json.end_object();
}

void put_plugin(JsonText& json, const catalog::PluginVersion& plugin) {
  json.begin_object().text("name", plugin.name).text("state", state_name(plugin.state));
  if (!plugin.reason.empty()) json.text("reason", plugin.reason);
  json.text("file", plugin.file);
  if (!plugin.id.empty()) json.text("versionHash", plugin.id.text());
  if (!plugin.version.empty()) json.text("version", plugin.version);
  if (!plugin.isolation.empty()) json.text("isolation", plugin.isolation);
  if (!plugin.isolation_reason.empty()) json.text("isolationReason", plugin.isolation_reason);
  put_texts(json, "warnings", plugin.warnings);
  put_texts(json, "tasks", plugin.tasks);
  if (plugin.loaded_at != store::Time{}) json.time("loadedAt", plugin.loaded_at);
  json.end_object();
}

}  // namespace

Handling list_tasks(Api& api, ExchangePtr exchange) {
  const catalog::SnapshotPtr snapshot = api.engine.catalog();
  JsonText json;
  json.begin_object().key("data").begin_array();
  for (const auto& [id, task] : snapshot->tasks) put_task(json, task);
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
  put_task(json, task->second);
  exchange->reply(ok(json.take()));
}

Handling list_plugins(Api& api, ExchangePtr exchange) {
  const catalog::SnapshotPtr snapshot = api.engine.catalog();
  JsonText json;
  json.begin_object().key("data").begin_array();
  for (const catalog::PluginVersion& plugin : snapshot->plugins) put_plugin(json, plugin);
  json.end_array().boolean("loaded", snapshot->loaded).end_object();
  exchange->reply(ok(json.take()));
  co_return;
}

}  // namespace perdure::api
