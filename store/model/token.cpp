#include "store/model/token.h"

#include <algorithm>
#include <utility>

#include "store/model/json_text.h"
#include "store/model/tags.h"
#include "store/model/timestamp.h"

namespace perdure::store {
namespace {

constexpr JsonLimits kValueLimits{kLargestTokenValue, 128};

}  // namespace

std::string_view token_status_name(TokenStatus status) {
  switch (status) {
    case TokenStatus::kWaiting:
      return "WAITING";
    case TokenStatus::kCompleted:
      return "COMPLETED";
    case TokenStatus::kTimedOut:
      return "TIMED_OUT";
  }
  return "WAITING";
}

std::optional<TokenStatus> parse_token_status(std::string_view name) {
  for (const TokenStatus each : {TokenStatus::kWaiting, TokenStatus::kCompleted, TokenStatus::kTimedOut}) {
    if (token_status_name(each) == name) return each;
  }
  return std::nullopt;
}

Result<Token> token_of(const NewToken& created) {
  if (Status checked = check_token(created.tags, created.idempotency_key); !checked) return checked;
  if (!is_token_id(created.id.text())) {
    return Status::invalid("\"" + created.id.text() + "\" is no token id; make one with new_token_id()");
  }
  Token token;
  token.id = created.id;
  token.created_at = created.now;
  token.timeout_at = std::max(created.timeout_at, created.now);
  token.calendar = created.calendar;
  token.tags = created.tags;
  token.idempotency_key = created.idempotency_key;
  if (!created.idempotency_key.empty()) token.key_expires_at = created.now + created.idempotency_ttl;
  if (created.by) {
    token.run = created.by->run;
    token.attempt = created.by->number;
  }
  return token;
}

void complete(Token& token, std::string output, Time now) {
  token.status = TokenStatus::kCompleted;
  token.output = std::move(output);
  token.completed_at = now;
}

void time_out(Token& token, Time now) {
  token.status = TokenStatus::kTimedOut;
  token.completed_at = now;
}

bool lets_through(const TokenFilter& filter, const Token& token) {
  const auto any = [](const auto& wanted, auto has) { return wanted.empty() || std::ranges::any_of(wanted, has); };
  return any(filter.statuses, [&](TokenStatus each) { return each == token.status; }) &&
         any(filter.tags, [&](const std::string& each) { return std::ranges::count(token.tags, each) > 0; }) &&
         (filter.id.empty() || filter.id == token.id) &&
         (filter.idempotency_key.empty() || filter.idempotency_key == token.idempotency_key) &&
         (!filter.from || token.created_at >= *filter.from) && (!filter.to || token.created_at <= *filter.to);
}

std::string token_timeout_error(Time timed_out_at) {
  return R"({"code":"TRIGGER_WAITPOINT_TIMEOUT","message":"Waitpoint timed out at )" + format_time(timed_out_at) +
         "\"}";
}

Status check_token(const std::vector<std::string>& tags, std::string_view idempotency_key) {
  if (tags.size() > kMostTags) {
    return Status::invalid("a token has at most " + std::to_string(kMostTags) + " tags, not " +
                           std::to_string(tags.size()));
  }
  if (const auto added = tags_to_add({}, tags); !added) return added.status();
  if (idempotency_key.size() > kLongestTokenKey) {
    return Status::invalid("an idempotency key has at most " + std::to_string(kLongestTokenKey) + " bytes, not " +
                           std::to_string(idempotency_key.size()));
  }
  return Status::ok();
}

Status check_token_value(std::string_view output) {
  return output.empty() ? Status::ok() : check_json(output, kValueLimits, "the value of the token");
}

}  // namespace perdure::store
