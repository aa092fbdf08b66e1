// When a call is made again, and after which pause: by status, by what the host says of it, by how often it has failed.
// Pure functions; any thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include <perdure/client/options.hpp>
#include <perdure/http_exchange.hpp>
#include <perdure/http_reset.hpp>
#include <perdure/retry.hpp>

namespace perdure::client {

/// Whether doing a call twice is doing it once.
enum class Repeat : std::uint8_t {
  kAnyTime,
  kUnlessDone,  // only made again when the host has surely not done it
};

namespace detail {

using perdure::retry::HttpResponse;
using perdure::retry::detail::NoResponse;

inline Instant wall_now() { return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now()); }

inline bool is_retried(const HttpResponse& response, Repeat repeat) {
  const std::string_view said = response.header("x-should-retry");
  if (said == "true") return true;
  if (said == "false") return false;
  if (response.status == 429 || response.status == 503) return true;  // not even begun
  return repeat == Repeat::kAnyTime && (response.status == 408 || response.status == 409 || response.status >= 500);
}

inline bool is_retried(const NoResponse& failure, Repeat repeat) {
  return !failure.hopeless && (failure.unsent || repeat == Repeat::kAnyTime);
}

/// When the host says that one may ask again: a rate limit's reset, or Retry-After.
inline std::optional<Instant> reset_of(const HttpResponse& response, Instant now) {
  using perdure::retry::ResetFormat;
  if (response.status != 429 && response.status != 503) return std::nullopt;
  const auto reset =
      perdure::retry::reset_time(response.header("x-ratelimit-reset"), ResetFormat::kUnixMilliseconds, now);
  return reset ? reset : perdure::retry::reset_time(response.header("retry-after"), ResetFormat::kRetryAfter, now);
}

/// The pause before the next try, after `failures` of them; nothing: no more. `random` is uniform in [0,1).
inline std::optional<milliseconds> pause_after(const Options& options, int failures, std::optional<Instant> reset,
                                               Instant now, double random) {
  if (failures >= options.retry.max_attempts.value_or(1)) return std::nullopt;
  const milliseconds usual = perdure::retry::delay(options.retry, failures, random);
  if (!reset) return usual;
  if (*reset - now > options.longest_reset) return std::nullopt;
  // Up to a second more, so that not all who were refused come back at once.
  const auto spread = static_cast<std::int64_t>(random * 1000);
  return std::max(*reset - now, milliseconds(0)) + milliseconds(spread);
}

/// The pause before a request that is made again and again until there is news, after `failures` in a row: 100 ms, 1.3
/// times as long each time, at most 10 s.
inline milliseconds patient_pause(int failures) {
  return perdure::retry::delay(
      {.factor = 1.3, .min_timeout = milliseconds(100), .max_timeout = milliseconds(10000), .randomize = false},
      std::clamp(failures, 1, 100), 0);
}

}  // namespace detail
}  // namespace perdure::client
