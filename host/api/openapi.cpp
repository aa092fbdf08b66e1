#include "host/api/openapi.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include "host/api/api.h"
#include "host/api/json_text.h"
#include "host/api/openapi_schema.h"

namespace perdure::api {
namespace {

// What stands in braces in paths, with an example that the examples of requests have there.
struct Place {
  std::string_view name, description, example;
};
constexpr std::array kPlaces{
    Place{"task", "A task's id", "hello-world"},
    Place{"key", "An idempotency key as it was sent", "order-7"},
    Place{"run", "A run's id", "run_01k8cb7etv0pi9r661p4irqdh"},
    Place{"delayed", "The id of a run that is DELAYED", "run_01k8cb7ee796q42r6f00d53j9"},
    Place{"finished", "The id of a run that has ended", "run_01k8cb7ehk0qpbsviqt233ctn"},
    Place{"executing", "The id of a run that executes", "run_01k8cb7fmjcg53rv9sl32cveu"},
    Place{"bulk", "A bulk action's id", "bulk_01k8cb7g17bh7333l40da5vou"},
    Place{"batch", "A batch's id", "batch_01k8cb7fvr47i471ne5l15q0s"},
    Place{"stream", "A stream's name", "lines"},
    Place{"api_key", "A key's id", "key_YpgBryz1noLjyafaAC6s2"},
    Place{"queue", "A queue's id or name; a slash in a name is written %252F", "queue_ehgn6qpfcdnnarjk"},
    Place{"schedule", "A schedule's id", "sched_01k8cb7g2c1klqqb9k8ig1vgk"},
    Place{"plugin", "A plugin's name", "playground"},
    Place{"packet", "A packet's name, as one segment", "a%2Fb.json"},
    Place{"field", "payload or output", "payload"},
    Place{"waitpoint", "A waitpoint token's id", "waitpoint_01k8cb7g387l9e84tq7pqich3"},
    Place{"project", "Anything: a host has one project", "proj_any"},
    Place{"environment", "prod", "prod"},
    Place{"variable", "The name of a variable", "API_URL"},
    Place{"hash", "What ends the token's url", "5dbee0819b5a8a162ff6a2b9667a2ef4"},
    Place{"address", "What an address that the host made says here", "cGFja2V0IGE"}};

const Place& place_of(std::string_view name) {
  static constexpr Place kUnknown{};
  const auto* const found = std::ranges::find(kPlaces, name, &Place::name);
  return found == kPlaces.end() ? kUnknown : *found;
}

// Calls what(text, place) for each stretch of the path and the place after it; the last stretch has none.
template <class What>
void walk(std::string_view path, What what) {
  for (auto open = path.find('{'); open != std::string_view::npos; open = path.find('{')) {
    const auto close = path.find('}');
    what(path.substr(0, open), path.substr(open + 1, close - open - 1));
    path.remove_prefix(close + 1);
  }
  what(path, std::string_view());
}

// Calls what(name, example) for each query parameter; the example is empty for those that examples leave out.
template <class What>
void walk_query(std::string_view query, What what) {
  while (!query.empty()) {
    const auto blank = std::min(query.find(' '), query.size());
    const std::string_view word = query.substr(0, blank);
    query.remove_prefix(std::min(blank + 1, query.size()));
    const auto equals = std::min(word.find('='), word.size());
    what(word.substr(0, equals), word.substr(std::min(equals + 1, word.size())));
  }
}

void put_parameters(JsonText& json, const Operation& operation) {
  json.key("parameters").begin_array();
  walk(operation.path, [&json](std::string_view, std::string_view name) {
    if (name.empty()) return;
    const Place& place = place_of(name);
    json.begin_object().text("name", name).text("in", "path").boolean("required", true);
    json.text("description", place.description).text("example", place.example);
    json.raw("schema", R"({"type":"string"})").end_object();
  });
  walk_query(operation.query, [&json](std::string_view name, std::string_view example) {
    json.begin_object().text("name", name).text("in", "query").boolean("required", false);
    if (!example.empty()) json.text("example", example);
    json.raw("schema", R"({"type":"string"})").end_object();
  });
  json.end_array();
}

std::string example_target(const Operation& operation) {
  std::string target;
  walk(operation.path, [&target](std::string_view text, std::string_view place) {
    target.append(text);
    if (!place.empty()) target.append(place_of(place).example);
  });
  char separator = '?';
  walk_query(operation.query, [&](std::string_view name, std::string_view example) {
    if (example.empty()) return;
    (target += std::exchange(separator, '&')).append(name).append("=").append(example);
  });
  return target;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

bool is_open(std::string_view path) {
  return path.starts_with("/packets/") || path == "/healthz" || path == "/readyz" || path == "/api/v1/timezones";
}

// The example as somebody would type it, who has the key in $KEY and the host's address in $URL.
std::string curl_command(const Operation& operation) {
  std::string command = "curl";
  if (operation.method != Method::kGet) command.append(" -X ").append(method_name(operation.method));
  if (!is_open(operation.path)) command += " -H \"authorization: Bearer $KEY\"";
  if (!operation.body.empty()) {
    command.append(" -H 'content-type: ").append(operation.type).append("' -d '").append(operation.body).append("'");
  }
  return command + " \"$URL" + example_target(operation) + "\"";
}

void put_answer(JsonText& json, const Operation& operation) {
  json.key(std::to_string(operation.status)).begin_object().text("description", "Done.").key("content").begin_object();
  json.key(operation.answer.empty() ? "text/event-stream" : "application/json").begin_object().key("schema");
  put_type(json, operation.answer.empty() ? "text" : operation.answer);
  json.end_object().end_object().end_object();
}

void put_operation(JsonText& json, const Operation& operation) {
  json.key(lower(method_name(operation.method))).begin_object().text("summary", operation.summary);
  put_parameters(json, operation);
  if (!operation.body.empty()) {
    json.key("requestBody").begin_object().key("content").begin_object().key(operation.type).begin_object();
    json.raw("schema", R"({"type":"object"})").raw("example", operation.body).end_object().end_object().end_object();
  }
  json.key("responses").begin_object();
  put_answer(json, operation);
  json.raw("default", R"({"$ref":"#/components/responses/Error"})").end_object();
  if (is_open(operation.path)) json.raw("security", "[]");
  json.key("x-codeSamples").begin_array().begin_object().text("lang", "curl");
  json.text("source", curl_command(operation)).end_object().end_array().end_object();
}

constexpr std::string_view kSecuritySchemes =
    R"({"key":{"type":"http","scheme":"bearer","description":)"
    R"("The root key, a key of `perdure keys create`, or a public access token"}})";
constexpr std::string_view kResponses = R"({"Error":{"description":"Why not: one sentence.","content":)"
                                        R"({"application/json":{"schema":{"type":"object","required":["error"],)"
                                        R"("properties":{"error":{"type":"string"}}}}}}})";

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
  json.end_object().key("components").begin_object().key("schemas");
  put_schemas(json);
  json.raw("securitySchemes", kSecuritySchemes).raw("responses", kResponses);
  return json.end_object().end_object().take();
}

Handling show_openapi(Api& api, ExchangePtr exchange) {
  exchange->reply(ok(openapi_document(api.options.version)));
  co_return;
}

}  // namespace perdure::api
