#include "host/api/waitpoint_json.h"

#include <algorithm>
#include <vector>

#include "host/api/auth/digest.h"
#include "host/api/json_members.h"

namespace perdure::api {

std::string callback_url(std::string_view base, const store::TokenId& id, std::string_view seal) {
  return std::string(base) + "/api/v1/waitpoints/tokens/" + id.text() + "/callback/" + std::string(seal);
}

std::string callback_url_by_key(std::string_view base, const store::TokenId& id, std::string_view root_key) {
  return callback_url(base, id, auth::to_hex(auth::hmac_sha256(root_key, id.text())));
}

std::string base_of(const Request& request, std::string_view listen) {
  const std::string* const host = request.header("host");
  const std::string* const scheme = request.header("x-forwarded-proto");  // of a proxy that speaks TLS
  return (scheme != nullptr && *scheme == "https" ? "https://" : "http://") +
         (host != nullptr ? *host : std::string(listen));
}

void put_waitpoint(JsonText& json, const store::Token& token, std::string_view url) {
  json.text("id", token.id.text()).text("url", url).text("status", store::token_status_name(token.status));
  std::vector<std::string> tags = token.tags;
  std::ranges::sort(tags);
  json.key("tags").begin_array();
  for (const std::string& tag : tags) json.text(tag);
  json.end_array().time("createdAt", token.created_at).time("timeoutAt", token.timeout_at);
  if (token.completed_at) json.time("completedAt", *token.completed_at);
  if (!token.idempotency_key.empty()) json.text("idempotencyKey", token.idempotency_key);
  if (token.key_expires_at) json.time("idempotencyKeyExpiresAt", *token.key_expires_at);
  if (!token.run.empty()) json.text("runId", token.run.text());
}

void put_waitpoint_output(JsonText& json, const store::Token& token) {
  if (token.status == store::TokenStatus::kTimedOut) {
    json.text("output", store::token_timeout_error(token.completed_at.value_or(token.timeout_at)));
    json.text("outputType", "application/json").boolean("outputIsError", true);
  } else if (!token.output.empty()) {
    // A packet: a string as it is, anything else as JSON text; clients take one that has no text for none at all.
    const std::optional<std::string> text = json_string(token.output);
    const bool plain = text.has_value() && !text->empty();
    json.text("output", plain ? *text : token.output);
    json.text("outputType", plain ? "text/plain" : "application/json").boolean("outputIsError", false);
  }
}

}  // namespace perdure::api
