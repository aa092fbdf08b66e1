#include "host/api/query.h"

#include <charconv>

#include "store/model/duration.h"
#include "store/model/timestamp.h"

namespace perdure::api {
namespace {

std::optional<std::uint64_t> whole_number(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

void refuse(std::optional<QueryFault>& fault, std::string_view name, const std::string& expected,
            const std::string& text) {
  fault = {std::string(name), std::string(name) + " must be " + expected + ", not \"" + text + "\""};
}

}  // namespace

std::optional<std::uint64_t> number_parameter(const Request& request, std::string_view name, std::uint64_t least,
                                              std::uint64_t most, std::optional<QueryFault>& fault) {
  const std::string* const text = request.parameter(name);
  if (text == nullptr) return std::nullopt;
  const std::optional<std::uint64_t> value = whole_number(*text);
  if (value && *value >= least && *value <= most) return value;
  refuse(fault, name, "a whole number from " + std::to_string(least) + " to " + std::to_string(most), *text);
  return std::nullopt;
}

std::optional<bool> flag_parameter(const Request& request, std::string_view name, std::optional<QueryFault>& fault) {
  const std::string* const text = request.parameter(name);
  if (text == nullptr) return std::nullopt;
  if (*text == "1" || *text == "true") return true;
  if (*text == "0" || *text == "false") return false;
  refuse(fault, name, "1, true, 0 or false", *text);
  return std::nullopt;
}

std::optional<store::Duration> duration_parameter(const Request& request, std::string_view name,
                                                  std::optional<QueryFault>& fault) {
  const std::string* const text = request.parameter(name);
  if (text == nullptr) return std::nullopt;
  const store::Result<store::Duration> value = store::parse_duration(*text);
  if (value) return value.value();
  refuse(fault, name, "a duration such as 30s or 1h30m", *text);
  return std::nullopt;
}

std::optional<store::Time> time_parameter(const Request& request, std::string_view name,
                                          std::optional<QueryFault>& fault) {
  // Beyond these, milliseconds are no time of the years 0000 to 9999.
  constexpr std::uint64_t kLastMillisecond = 253'402'300'799'999;
  const std::string* const text = request.parameter(name);
  if (text == nullptr) return std::nullopt;
  if (const std::optional<std::uint64_t> value = whole_number(*text); value && *value <= kLastMillisecond) {
    return store::Time(store::Duration(static_cast<std::int64_t>(*value)));
  }
  const store::Result<store::Time> value = store::parse_time(*text);
  if (value) return value.value();
  refuse(fault, name, "a time in ISO 8601 or in milliseconds since 1970", *text);
  return std::nullopt;
}

std::optional<std::string> filter_in(std::string_view parameter) {
  constexpr std::string_view kBefore = "filter[";
  if (!parameter.starts_with(kBefore) || !parameter.ends_with(']')) return std::nullopt;
  std::string name(parameter.substr(kBefore.size(), parameter.size() - kBefore.size() - 1));
  if (const auto inner = name.find("]["); inner != std::string::npos) name.replace(inner, 2, ".");
  return name;
}

std::vector<std::string> list_parameter(const Request& request, std::string_view name) {
  std::vector<std::string> parts;
  const std::string* const text = request.parameter(name);
  if (text == nullptr) return parts;
  std::string_view rest = *text;
  for (;;) {
    const auto comma = rest.find(',');
    if (const std::string_view part = rest.substr(0, comma); !part.empty()) parts.emplace_back(part);
    if (comma == std::string_view::npos) return parts;
    rest.remove_prefix(comma + 1);
  }
}

}  // namespace perdure::api
