// The plugins: GET /perdure/v1/plugins, POST /perdure/v1/plugins/{name}/rollback and …/release.
#include <boost/json/parse.hpp>
#include <string>
#include <utility>
#include <vector>

#include "host/api/api.h"
#include "host/api/catalog_json.h"
#include "host/api/errors.h"

namespace perdure::api {
namespace {

void put_plugin(JsonText& json, const catalog::PluginVersion& plugin, const std::vector<catalog::Held>& held,
                const std::map<store::VersionId, std::uint64_t>& locked) {
  json.begin_object().text("name", plugin.name).text("state", version_state_name(plugin.state));
  if (!plugin.reason.empty()) json.text("reason", plugin.reason);
  json.text("file", plugin.file);
  if (!plugin.path.empty()) json.text("path", plugin.path);
  if (!plugin.number.empty()) json.text("versionNumber", plugin.number);
  if (!plugin.id.empty()) json.text("versionHash", plugin.id.text());
  if (!plugin.version.empty()) json.text("version", plugin.version);
  if (!plugin.isolation.empty()) json.text("isolation", plugin.isolation);
  if (!plugin.isolation_reason.empty()) json.text("isolationReason", plugin.isolation_reason);
  put_texts(json, "warnings", plugin.warnings);
  put_texts(json, "tasks", plugin.tasks);
  if (!plugin.global_hooks.empty()) put_texts(json, "globalHooks", plugin.global_hooks.names());
  if (!plugin.surrounded_by.empty()) put_texts(json, "surroundedBy", plugin.surrounded_by);
  if (const auto runs = locked.find(plugin.id); runs != locked.end()) json.number("lockedRuns", runs->second);
  json.key("quarantine").begin_array();
  for (const catalog::Held& each : held) {
    if (each.version == plugin.id) put_held(json, each);
  }
  json.end_array();
  if (plugin.loaded_at != store::Time{}) json.time("loadedAt", plugin.loaded_at);
  json.end_object();
}

}  // namespace

Handling list_plugins(Api& api, ExchangePtr exchange) {
  const catalog::SnapshotPtr snapshot = api.engine.catalog();
  const std::vector<catalog::Held> held = api.engine.held();
  const auto locked = api.engine.store().locked_versions();
  JsonText json;
  json.begin_object().key("data").begin_array();
  for (const catalog::PluginVersion& plugin : snapshot->plugins) put_plugin(json, plugin, held, locked);
  json.end_array().boolean("loaded", snapshot->loaded).end_object();
  exchange->reply(ok(json.take()));
  co_return;
}

Handling roll_back_plugin(Api& api, ExchangePtr exchange) {
  const std::string plugin = exchange->request().argument;
  std::string to;
  if (const std::string& body = exchange->request().body; !body.empty()) {
    boost::system::error_code failed;
    const boost::json::value sent = boost::json::parse(body, failed);
    if (failed || !sent.is_object()) {
      exchange->reply(body_error("it is no JSON object; send {} or {\"to\": \"VERSION\"}"));
      co_return;
    }
    for (const auto& member : sent.get_object()) {
      if (member.key() != "to" || !member.value().is_string() || member.value().get_string().empty()) {
        exchange->reply(
            body_error("it may have \"to\", a version number or the beginning of a content hash, and nothing "
                       "else"));
        co_return;
      }
      to = std::string(member.value().get_string());
    }
  }
  const auto ask = [&](store::Done<catalog::PluginVersion> done) { api.engine.roll_back(plugin, to, std::move(done)); };
  const store::Result<catalog::PluginVersion> version = co_await until_done<catalog::PluginVersion>(*exchange, ask);
  if (!version) {
    exchange->reply(error_response(version.status()));
    co_return;
  }
  JsonText json;
  put_plugin(json, *version, {}, {});
  exchange->reply(ok(json.take()));
}

Handling release_plugin(Api& api, ExchangePtr exchange) {
  const std::string plugin = exchange->request().argument;
  using Tasks = std::vector<store::TaskId>;
  const auto ask = [&](store::Done<Tasks> done) { api.engine.release(plugin, std::move(done)); };
  const store::Result<Tasks> released = co_await until_done<Tasks>(*exchange, ask);
  if (!released) {
    exchange->reply(error_response(released.status()));
    co_return;
  }
  std::vector<std::string> tasks;
  for (const store::TaskId& task : *released) tasks.push_back(task.text());
  JsonText json;
  json.begin_object().text("name", plugin);
  put_texts(json, "released", tasks);
  json.end_object();
  exchange->reply(ok(json.take()));
}

}  // namespace perdure::api
