#include "store/model/token.h"

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
