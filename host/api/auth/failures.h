// How often an address may come with a key or token that is none. A bucket of tries for each address, filled again with
// time. It is counted what was refused, and whoever has a key is let in whatever else came from the same address: keys
// have so many bits that tries are hopeless at any rate, and one client with an old key must not lock out the others
// behind its address. What the limit does is to make such a client wait, and to say so. Any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace perdure::api::auth {

class Failures {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Limits {
    double burst = 20;                      // failures at once
    std::chrono::milliseconds each{3'000};  // until one more is allowed
    std::size_t addresses = 4096;           // that are told apart; others share one bucket
  };

  Failures() = default;
  explicit Failures(Limits limits) : limits_(limits) {}

  /// Notes a failure from `network`. Nothing while there are not too many; else how long until the next may come.
  std::optional<std::chrono::milliseconds> note(std::uint64_t network, Time now);

 private:
  struct Bucket {
    double failures = 0;
    Time at{};
  };
  [[nodiscard]] double failures_left(const Bucket& bucket, Time now) const;

  const Limits limits_{};
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, Bucket> buckets_;
};

}  // namespace perdure::api::auth
