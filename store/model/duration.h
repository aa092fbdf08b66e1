// Durations as people write them: "30s", "2h30m", "1d". Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "store/model/ids.h"
#include "store/model/status.h"

namespace perdure::store {

/// The longest duration that is accepted anywhere: no sum of it and a time of this era overflows.
inline constexpr Duration kLongestDuration = std::chrono::hours(24 * 365 * 1000);

/// One or more of a whole number and a unit: w, d, h (or hr), m, s; at most 100 characters. kInvalid otherwise, and
/// when it is longer than kLongestDuration.
Result<Duration> parse_duration(std::string_view text);

/// A duration, or a whole number of seconds: how a `ttl` is written.
Result<Duration> parse_ttl(std::string_view text);

/// How long an idempotency key holds: exactly one number and one of s, m, h, d. Anything else is nothing: by contract
/// it is ignored and the default applies.
std::optional<Duration> parse_idempotency_ttl(std::string_view text);

/// The shortest text that parse_duration() reads back, milliseconds cut off: "1h52m18s", "0s".
std::string format_duration(Duration duration);

}  // namespace perdure::store
