#include "store/model/metadata.h"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <cmath>
#include <utility>

#include "store/model/json_members.h"
#include "store/model/json_text.h"

namespace perdure::store {
namespace {

constexpr std::array<std::pair<MetadataChange, std::string_view>, 6> kNames{{
    {MetadataChange::kSet, "set"},
    {MetadataChange::kDelete, "delete"},
    {MetadataChange::kIncrement, "increment"},
    {MetadataChange::kAppend, "append"},
    {MetadataChange::kRemove, "remove"},
    {MetadataChange::kReplace, "update"},
}};
// Together with a path's length, less than what any JSON text may have.
constexpr JsonLimits kValueLimits{kMostMetadata, 64};
constexpr std::size_t kLongestPath = 32;
constexpr std::string_view kPathPrefix = "$.";

bool is_number(std::string_view value) { return !value.empty() && (value[0] == '-' || std::isdigit(value[0]) != 0); }

std::optional<std::int64_t> whole(std::string_view value) {
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (failed != std::errc() || end != value.data() + value.size()) return std::nullopt;
  return number;
}

double real(std::string_view value) {
  double number = 0;
  std::from_chars(value.data(), value.data() + value.size(), number);
  return number;
}

template <class Number>
std::string text_of(Number number) {
  std::array<char, 40> digits{};
  const auto [end, failed] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  return {digits.data(), end};
}

Result<std::optional<std::string>> incremented(std::string_view value, std::string_view by) {
  const std::optional<std::int64_t> a = whole(value), b = whole(by);
  std::int64_t sum = 0;
  if (a && b && !__builtin_add_overflow(*a, *b, &sum)) return std::optional(text_of(sum));
  const double total = real(value) + real(by);
  if (!std::isfinite(total)) return Status::invalid("the sum is beyond what a double holds");
  return std::optional(text_of(total));
}

bool same(const boost::json::value& a, const boost::json::value& b) {
  if (a.is_number() && b.is_number()) return a == b || a.to_number<double>() == b.to_number<double>();
  if (a.is_array() && b.is_array()) return std::ranges::equal(a.get_array(), b.get_array(), same);
  if (!a.is_object() || !b.is_object()) return a == b;
  const boost::json::object& other = b.get_object();
  if (a.get_object().size() != other.size()) return false;
  return std::ranges::all_of(a.get_object(), [&](const auto& member) {
    const boost::json::value* const found = other.if_contains(member.key());
    return found != nullptr && same(member.value(), *found);
  });
}

boost::json::value parsed(std::string_view json) {
  boost::json::parse_options options;
  options.max_depth = kPayloadLimits.depth + 1;
  boost::system::error_code error;
  return boost::json::parse({json.data(), json.size()}, error, {}, options);
}

std::string array_without(std::string_view array, std::string_view value) {
  const boost::json::value unwanted = parsed(value);
  std::string left = "[";
  const std::optional<std::vector<std::string_view>> elements = json_elements(array);
  for (const std::string_view element : elements.value()) {
    if (element == value || same(parsed(element), unwanted)) continue;
    if (left.size() > 1) left += ',';
    left += element;
  }
  return left + ']';
}

std::string appended(std::string_view array, std::string_view value) {
  std::string out(array.substr(0, array.size() - 1));
  if (trimmed(out).size() > 1) out += ',';
  return out.append(value) + ']';
}

Status does_not_fit(const MetadataOperation& operation, std::string_view expected, std::string_view value) {
  const std::string shown = value.size() <= 60 ? std::string(value) : std::string(value.substr(0, 57)) + "...";
  return Status::invalid("metadata \"" + operation.key + "\" must be " + std::string(expected) + " to " +
                         std::string(metadata_change_name(operation.change)) + ", and is " + shown);
}

}  // namespace

std::string_view metadata_change_name(MetadataChange change) {
  const auto* const found = std::ranges::find(kNames, change, &decltype(kNames)::value_type::first);
  return found == kNames.end() ? "unknown" : found->second;
}

std::optional<MetadataChange> parse_metadata_change(std::string_view name) {
  const auto* const found = std::ranges::find(kNames, name, &decltype(kNames)::value_type::second);
  return found == kNames.end() ? std::nullopt : std::optional(found->first);
}

std::vector<std::string> metadata_path(std::string_view key) {
  if (!key.starts_with(kPathPrefix)) return {std::string(key)};
  key.remove_prefix(kPathPrefix.size());
  std::vector<std::string> names;
  for (;;) {
    const std::size_t dot = key.find('.');
    if (dot == 0 || key.empty()) return {};
    names.emplace_back(key.substr(0, dot));
    if (dot == std::string_view::npos) return names;
    key.remove_prefix(dot + 1);
  }
}

Status check_operation(const MetadataOperation& operation) {
  const std::string name(metadata_change_name(operation.change));
  if (operation.change != MetadataChange::kReplace) {
    const std::vector<std::string> path = metadata_path(operation.key);
    if (path.empty() || path.size() > kLongestPath || std::ranges::find(path, "*") != path.end()) {
      return Status::invalid("the metadata path \"" + operation.key.substr(0, 200) +
                             "\" must be \"$.\" and 1 to 32 names with dots between them, such as $.order.total");
    }
    if (std::ranges::find(path, "__proto__") != path.end()) {
      return Status::invalid("metadata must not be called __proto__; take another name");
    }
  }
  if (operation.change == MetadataChange::kDelete) return Status::ok();
  if (Status checked = check_json(operation.value, kValueLimits, "the metadata value"); !checked) return checked;
  const std::string_view value = trimmed(operation.value);
  if (operation.change == MetadataChange::kIncrement && !is_number(value)) {
    return Status::invalid("metadata is incremented by a number, not by " + std::string(value.substr(0, 60)));
  }
  if (operation.change == MetadataChange::kReplace && !value.starts_with('{')) {
    return Status::invalid("metadata must be a JSON object, not " + std::string(value.substr(0, 60)));
  }
  return Status::ok();
}

Result<std::optional<std::string>> changed_value(std::optional<std::string_view> value,
                                                 const MetadataOperation& operation) {
  const std::string_view given = trimmed(operation.value);
  switch (operation.change) {
    case MetadataChange::kDelete:
      return std::optional<std::string>();
    case MetadataChange::kIncrement:
      if (value && !is_number(*value)) return does_not_fit(operation, "a number", *value);
      return incremented(value.value_or("0"), given);
    case MetadataChange::kAppend:
      if (value && !value->starts_with('[')) return does_not_fit(operation, "an array", *value);
      return std::optional(appended(value.value_or("[]"), given));
    case MetadataChange::kRemove:
      if (!value) return std::optional<std::string>();
      if (!value->starts_with('[')) return does_not_fit(operation, "an array", *value);
      return std::optional(array_without(*value, given));
    case MetadataChange::kSet:
    case MetadataChange::kReplace:
      break;
  }
  return std::optional(std::string(given));
}

}  // namespace perdure::store
