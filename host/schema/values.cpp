#include "host/schema/values.h"

#include <boost/json.hpp>
#include <cmath>
#include <functional>

#include "host/schema/code_points.h"

namespace perdure::schema {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kStepsPerValue = 8;
constexpr std::size_t kLongestShown = 60;

// Holds every 64-bit integer and every double exactly.
long double exact(const json::value& number) {
  static_assert(std::numeric_limits<long double>::digits >= 64);
  if (const std::int64_t* value = number.if_int64()) return static_cast<long double>(*value);
  if (const std::uint64_t* value = number.if_uint64()) return static_cast<long double>(*value);
  return static_cast<long double>(number.get_double());
}

std::size_t mixed(std::size_t seed, std::size_t more) { return (seed ^ more) * 0x9e37'79b9'7f4a'7c15U + (seed >> 29U); }

}  // namespace

int compare_numbers(const json::value& a, const json::value& b) {
  const long double first = exact(a), second = exact(b);
  return first < second ? -1 : first > second ? 1 : 0;
}

bool is_integer(const json::value& value) {
  const double* number = value.if_double();
  return number != nullptr ? *number == std::trunc(*number) : value.is_number();
}

bool equal(const json::value& a, const json::value& b, Work& work) {
  if (!work.take(kStepsPerValue)) return false;
  if (a.is_number() && b.is_number()) return compare_numbers(a, b) == 0;
  if (a.kind() != b.kind()) return false;
  if (const json::array* list = a.if_array()) {
    const json::array& other = b.get_array();
    if (list->size() != other.size()) return false;
    for (std::size_t i = 0; i < list->size(); i++) {
      if (!equal((*list)[i], other[i], work)) return false;
    }
    return true;
  }
  if (const json::object* object = a.if_object()) {
    const json::object& other = b.get_object();
    if (object->size() != other.size()) return false;
    for (const auto& member : *object) {
      const json::value* same = other.if_contains(member.key());
      if (same == nullptr || !equal(member.value(), *same, work)) return false;
    }
    return true;
  }
  if (const json::string* text = a.if_string()) return work.take(text->size() / 64) && *text == b.get_string();
  return a.is_null() || a.get_bool() == b.get_bool();
}

std::size_t hash(const json::value& value, Work& work) {
  if (!work.take(kStepsPerValue)) return 0;
  if (value.is_number()) return mixed(1, std::hash<double>()(static_cast<double>(exact(value))));
  if (const json::string* text = value.if_string()) {
    work.take(text->size() / 64);
    return mixed(2, std::hash<std::string_view>()({text->data(), text->size()}));
  }
  if (const json::array* list = value.if_array()) {
    std::size_t sum = 3;
    for (const json::value& each : *list) sum = mixed(sum, hash(each, work));
    return sum;
  }
  if (const json::object* object = value.if_object()) {
    std::size_t sum = 4;
    for (const auto& member : *object) {
      sum +=
          mixed(std::hash<std::string_view>()({member.key().data(), member.key().size()}), hash(member.value(), work));
    }
    return sum;
  }
  return value.is_null() ? 5 : value.get_bool() ? 6 : 7;
}

std::string shown(const json::value& value) {
  if (value.is_array()) return value.get_array().empty() ? "[]" : "an array";
  if (value.is_object()) return value.get_object().empty() ? "{}" : "an object";
  if (const json::string* text = value.if_string(); text != nullptr && text->size() > kLongestShown) {
    return "a string of " + std::to_string(count_code_points({text->data(), text->size()})) + " characters";
  }
  return json::serialize(value);
}

std::string escaped(std::string_view part) {
  std::string text;
  for (const char c : part) text += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return text;
}

}  // namespace perdure::schema
