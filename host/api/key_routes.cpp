// The host's keys: GET and POST /perdure/v1/keys, DELETE /perdure/v1/keys/{id}, POST /perdure/v1/keys/root/rotate. All
// of it is for keys with the scope "admin".
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "host/api/api.h"
#include "host/api/errors.h"
#include "host/api/json_members.h"
#include "host/api/json_text.h"
#include "host/telemetry/log.h"
#include "store/model/duration.h"
#include "store/model/json_text.h"

namespace perdure::api {
namespace {

constexpr store::JsonLimits kBodyLimits{16u << 10, 16};
constexpr store::Duration kUsualGrace = std::chrono::hours(24);

void put_key(JsonText& json, const auth::StoredKey& key) {
  json.text("id", key.id).text("name", key.name).text("hint", key.hint).key("scopes").begin_array();
  for (const auth::Right right : auth::kRights) {
    if ((key.rights & static_cast<auth::Rights>(right)) != 0) json.text(auth::right_name(right));
  }
  json.end_array().time("createdAt", key.created_at);
}

// What a body asks for; no body asks for nothing.
std::variant<std::vector<JsonMember>, Response> members_of(const std::string& body) {
  if (trimmed(body).empty()) return std::vector<JsonMember>{};
  if (store::Status checked = store::check_json(body, kBodyLimits, "the body"); !checked) {
    return body_error(checked.message());
  }
  std::optional<std::vector<JsonMember>> members = json_members(body);
  if (!members) return body_error("the body must be an object");
  return std::move(*members);
}

std::variant<auth::Rights, Response> rights_in(const std::vector<JsonMember>& members) {
  const auto scopes = find_member(members, "scopes");
  const auto names = scopes ? json_elements(*scopes) : std::nullopt;
  if (!names || names->empty()) return body_error(R"("scopes" must be a list of "read", "trigger" and "admin")");
  auth::Rights rights = 0;
  for (const std::string_view name : *names) {
    const auto right = auth::parse_right(json_string(name).value_or(""));
    if (!right) return body_error(R"("scopes" must be a list of "read", "trigger" and "admin")");
    rights = static_cast<auth::Rights>(rights | static_cast<auth::Rights>(*right));
  }
  return rights;
}

Response create(Api& api, const Request& request) {
  auto body = members_of(request.body);
  if (Response* const refusal = std::get_if<Response>(&body)) return std::move(*refusal);
  const auto& members = std::get<std::vector<JsonMember>>(body);
  auto rights = rights_in(members);
  if (Response* const refusal = std::get_if<Response>(&rights)) return std::move(*refusal);
  std::string name;
  if (const auto given = find_member(members, "name")) {
    const auto text = json_string(*given);
    if (!text) return body_error("\"name\" must be a string");
    name = *text;
  }
  const auto created = api.keys.create(std::move(name), std::get<auth::Rights>(rights), wall_clock());
  if (!created) return error_response(created.status());
  telemetry::log().info("the key {} (…{}) was created", created->key.id, created->key.hint);
  JsonText json;
  put_key(json.begin_object(), created->key);
  json.text("key", created->text).end_object();
  return ok(json.take());
}

Response replace_root(Api& api, const Request& request) {
  auto body = members_of(request.body);
  if (Response* const refusal = std::get_if<Response>(&body)) return std::move(*refusal);
  store::Duration grace = kUsualGrace;
  if (const auto given = find_member(std::get<std::vector<JsonMember>>(body), "grace")) {
    const auto parsed = store::parse_ttl(json_string(*given).value_or(std::string(*given)));
    if (!parsed) return body_error("\"grace\" must be a duration such as \"24h\", or 0: " + parsed.status().message());
    grace = parsed.value();
  }
  const store::Time now = wall_clock();
  const auto key = api.keys.replace_root(now + grace, now);
  if (!key) return error_response(key.status());
  telemetry::log().info("the root key was replaced");
  JsonText json;
  json.begin_object().text("key", key.value()).time("formerKeyAcceptedUntil", now + grace).end_object();
  return ok(json.take());
}

}  // namespace

Handling list_keys(Api& api, ExchangePtr exchange) {
  JsonText json;
  json.begin_object().key("data").begin_array();
  for (const auth::StoredKey& key : api.keys.keys()) {
    put_key(json.begin_object(), key);
    json.end_object();
  }
  json.end_array().end_object();
  exchange->reply(ok(json.take()));
  co_return;
}

Handling create_key(Api& api, ExchangePtr exchange) {
  exchange->reply(create(api, exchange->request()));
  co_return;
}

Handling revoke_key(Api& api, ExchangePtr exchange) {
  const auto revoked = api.keys.revoke(exchange->request().argument);
  if (!revoked) {
    exchange->reply(error_response(revoked.status()));
    co_return;
  }
  telemetry::log().info("the key {} (…{}) was revoked", revoked->id, revoked->hint);
  JsonText json;
  put_key(json.begin_object(), *revoked);
  exchange->reply(ok(json.end_object().take()));
}

Handling rotate_root_key(Api& api, ExchangePtr exchange) {
  exchange->reply(replace_root(api, exchange->request()));
  co_return;
}

}  // namespace perdure::api
