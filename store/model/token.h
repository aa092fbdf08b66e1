// Waitpoint tokens: something that runs can wait for and that anybody completes, once, with a value; or nobody does in
// time, and it times out. Values and pure functions; any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/model/ids.h"
#include "store/model/status.h"

namespace perdure::store {

/// Numbers are stored: append only.
enum class TokenStatus : std::uint8_t { kWaiting = 1, kCompleted = 2, kTimedOut = 3 };
std::string_view token_status_name(TokenStatus status);  // "WAITING", "COMPLETED", "TIMED_OUT"
std::optional<TokenStatus> parse_token_status(std::string_view name);

inline constexpr Duration kTokenTimeout = std::chrono::minutes(10);  // unless it is created with another
inline constexpr Duration kTokenKeyTtl = std::chrono::hours(24 * 30);
inline constexpr std::size_t kLongestTokenKey = 2048;                    // bytes
inline constexpr std::size_t kLargestTokenValue = std::size_t{3} << 20;  // bytes, as a payload

struct Token {
  TokenId id;
  TokenStatus status = TokenStatus::kWaiting;
  Time created_at{};
  Time timeout_at{};
  bool calendar = false;             // `timeout_at` is a time of the calendar, not the end of a duration
  std::optional<Time> completed_at;  // or timed out
  std::string output;  // JSON text that it was completed with; empty: with nothing, or it is not COMPLETED
  std::vector<std::string> tags;
  std::string idempotency_key;  // empty: none
  std::optional<Time> key_expires_at;
  RunId run;  // whose attempt created it; empty: it came from outside
  std::uint32_t attempt = 0;
  bool operator==(const Token&) const = default;
};

/// What a waiter gets of a token that timed out then, as the public contract words it: JSON text.
std::string token_timeout_error(Time timed_out_at);

/// kInvalid unless a token may be created with these.
Status check_token(const std::vector<std::string>& tags, std::string_view idempotency_key);
/// kInvalid unless a token may be completed with this: JSON text, or nothing.
Status check_token_value(std::string_view output);

}  // namespace perdure::store
