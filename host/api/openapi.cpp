#include "host/api/openapi.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include "host/api/api.h"
#include "host/api/json_text.h"

namespace perdure::api {
namespace {

// What stands in braces in paths.
constexpr std::array<std::pair<std::string_view, std::string_view>, 18> kPlaces{
    {{"task", "A task's id"},
     {"key", "An idempotency key as it was sent"},
     {"run", "A run's id"},
     {"delayed", "The id of a run that is DELAYED"},
     {"finished", "The id of a run that has ended"},
     {"executing", "The id of a run that executes"},
     {"bulk", "A bulk action's id"},
     {"batch", "A batch's id"},
     {"stream", "A stream's name"},
     {"api_key", "A key's id"},
     {"queue", "A queue's id or name; a slash in a name is written %252F"},
     {"schedule", "A schedule's id"},
     {"plugin", "A plugin's name"},
     {"packet", "A packet's name, as one segment"},
     {"field", "payload or output"},
     {"waitpoint", "A waitpoint token's id"},
     {"hash", "What ends the token's url"},
     {"address", "What an address that the host made says here"}}};

std::string_view description_of(std::string_view place) {
  const auto* const found = std::ranges::find(kPlaces, place, &std::pair<std::string_view, std::string_view>::first);
  return found == kPlaces.end() ? std::string_view() : found->second;
}

void put_parameter(JsonText& json, std::string_view name, std::string_view where, std::string_view description) {
  json.begin_object().text("name", name).text("in", where).boolean("required", where == "path");
  if (!description.empty()) json.text("description", description);
  json.raw("schema", R"({"type":"string"})").end_object();
}

void put_parameters(JsonText& json, const Operation& operation) {
  json.key("parameters").begin_array();
  std::string_view rest = operation.path;
  for (auto open = rest.find('{'); open != std::string_view::npos; open = rest.find('{')) {
    const auto close = rest.find('}');
    const std::string_view place = rest.substr(open + 1, close - open - 1);
    put_parameter(json, place, "path", description_of(place));
    rest.remove_prefix(close + 1);
  }
  rest = operation.query;
  while (!rest.empty()) {
    const auto blank = std::min(rest.find(' '), rest.size());
    put_parameter(json, rest.substr(0, blank), "query", {});
    rest.remove_prefix(std::min(blank + 1, rest.size()));
  }
  json.end_array();
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

bool is_open(std::string_view path) {
  return path.starts_with("/packets/") || path == "/healthz" || path == "/readyz" || path == "/api/v1/timezones";
}

void put_operation(JsonText& json, const Operation& operation) {
  json.key(lower(method_name(operation.method))).begin_object().text("summary", operation.summary);
  put_parameters(json, operation);
  if (!operation.body.empty()) {
    json.key("requestBody").begin_object().key("content").begin_object().key(operation.type).begin_object();
    json.raw("schema", R"({"type":"object"})").raw("example", operation.body).end_object().end_object().end_object();
  }
  json.key("responses").begin_object();
  json.raw(std::to_string(operation.status), R"({"description":"Done."})");
  json.raw("default", R"({"$ref":"#/components/responses/Error"})").end_object();
  if (is_open(operation.path)) json.raw("security", "[]");
  json.end_object();
}

constexpr std::string_view kComponents =
    R"({"securitySchemes":{"key":{"type":"http","scheme":"bearer","description":)"
    R"("The root key, a key of `perdure keys create`, or a public access token"}},)"
    R"("responses":{"Error":{"description":"Why not: one sentence.","content":)"
    R"({"application/json":{"schema":{"type":"object","required":["error"],)"
    R"("properties":{"error":{"type":"string"}}}}}}}})";

}  // namespace

std::string openapi_document(std::string_view version) {
  std::map<std::string_view, std::vector<const Operation*>> paths;
  for (const Operation& operation : operations()) paths[operation.path].push_back(&operation);
  JsonText json;
  json.begin_object().text("openapi", "3.1.0").key("info").begin_object();
  json.text("title", "Perdure").text("version", version).end_object();
  json.raw("security", R"([{"key":[]}])").key("paths").begin_object();
  for (const auto& [path, on_it] : paths) {
    json.key(path).begin_object();
    for (const Operation* const operation : on_it) put_operation(json, *operation);
    json.end_object();
  }
  return json.end_object().raw("components", kComponents).end_object().take();
}

Handling show_openapi(Api& api, ExchangePtr exchange) {
  exchange->reply(ok(openapi_document(api.options.version)));
  co_return;
}

}  // namespace perdure::api
