// /api/v1/projects/{ref}/envvars/{environment}: the variables that attempts find in their environment. A host has one
// project, whatever it is called, and one environment, "prod". Names are logged, values never; a secret one is given to
// attempts and shown to nobody.
#include <functional>
#include <string>
#include <utility>
#include <variant>

#include "host/api/api.h"
#include "host/api/errors.h"
#include "host/api/json_members.h"
#include "host/api/json_text.h"
#include "host/engine/variables.h"
#include "host/telemetry/log.h"
#include "store/model/json_text.h"

namespace perdure::api {
namespace {

using engine::Variable;
using engine::VariableMap;
using engine::Variables;
using Members = std::vector<JsonMember>;

constexpr store::JsonLimits kBodyLimits{std::size_t{1} << 20, 8};
constexpr std::string_view kEnvironment = "prod";
constexpr std::size_t kPlaceOfEnvironment = 5, kPlaceOfName = 6;  // among the segments of the path

const std::string& name_in(const Request& request) { return request.path[kPlaceOfName]; }

// Why the path leads to no variables, if so.
std::optional<Response> unless_ours(const Request& request) {
  const std::string& environment = request.path[kPlaceOfEnvironment];
  if (environment == kEnvironment) return std::nullopt;
  return error_response(404, "the environment \"" + environment + "\" does not exist: this host has one, \"prod\"");
}

std::variant<Members, Response> members_of(const std::string& body) {
  if (store::Status checked = store::check_json(body, kBodyLimits, "the body"); !checked) {
    return body_error(checked.message());
  }
  std::optional<Members> members = json_members(body);
  if (!members) return body_error(R"(it must be an object such as {"name": "API_URL", "value": "https://…"})");
  return std::move(*members);
}

void put_variable(JsonText& json, std::string_view name, const Variable& variable) {
  json.begin_object().text("name", name).text("value", variable.secret ? "<redacted>" : variable.value);
  json.boolean("isSecret", variable.secret).end_object();
}

Response list(Api& api, const Request&) {
  JsonText json;
  json.begin_array();
  for (const auto& [name, variable] : api.engine.variables().all()) put_variable(json, name, variable);
  return ok(json.end_array().take());
}

Response show(Api& api, const Request& request) {
  const store::Result<Variable> found = api.engine.variables().find(name_in(request));
  if (!found) return error_response(found.status());
  JsonText json;
  put_variable(json, name_in(request), *found);
  return ok(json.take());
}

Response done(const store::Status& status, const std::string& what) {
  if (!status) return error_response(status);
  telemetry::log().info("{}", what);
  return ok(R"({"success":true})");
}

Response create(Api& api, const Request& request) {
  auto body = members_of(request.body);
  if (Response* const refusal = std::get_if<Response>(&body)) return std::move(*refusal);
  const Members& members = std::get<Members>(body);
  const auto name = json_string(find_member(members, "name").value_or(""));
  auto value = json_string(find_member(members, "value").value_or(""));
  if (!name || !value) return body_error(R"(it must have a "name" and a "value", both strings)");
  Variable variable{std::move(*value), find_member(members, "isSecret") == "true"};
  return done(api.engine.variables().set({{*name, std::move(variable)}}, Variables::Existing::kReplace),
              "the variable " + *name + " was set");
}

Response update(Api& api, const Request& request) {
  auto body = members_of(request.body);
  if (Response* const refusal = std::get_if<Response>(&body)) return std::move(*refusal);
  auto value = json_string(find_member(std::get<Members>(body), "value").value_or(""));
  if (!value) return body_error(R"(it must have a "value", a string)");
  return done(api.engine.variables().change(name_in(request), std::move(*value)),
              "the variable " + name_in(request) + " was changed");
}

Response remove(Api& api, const Request& request) {
  return done(api.engine.variables().remove(name_in(request)), "the variable " + name_in(request) + " was removed");
}

Response import(Api& api, const Request& request) {
  auto body = members_of(request.body);
  if (Response* const refusal = std::get_if<Response>(&body)) return std::move(*refusal);
  const Members& members = std::get<Members>(body);
  const auto given = json_members(find_member(members, "variables").value_or(""));
  if (!given) return body_error(R"(it must have "variables", an object of names and values)");
  VariableMap variables;
  for (const JsonMember& each : *given) {
    auto value = json_string(each.value);
    if (!value) return body_error("the value of " + each.name + " must be a string");
    variables[each.name] = {std::move(*value), find_member(members, "isSecret") == "true"};
  }
  const bool replaces = find_member(members, "override") == "true";
  return done(
      api.engine.variables().set(variables, replaces ? Variables::Existing::kReplace : Variables::Existing::kRefuse),
      std::to_string(variables.size()) + " variables were imported");
}

void answer(Api& api, Exchange& exchange, Response (*route)(Api& api, const Request& request)) {
  std::optional<Response> refusal = unless_ours(exchange.request());
  exchange.reply(refusal ? std::move(*refusal) : route(api, exchange.request()));
}

}  // namespace

Handling list_variables(Api& api, ExchangePtr exchange) {
  answer(api, *exchange, list);
  co_return;
}
Handling create_variable(Api& api, ExchangePtr exchange) {
  answer(api, *exchange, create);
  co_return;
}
Handling import_variables(Api& api, ExchangePtr exchange) {
  answer(api, *exchange, import);
  co_return;
}
Handling show_variable(Api& api, ExchangePtr exchange) {
  answer(api, *exchange, show);
  co_return;
}
Handling update_variable(Api& api, ExchangePtr exchange) {
  answer(api, *exchange, update);
  co_return;
}
Handling delete_variable(Api& api, ExchangePtr exchange) {
  answer(api, *exchange, remove);
  co_return;
}

}  // namespace perdure::api
