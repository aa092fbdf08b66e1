// Public access tokens: what a browser, or anybody else, is given instead of a key, to do one thing for some time. Part
// of Client; any thread.
#pragma once

#include <chrono>
#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <perdure/client/channel.hpp>
#include <perdure/client/handle.hpp>
#include <perdure/client/members.hpp>
#include <perdure/client/trigger_body.hpp>
#include <perdure/token.hpp>

namespace perdure::client {

struct PublicTokenOptions {
  milliseconds lifetime = std::chrono::minutes(15);  // in whole seconds
  bool one_time = false;                             // of a trigger: good for one
};

class PublicTokens {
 public:
  explicit PublicTokens(std::shared_ptr<const detail::Channel> channel) : channel_(std::move(channel)) {}

  /// A token for {"read:runs:run_…"}, {"read:tags:x"}, {"trigger:tasks:hello"}, {"write:waitpoints:waitpoint_…"} …,
  /// with which another Client, or the JavaScript SDK, does just that. Forbidden for what this client's own key may not
  /// do.
  std::string public_token(const std::vector<std::string>& scopes, const PublicTokenOptions& options = {}) const {
    const json::object body{{"scopes", json::array(scopes.begin(), scopes.end())},
                            {"expirationTime", detail::seconds_of(options.lifetime.count())},
                            {"oneTimeUse", options.one_time}};
    const std::string doing = "making a public access token";
    const json::object answer = channel_->ask_object(
        {.doing = doing, .method = "POST", .path = "/api/v1/auth/public-tokens", .body = to_json(body)});
    return detail::Channel::understood(doing, 200, [&] { return detail::required<std::string>(answer, "token"); });
  }
  /// One that reads, and follows, this run.
  template <class Out>
  std::string public_token(const Handle<Out>& run, const PublicTokenOptions& options = {}) const {
    return public_token(std::vector{"read:runs:" + run.id}, options);
  }
  /// … this batch and its runs.
  template <class Out>
  std::string public_token(const Batch<Out>& batch, const PublicTokenOptions& options = {}) const {
    return public_token(std::vector{"read:batch:" + batch.id}, options);
  }
  /// One that completes this waitpoint token.
  template <std::derived_from<Token> Made>
  std::string public_token(const Made& token, const PublicTokenOptions& options = {}) const {
    return public_token(std::vector{"write:waitpoints:" + token.id}, options);
  }

 private:
  std::shared_ptr<const detail::Channel> channel_;
};

}  // namespace perdure::client
