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

#include "store/model/call.h"
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

/// A token to be created.
struct NewToken {
  TokenId id;  // by new_token_id(); the caller's
  Time now{};
  Time timeout_at{};
  bool calendar = false;  // see Token
  std::vector<std::string> tags;
  std::string idempotency_key;
  Duration idempotency_ttl = kTokenKeyTtl;
  std::optional<AttemptCall> by;  // a later attempt that makes this call again gets the token that the first one got
};
struct CreatedToken {
  Token token;
  bool existing = false;  // an idempotency key or a call found an earlier one
};

struct TokenCompletion {
  TokenId id;
  std::string output;  // see Token
  Time now{};
  std::optional<AttemptCall> by;
};

/// The token as it begins. kInvalid: see check_token().
Result<Token> token_of(const NewToken& created);
/// Ends a token that waits: COMPLETED with `output`.
void complete(Token& token, std::string output, Time now);
/// … or TIMED_OUT.
void time_out(Token& token, Time now);

/// Which tokens are listed; of several values one is enough, none: all. The time in an id is when it was created.
struct TokenFilter {
  std::vector<TokenStatus> statuses;
  std::vector<std::string> tags;
  TokenId id;                    // this one alone
  std::string idempotency_key;   // those that were created with it
  std::optional<Time> from, to;  // created_at, inclusive
  TokenId after, before;         // cursor: older than `after`, or newer than `before`; empty: from the newest
  std::size_t limit = 25;        // 1-100
};
struct TokenPage {
  std::vector<Token> tokens;  // newest first
  bool more_after = false;    // there may be older ones: those after `after`
  bool more_before = false;   // there may be newer ones: those before `before`
  TokenId after, before;      // see RunPage
};
/// Whether the filter lets the token through, whatever its cursor.
bool lets_through(const TokenFilter& filter, const Token& token);

/// What a waiter gets of a token that timed out then, as the public contract words it: JSON text.
std::string token_timeout_error(Time timed_out_at);

/// kInvalid unless a token may be created with these.
Status check_token(const std::vector<std::string>& tags, std::string_view idempotency_key);
/// kInvalid unless a token may be completed with this: JSON text, or nothing.
Status check_token_value(std::string_view output);

}  // namespace perdure::store
