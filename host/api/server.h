// The HTTP server: Trigger.dev's public API under /api, Perdure's own under /perdure, /healthz and /readyz. HTTP/1.1
// with keep-alive and pipelining; answers on one connection come in the order of their requests, which are worked on
// side by side.
// Threads: its own. start() and stop() from any; the engine is called from the server's threads and must outlive it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "host/engine/engine.h"
#include "store/model/status.h"

namespace perdure::api {

struct Limits {
  std::size_t head = 16u << 10;                     // bytes of request line and headers: else 431
  std::size_t body = 8u << 20;                      // bytes of a body: else 413
  std::size_t batch_body = 32u << 20;               // … of a body with the items of a batch
  std::size_t connections = 1024;                   // at once; for more, idle ones are closed, or else they get 503
  std::size_t pipelined = 64;                       // requests of one connection worked on at once
  std::chrono::milliseconds head_time{10'000};      // for a request's head, from its first byte
  std::chrono::milliseconds body_time{30'000};      // for its body, and one second more for every 64 KiB of it
  std::chrono::milliseconds idle_time{75'000};      // between two requests; before the first one: head_time
  std::chrono::milliseconds idle_kept{5'000};       // … at least, though others are in need of the place
  std::chrono::milliseconds write_time{30'000};     // without the client taking anything of its answer
  std::size_t slowest_write = 16u << 10;            // bytes a second that it takes at least, after write_time
  std::chrono::milliseconds longest_wait{300'000};  // that ?wait= may ask for
  std::chrono::milliseconds live_hold{20'000};      // of a subscription's request without news, more or less
  std::chrono::milliseconds stream_beat{15'000};    // between signs of life on a quiet stream
  std::chrono::milliseconds stop_time{5'000};       // for answers under way when the server is stopped
};

struct ApiOptions {
  std::string listen = "127.0.0.1:3030";  // ADDRESS:PORT, IPv6 as [::1]:PORT; port 0: any free one
  std::string key{};                      // the root key; required for all of /api and /perdure
  std::string keys_file{};                // where further keys are kept; empty: nowhere
  std::string secret_file{};              // where the root key is kept; empty: it cannot be replaced while this runs
  std::vector<std::string> host_names{};  // names, besides loopback ones and addresses, by which clients may reach it
  std::size_t threads = 1;
  bool allow_pending = false;      // accept triggers of tasks that no plugin offers, unless the trigger says
  std::string plugins{};           // the plugin directory, as /perdure/v1/status shows it
  std::string memory_mechanism{};  // how the memory of attempts is limited, in a word and in words
  std::string memory_in_words{};
  std::string version = "0";  // Perdure's, as /perdure/v1/status shows it
  Limits limits{};
};

class Server {
 public:
  virtual ~Server() = default;

  /// Listens and serves. kInvalid for options that cannot be meant, kUnavailable when the address is taken.
  static store::Result<std::unique_ptr<Server>> start(ApiOptions options, engine::Engine& engine);

  /// Ends: no new connections; requests that have arrived, or begun to, are answered, the last one of each connection
  /// with "connection: close", within limits.stop_time; waits are answered with what there is. Blocks until the
  /// server's threads are gone; also done by the destructor.
  virtual void stop() = 0;

  /// The port it listens on.
  [[nodiscard]] virtual std::uint16_t port() const = 0;
};

}  // namespace perdure::api
