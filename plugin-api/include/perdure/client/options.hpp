// Where a client finds its host, and how long it goes on asking. Values.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include <perdure/options.hpp>

namespace perdure::client {

/// Of calls that fail: refused and broken connections, 408, 409, 429 and 5xx. A host that says x-should-retry decides
/// itself.
inline constexpr Retry usual_retries() {
  return {.max_attempts = 5, .factor = 1.6, .min_timeout = milliseconds(1000), .randomize = false};
}

struct Options {
  std::string url = "http://127.0.0.1:3030";
  std::string key{};         // a secret key, or a public access token; empty: none is sent
  std::string key_source{};  // where it came from, or was looked for: for messages

  Retry retry = usual_retries();      // max_attempts, factor, min_timeout, max_timeout and randomize count
  milliseconds longest_reset{60000};  // a 429 that is over later is not waited for
  milliseconds outage{60000};         // that waits and subscriptions go on asking a host that does not answer
  milliseconds connect_timeout{5000};
  milliseconds answer_timeout{30000};               // of each try; what the host holds on purpose is not counted
  std::size_t most_answer = std::size_t{64} << 20;  // bytes; a larger answer is refused
  std::string ca_file{};                            // certificates to trust instead of the system's, in PEM
};

}  // namespace perdure::client
