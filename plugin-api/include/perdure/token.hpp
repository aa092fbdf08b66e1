// Waitpoint tokens: something that a run waits for and that anybody completes, once, with a value. Values; what is left
// out of the options means the host's default.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <perdure/errors.hpp>
#include <perdure/json.hpp>
#include <perdure/json_write.hpp>
#include <perdure/options.hpp>

namespace perdure {

struct TokenOptions {
  std::optional<milliseconds> timeout{};          // from its creation until it times out; 10 minutes
  std::vector<std::string> tags{};                // to find it by; at most 10 of 1 to 128 characters
  std::string idempotency_key{};                  // the token that anybody has made with it is the answer
  std::optional<milliseconds> idempotency_ttl{};  // 30 days
};

/// A token that was made.
struct Token {
  std::string id;
  std::string url;  // a POST to it, without a key, completes the token with its body: hand it to whom is to do that
};

/// What came of a token that was waited for: the value that it was completed with, or that it timed out. The awaiting
/// task decides.
template <class T>
class TokenResult {
 public:
  explicit TokenResult(std::optional<T> value, std::string words = {})
      : value_(std::move(value)), words_(std::move(words)) {}

  bool ok() const noexcept { return value_.has_value(); }
  explicit operator bool() const noexcept { return ok(); }
  bool timed_out() const noexcept { return !ok(); }
  /// Of a token that was completed; std::bad_optional_access otherwise.
  const T& value() const { return value_.value(); }
  /// When it timed out, as a sentence; empty of one that was completed.
  const std::string& error() const noexcept { return words_; }
  /// The value, or the Error "WaitpointTimeoutError" thrown, which fails the attempt unless it is caught.
  T unwrap() const& {
    if (!ok()) throw Error("WaitpointTimeoutError", words_);
    return *value_;
  }

 private:
  std::optional<T> value_;
  std::string words_;
};

namespace detail {

/// The options as token_create wants them; empty when nothing was said.
inline std::string token_json(const TokenOptions& options) {
  json::object out;
  if (options.timeout) out["timeoutMs"] = options.timeout->count();
  for (const std::string& tag : options.tags) {
    if (!out.contains("tags")) out["tags"] = json::array();
    out["tags"].get_array().emplace_back(tag);
  }
  if (!options.idempotency_key.empty()) out["idempotencyKey"] = options.idempotency_key;
  if (options.idempotency_ttl) out["idempotencyKeyTtlMs"] = options.idempotency_ttl->count();
  return out.empty() ? std::string() : to_json(out);
}

}  // namespace detail
}  // namespace perdure
