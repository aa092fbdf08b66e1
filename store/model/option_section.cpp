#include "store/model/option_section.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <sstream>

#include "store/model/nearest.h"

namespace perdure::store {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostShown = 60;

// The value for a message: as JSON, cut when it is long.
std::string shown(const json::value& value) {
  std::string text = json::serialize(value);
  if (text.size() <= kMostShown) return text;
  std::size_t end = kMostShown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // not within a character
  return text.substr(0, end) + "…";
}

std::string shown(double number) {
  std::ostringstream out;
  out << number;
  return out.str();
}

}  // namespace

std::string OptionSection::path_of(std::string_view key) const {
  std::string path = path_;
  if (!path.empty()) path += '.';
  path += key;
  return path;
}

void OptionSection::fail(const std::string& what) {
  if (reading_.status) reading_.status = Status::invalid(reading_.subject + ": " + what);
}

void OptionSection::refuse(std::string_view key, std::string_view expected) {
  const json::value* value = object_.if_contains(key);
  fail("option " + path_of(key) + " must be " + std::string(expected) + ", not " +
       (value == nullptr ? "absent" : shown(*value)));
}

void OptionSection::require(std::string_view key) {
  if (!object_.contains(key)) fail("option " + path_of(key) + " is missing; " + path_ + " needs it");
}

const json::value* OptionSection::find(std::string_view key) {
  known_.push_back(key);
  return object_.if_contains(key);
}

std::optional<std::int64_t> OptionSection::integer(std::string_view key, std::int64_t least, std::int64_t most) {
  const json::value* value = find(key);
  if (value == nullptr) return std::nullopt;
  const std::int64_t* number = value->if_int64();
  if (number != nullptr && *number >= least && *number <= most) return *number;
  refuse(key, most == INT64_MAX ? "a whole number of at least " + std::to_string(least)
                                : "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

std::optional<double> OptionSection::number(std::string_view key, double least, double most) {
  const json::value* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_number()) {
    const double number = value->to_number<double>();
    if (number >= least && number <= most) return number;
  }
  refuse(key, "a number from " + shown(least) + " to " + shown(most));
  return std::nullopt;
}

std::optional<bool> OptionSection::boolean(std::string_view key) {
  const json::value* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const bool* boolean = value->if_bool()) return *boolean;
  refuse(key, "true or false");
  return std::nullopt;
}

std::optional<std::string> OptionSection::text(std::string_view key, std::size_t least_size, std::size_t most_size) {
  const json::value* value = find(key);
  if (value == nullptr) return std::nullopt;
  const json::string* text = value->if_string();
  if (text != nullptr && text->size() >= least_size && text->size() <= most_size) return std::string(*text);
  refuse(key, "a text of " + std::to_string(least_size) + " to " + std::to_string(most_size) + " characters");
  return std::nullopt;
}

std::optional<std::string> OptionSection::one_of(std::string_view key, std::initializer_list<std::string_view> values) {
  const json::value* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const json::string* text = value->if_string()) {
    for (const std::string_view each : values) {
      if (std::string_view(*text) == each) return std::string(each);
    }
  }
  std::string expected = "one of";
  for (const std::string_view each : values) expected += " \"" + std::string(each) + '"';
  refuse(key, expected);
  return std::nullopt;
}

std::optional<OptionSection> OptionSection::section(std::string_view key) {
  const json::value* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const json::object* object = value->if_object()) return OptionSection(reading_, *object, path_of(key));
  refuse(key, "an object");
  return std::nullopt;
}

void OptionSection::close() {
  if (reading_.accept_unknown) return;
  for (const auto& member : object_) {
    const std::string_view key = member.key();
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    fail("option " + path_of(key.substr(0, kMostShown)) + " is unknown; the nearest known one is " +
         path_of(nearest_name(key, known_)));
  }
}

}  // namespace perdure::store
