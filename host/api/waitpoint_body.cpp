#include "host/api/waitpoint_body.h"

#include <optional>
#include <utility>
#include <vector>

#include "host/api/errors.h"
#include "host/api/json_members.h"
#include "store/model/duration.h"
#include "store/model/json_text.h"

namespace perdure::api {
namespace {

constexpr store::JsonLimits kBodyLimits{std::size_t{64} << 10, 8};
constexpr store::JsonLimits kCompletionLimits{8u << 20, 129};  // an object around the value

Response too_large() {
  return error_response(413, "the value has more than " + std::to_string(store::kLargestTokenValue) +
                                 " bytes: store it elsewhere and send where");
}

Response unfit(std::string_view name, const std::string& what) {
  return error_response(422, "\"" + std::string(name) + "\" " + what);
}

std::optional<Response> read_timeout(std::string_view value, engine::TokenRequest& request) {
  const std::optional<std::string> text = json_string(value);
  const store::Result<store::Delay> timeout = text ? store::parse_delay(*text) : store::Status::invalid("");
  if (!timeout) {
    return unfit("timeout", "must be a duration such as 10m or a time such as 2030-01-31T12:00:00Z, not " +
                                std::string(value.substr(0, 60)));
  }
  request.timeout = *timeout;
  return std::nullopt;
}

std::optional<Response> read_key(std::string_view value, engine::TokenRequest& request) {
  std::optional<std::string> key = json_string(value);
  if (!key || key->empty()) return unfit("idempotencyKey", "must be a string that is not empty");
  request.idempotency_key = std::move(*key);
  return std::nullopt;
}

// One that is written otherwise counts for nothing, by contract.
std::optional<Response> read_ttl(std::string_view value, engine::TokenRequest& request) {
  const std::optional<std::string> text = json_string(value);
  if (text) request.idempotency_ttl = store::parse_idempotency_ttl(*text);
  return std::nullopt;
}

std::optional<Response> read_tags(std::string_view value, engine::TokenRequest& request) {
  std::vector<std::string_view> parts{value};
  if (const auto elements = json_elements(value)) parts = *elements;
  for (const std::string_view part : parts) {
    std::optional<std::string> tag = json_string(part);
    if (!tag) return unfit("tags", "must be a tag or a list of tags, each a string");
    request.tags.push_back(std::move(*tag));
  }
  return std::nullopt;
}

struct Member {
  std::string_view name;
  std::optional<Response> (*read)(std::string_view value, engine::TokenRequest& request);
};
constexpr Member kMembers[] = {
    {"timeout", read_timeout}, {"idempotencyKey", read_key}, {"idempotencyKeyTTL", read_ttl}, {"tags", read_tags}};

}  // namespace

std::variant<engine::TokenRequest, Response> read_waitpoint(std::string_view body) {
  engine::TokenRequest request;
  if (trimmed(body).empty()) return request;
  if (const store::Status checked = store::check_json(body, kBodyLimits, "the body"); !checked) {
    return body_error(checked.message());
  }
  const auto members = json_members(body);
  if (!members) return body_error(R"(it must be an object such as {"timeout": "10m", "tags": ["approval"]})");
  for (const Member& member : kMembers) {
    const auto value = find_member(*members, member.name);
    if (!value || *value == "null") continue;
    if (std::optional<Response> refusal = member.read(*value, request)) return std::move(*refusal);
  }
  if (store::Status checked = store::check_token(request.tags, request.idempotency_key); !checked) {
    return error_response(checked);
  }
  return request;
}

std::variant<std::string, Response> read_completion(std::string_view body) {
  if (trimmed(body).empty()) return std::string();
  if (const store::Status checked = store::check_json(body, kCompletionLimits, "the body"); !checked) {
    return body_error(checked.message());
  }
  const auto members = json_members(body);
  if (!members) return body_error(R"(it must be an object such as {"data": what the token is completed with})");
  const auto data = find_member(*members, "data");
  if (!data && !members->empty()) {
    return body_error(R"(it has no "data": write {"data": what the token is completed with}, or {} for nothing)");
  }
  if (data && data->size() > store::kLargestTokenValue) return too_large();
  return std::string(data.value_or(""));
}

std::variant<std::string, Response> read_callback(std::string_view body) {
  const std::string_view value = trimmed(body);
  if (value.size() > store::kLargestTokenValue) return too_large();
  if (value.empty() || !store::check_token_value(value)) return std::string("{}");
  return std::string(value);
}

}  // namespace perdure::api
