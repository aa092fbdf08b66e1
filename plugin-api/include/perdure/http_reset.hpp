// When a server says one may ask again: what stands in Retry-After and in the reset headers of rate limits, as a time.
// Pure functions; any thread.
#pragma once

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include <perdure/errors.hpp>

namespace perdure::retry {

/// How a header says when a limit is reset.
enum class ResetFormat : std::uint8_t {
  kUnixSeconds,       // "1712345678"
  kUnixMilliseconds,  // "1712345678123"
  kIso8601,           // "2026-04-05T19:34:38Z", with a fraction or an offset where given
  kDuration,          // "1m12s", "6ms", "2h": from now on
  kRetryAfter,        // as the header of that name: seconds from now on, or an HTTP date
};

namespace detail {

inline std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

/// The number that `text` begins with, taken off it; decimals are allowed.
inline std::optional<double> leading_number(std::string_view& text) {
  std::size_t size = 0;
  double number = 0, unit = 1;
  bool fraction = false, digits = false;
  for (; size < text.size() && size < 15; size++) {
    const char c = text[size];
    if (c == '.' && !fraction) {
      fraction = true;
    } else if (c >= '0' && c <= '9') {
      digits = true;
      if (fraction) unit /= 10;
      number = fraction ? number + unit * (c - '0') : number * 10 + (c - '0');
    } else {
      break;
    }
  }
  text.remove_prefix(size);
  return digits ? std::optional(number) : std::nullopt;
}

inline std::optional<std::chrono::milliseconds> duration_of(std::string_view text) {
  constexpr std::pair<std::string_view, double> kUnits[] = {
      {"ms", 1}, {"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}};
  double milliseconds = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const std::optional<double> number = leading_number(text);
    if (!number) return std::nullopt;
    bool known = false;
    for (const auto& [unit, size] : kUnits) {
      if (known || !text.starts_with(unit)) continue;
      known = true;
      milliseconds += *number * size;
      text.remove_prefix(unit.size());
    }
    if (!known) return std::nullopt;
  }
  return std::chrono::milliseconds(static_cast<std::int64_t>(milliseconds + 0.5));
}

inline std::optional<Instant> date_of(int year, int month, int day, int hour, int minute, int second) {
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  const auto within = [](int value, int most) { return value >= 0 && value <= most; };
  if (!date.ok() || !within(hour, 23) || !within(minute, 59) || !within(second, 60)) return std::nullopt;
  return Instant(std::chrono::sys_days(date)) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

inline std::optional<Instant> iso8601(const std::string& text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, read = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute, &second, &read) !=
      6) {
    return std::nullopt;
  }
  std::optional<Instant> time = date_of(year, month, day, hour, minute, second);
  std::string_view rest = std::string_view(text).substr(static_cast<std::size_t>(read));
  if (rest.starts_with('.')) {
    const std::optional<double> fraction = leading_number(rest);
    if (!fraction) return std::nullopt;
    if (time) *time += std::chrono::milliseconds(static_cast<int>(*fraction * 1000));
  }
  int hours = 0, minutes = 0;
  char sign = 0;
  if (rest != "Z" && !rest.empty()) {
    if (std::sscanf(std::string(rest).c_str(), "%c%2d:%2d", &sign, &hours, &minutes) != 3) return std::nullopt;
    if (sign != '+' && sign != '-') return std::nullopt;
    const auto offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
    if (time) *time -= sign == '+' ? offset : -offset;
  }
  return time;
}

/// "Sun, 06 Nov 1994 08:49:37 GMT", the one form that servers may send.
inline std::optional<Instant> http_date(const std::string& text) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  char month[4] = "";
  int day = 0, year = 0, hour = 0, minute = 0, second = 0;
  if (std::sscanf(text.c_str(), "%*3s, %2d %3s %4d %2d:%2d:%2d GMT", &day, month, &year, &hour, &minute, &second) !=
      6) {
    return std::nullopt;
  }
  const std::size_t at = kMonths.find(month);
  if (at == std::string_view::npos || at % 3 != 0) return std::nullopt;
  return date_of(year, static_cast<int>(at / 3) + 1, day, hour, minute, second);
}

}  // namespace detail

/// The time that `text` means, which was received at `now`; nothing when it is not of this format.
inline std::optional<Instant> reset_time(std::string_view text, ResetFormat format, Instant now) {
  using std::chrono::milliseconds;
  constexpr std::int64_t kMostSeconds = 100'000'000'000;
  const std::optional<std::int64_t> number = detail::whole(text);
  switch (format) {
    case ResetFormat::kUnixSeconds:
      if (!number || *number > kMostSeconds) return std::nullopt;
      return Instant(milliseconds(*number * 1000));
    case ResetFormat::kUnixMilliseconds:
      if (!number || *number > kMostSeconds * 1000) return std::nullopt;
      return Instant(milliseconds(*number));
    case ResetFormat::kIso8601:
      return detail::iso8601(std::string(text));
    case ResetFormat::kDuration:
      if (const auto duration = detail::duration_of(text)) return now + *duration;
      return std::nullopt;
    case ResetFormat::kRetryAfter:
      if (number) return *number > kMostSeconds ? std::nullopt : std::optional(now + milliseconds(*number * 1000));
      return detail::http_date(std::string(text));
  }
  return std::nullopt;
}

}  // namespace perdure::retry
