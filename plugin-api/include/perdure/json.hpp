// JSON as tasks see it: Boost.JSON's values for what has no fixed shape, RawJson for what is only passed on, None for
// nothing. Texts are read by json_read.hpp and written by json_write.hpp. Values; any thread.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace perdure {

namespace json = boost::json;

/// The payload or the result of a task that has none: written as null, read from anything.
struct None {};

/// A JSON text that nobody looks into: a payload or result of this type is neither parsed nor written anew.
struct RawJson {
  std::string text = "null";
};

/// A text that is not the JSON it should be, or a value that JSON cannot say.
class JsonError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace detail {

/// Deeper documents are refused in both directions.
constexpr std::size_t kMaxJsonDepth = 128;

inline void require_finite(const json::value& value) {
  if (const double* number = value.if_double(); number != nullptr && !std::isfinite(*number)) {
    throw JsonError("a number is too large for a double");
  }
  if (const json::array* array = value.if_array()) {
    for (const json::value& element : *array) require_finite(element);
  }
  if (const json::object* object = value.if_object()) {
    for (const auto& member : *object) require_finite(member.value());
  }
}

/// Parses one JSON text; nothing (no bytes at all) is null. The document lives in ordinary memory: parts of it are
/// copied into the author's values, and copies share the memory resource of their source. Throws JsonError.
inline json::value parse(std::string_view text) {
  if (text.empty()) return nullptr;
  json::parse_options options;
  options.max_depth = kMaxJsonDepth;
  boost::system::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error, {}, options);
  if (error) throw JsonError("not JSON: " + error.message());
  require_finite(value);
  return value;
}

}  // namespace detail
}  // namespace perdure
