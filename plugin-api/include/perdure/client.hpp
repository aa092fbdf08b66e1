// A client of a Perdure host for programs outside of it, a web backend or a tool: triggers tasks, waits for what comes
// of them, follows runs, over HTTP. Links libcurl and Boost.JSON: Perdure::client in CMake, perdure-client in
// pkg-config.
//
//   #include <perdure/client.hpp>
//
//   const perdure::Client client{"http://127.0.0.1:3030", key};        // or Client::from_environment()
//   const auto run = client.trigger<std::string>("hello", Greeting{"Ada"}, {.tags = {"demo"}});
//   std::cout << client.wait(run).unwrap() << "\n";                    // Hello, Ada!
//
// A Client is a handle: copies of it share its connections, which are kept open between calls. All of it is const and
// may be called by any number of threads at once; a call blocks its thread. Calls that fail are made again as
// Options::retry says, each under one name, so that the host does it once. Certificates are verified.
//
// Every verb throws what client/errors.hpp has: NotFound, Unauthorized, Forbidden, Invalid, RateLimited, HostFailed,
// Unreachable, AnswerInvalid; JsonError when a value cannot be written as JSON. A run that fails is no exception but a
// RunResult.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <perdure/client/batches.hpp>
#include <perdure/client/channel.hpp>
#include <perdure/client/environment.hpp>
#include <perdure/client/errors.hpp>
#include <perdure/client/handle.hpp>
#include <perdure/client/metadata.hpp>
#include <perdure/client/options.hpp>
#include <perdure/client/public_tokens.hpp>
#include <perdure/client/queues.hpp>
#include <perdure/client/run.hpp>
#include <perdure/client/runs.hpp>
#include <perdure/client/subscriptions.hpp>
#include <perdure/client/tokens.hpp>
#include <perdure/client/triggers.hpp>

namespace perdure {

class Client : public client::Triggers,
               public client::Batches,
               public client::Runs,
               public client::Subscriptions,
               public client::MetadataVerbs,
               public client::Tokens,
               public client::Queues,
               public client::PublicTokens {
 public:
  /// `url`: http://HOST:PORT or https://…; `key`: a secret key, or a public access token for what one may.
  explicit Client(std::string url, std::string key = {})
      : Client(client::Options{.url = std::move(url), .key = std::move(key)}) {}
  explicit Client(client::Options options)
      : Client(std::make_shared<const client::detail::Channel>(std::move(options))) {}
  /// The host and key that the command line would use: PERDURE_URL and PERDURE_API_KEY, else the key in the data
  /// directory of a host on this machine.
  static Client from_environment() { return Client(client::options_from_environment()); }

  using client::Batches::wait;
  using client::Triggers::wait;

  /// Anything that has no verb here: the answer to METHOD path, as JSON. A call that is no GET is not made again when
  /// the host may have done it.
  json::value call(const std::string& method, const std::string& path,
                   const std::optional<std::string>& body = {}) const {
    const std::string doing = method + " " + path;
    const client::detail::HttpResponse response =
        channel_->ask({.doing = doing,
                       .method = method,
                       .path = path,
                       .body = body,
                       .repeat = method == "GET" ? client::Repeat::kAnyTime : client::Repeat::kUnlessDone});
    return client::detail::Channel::understood(doing, response.status,
                                               [&] { return from_json<json::value>(response.body); });
  }

 private:
  explicit Client(std::shared_ptr<const client::detail::Channel> channel)
      : Triggers(channel),
        Batches(channel),
        Runs(channel),
        Subscriptions(channel),
        MetadataVerbs(channel),
        Tokens(channel),
        Queues(channel),
        PublicTokens(channel),
        channel_(std::move(channel)) {}

  std::shared_ptr<const client::detail::Channel> channel_;
};

}  // namespace perdure
