// Waitpoint tokens from outside: made for a run to wait for, looked at, completed. Part of Client; any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <perdure/client/channel.hpp>
#include <perdure/client/members.hpp>
#include <perdure/client/trigger_body.hpp>
#include <perdure/token.hpp>

namespace perdure::client {

/// A token that was made, or found by its idempotency key.
struct MadeToken : Token {
  bool cached = false;
};

/// A token as its host tells of it.
struct TokenState {
  std::string id;
  std::string url;
  std::string status;  // "WAITING", "COMPLETED", "TIMED_OUT"
  std::vector<std::string> tags{};
  Instant created_at{};
  std::optional<Instant> timeout_at{};
  std::optional<Instant> completed_at{};
  std::optional<json::value> output{};  // what it was completed with
};

namespace detail {

inline TokenState read_token(const json::object& object) {
  TokenState token;
  token.id = required<std::string>(object, "id");
  token.url = required<std::string>(object, "url");
  token.status = required<std::string>(object, "status");
  token.tags = required<std::vector<std::string>>(object, "tags");
  token.created_at = required_time(object, "createdAt");
  token.timeout_at = optional_time(object, "timeoutAt");
  token.completed_at = optional_time(object, "completedAt");
  const auto text = optional<std::string>(object, "output");
  if (text && token.status == "COMPLETED") {
    const bool plain = optional<std::string>(object, "outputType").value_or("") == "text/plain";
    token.output = plain ? json::value(*text) : perdure::detail::parse(*text);
  }
  return token;
}

}  // namespace detail

class Tokens {
  static std::string path_of(std::string_view below) { return "/api/v1/waitpoints/tokens" + std::string(below); }

 public:
  explicit Tokens(std::shared_ptr<const detail::Channel> channel) : channel_(std::move(channel)) {}

  /// Hand its id to a run, in a payload, and its id or url to whoever is to complete it. Durations count in whole
  /// seconds, rounded up.
  MadeToken create_token(const TokenOptions& options = {}) const {
    json::object body;
    if (options.timeout) body["timeout"] = detail::seconds_of(options.timeout->count());
    if (!options.tags.empty()) body["tags"] = json::array(options.tags.begin(), options.tags.end());
    if (!options.idempotency_key.empty()) body["idempotencyKey"] = options.idempotency_key;
    if (options.idempotency_ttl) body["idempotencyKeyTTL"] = detail::seconds_of(options.idempotency_ttl->count());
    const std::string doing = "making a token";
    const json::object answer =
        channel_->ask_object({.doing = doing, .method = "POST", .path = path_of(""), .body = to_json(body)});
    return detail::Channel::understood(doing, 200, [&] {
      return MadeToken{{detail::required<std::string>(answer, "id"), detail::required<std::string>(answer, "url")},
                       detail::optional<bool>(answer, "isCached").value_or(false)};
    });
  }

  TokenState retrieve_token(std::string_view token_id) const {
    const std::string doing = "retrieving token " + std::string(token_id);
    const json::object answer =
        channel_->ask_object({.doing = doing, .path = path_of("/" + detail::escaped(token_id))});
    return detail::Channel::understood(doing, 200, [&] { return detail::read_token(answer); });
  }

  /// The run that waits for it goes on with `value`. A token that is completed already keeps what it has.
  template <class T>
  void complete_token(std::string_view token_id, const T& value) const {
    complete(token_id, R"({"data":)" + to_json(value) + "}");
  }
  void complete_token(std::string_view token_id) const { complete(token_id, "{}"); }

 private:
  void complete(std::string_view token_id, std::string body) const {
    (void)channel_->ask({.doing = "completing token " + std::string(token_id),
                         .method = "POST",
                         .path = path_of("/" + detail::escaped(token_id) + "/complete"),
                         .body = std::move(body)});
  }

  std::shared_ptr<const detail::Channel> channel_;
};

}  // namespace perdure::client
