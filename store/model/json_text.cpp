#include "store/model/json_text.h"

#include <boost/json/basic_parser_impl.hpp>
#include <cmath>
#include <cstdint>
#include <string>

namespace perdure::store {
namespace {

namespace json = boost::json;
using boost::json::error_code;
using boost::json::string_view;

// Takes the parser's events and keeps nothing of them; says no to numbers that are not finite.
struct Handler {
  static constexpr std::size_t max_array_size = SIZE_MAX;
  static constexpr std::size_t max_object_size = SIZE_MAX;
  static constexpr std::size_t max_string_size = SIZE_MAX;
  static constexpr std::size_t max_key_size = SIZE_MAX;

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t, error_code&) { return true; }
  bool on_object_begin(error_code&) { return true; }
  bool on_object_end(std::size_t, error_code&) { return true; }
  bool on_string_part(string_view, std::size_t, error_code&) { return true; }
  bool on_string(string_view, std::size_t, error_code&) { return true; }
  bool on_key_part(string_view, std::size_t, error_code&) { return true; }
  bool on_key(string_view, std::size_t, error_code&) { return true; }
  bool on_number_part(string_view, error_code&) { return true; }
  bool on_int64(std::int64_t, string_view, error_code&) { return true; }
  bool on_uint64(std::uint64_t, string_view, error_code&) { return true; }
  bool on_double(double value, string_view, error_code& error) {
    if (std::isfinite(value)) return true;
    error = json::error::exponent_overflow;
    return false;
  }
  bool on_bool(bool, error_code&) { return true; }
  bool on_null(error_code&) { return true; }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }
};

std::string reason(const error_code& error) {
  if (error == json::error::exponent_overflow) return "a number beyond what a double holds";
  if (error == json::error::incomplete) return "it ends in the middle";
  if (error == json::error::too_deep) return "it is nested too deeply";
  if (error == json::error::extra_data) return "something follows the value";
  return error.message();
}

}  // namespace

Status check_json(std::string_view text, const JsonLimits& limits, std::string_view what) {
  const std::string subject(what);
  if (text.size() > limits.bytes) {
    return Status::invalid(subject + " has " + std::to_string(text.size()) + " bytes; at most " +
                           std::to_string(limits.bytes) + " are accepted");
  }
  json::parse_options options;
  options.max_depth = limits.depth;
  json::basic_parser<Handler> parser(options);
  error_code error;
  std::size_t read = parser.write_some(false, text.data(), text.size(), error);
  if (!error && read < text.size()) error = json::error::extra_data;
  if (!error) return Status::ok();
  std::string message = subject + " is not acceptable JSON: " + reason(error);
  if (error == json::error::too_deep) message += ", more than " + std::to_string(limits.depth) + " levels";
  return Status::invalid(message + " (byte " + std::to_string(read) + ")");
}

}  // namespace perdure::store
