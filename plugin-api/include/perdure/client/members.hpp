// The members of a JSON object that the host has sent, as C++ values. JsonError, with the member's name, for those that
// are not what they should be. Pure functions; any thread.
#pragma once

#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include <perdure/errors.hpp>
#include <perdure/http_reset.hpp>
#include <perdure/json.hpp>
#include <perdure/json_read.hpp>
#include <perdure/json_write.hpp>
#include <perdure/options.hpp>

namespace perdure::client::detail {

/// Any JSON value as T: RawJson is its text.
template <class T>
T value_as(const json::value& value) {
  if constexpr (std::is_same_v<T, RawJson>) {
    return RawJson{to_json(value)};
  } else {
    return perdure::detail::read<T>(value, perdure::detail::JsonPlace{});
  }
}

/// Null when the member is absent, or null.
inline const json::value* member(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

template <class T>
T read_member(const json::value& value, std::string_view name) {
  const perdure::detail::JsonPlace root{};
  return perdure::detail::read<T>(value, perdure::detail::JsonPlace{&root, name});
}

template <class T>
std::optional<T> optional(const json::object& object, std::string_view name) {
  const json::value* const value = member(object, name);
  return value != nullptr ? std::optional<T>(read_member<T>(*value, name)) : std::nullopt;
}

template <class T>
T required(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains(name);
  if (value == nullptr) throw JsonError(std::string(name) + " is missing");
  return read_member<T>(*value, name);
}

inline std::optional<Instant> optional_time(const json::object& object, std::string_view name) {
  const std::optional<std::string> text = optional<std::string>(object, name);
  if (!text) return std::nullopt;
  const auto time = perdure::retry::reset_time(*text, perdure::retry::ResetFormat::kIso8601, {});
  if (!time) throw JsonError(std::string(name) + " must be a time in ISO 8601, not \"" + *text + "\"");
  return time;
}

inline Instant required_time(const json::object& object, std::string_view name) {
  const std::optional<Instant> time = optional_time(object, name);
  if (!time) throw JsonError(std::string(name) + " is missing");
  return *time;
}

/// As the host reads it: "2026-11-23T13:34:33.216Z".
inline std::string iso8601(Instant time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss<milliseconds> clock(time - day);
  char text[80];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02ld:%02ld:%02ld.%03ldZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<long>(clock.hours().count()), static_cast<long>(clock.minutes().count()),
                static_cast<long>(clock.seconds().count()), static_cast<long>(clock.subseconds().count()));
  return text;
}

}  // namespace perdure::client::detail
