#include "host/process/json_slices.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <charconv>

#include "host/process/utf8_text.h"

namespace perdure::process {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// Where the string that starts at `at` ends, quote included.
std::size_t string_end(std::string_view text, std::size_t at) {
  for (at++; at < text.size() && text[at] != '"'; at++) {
    if (text[at] == '\\') at++;
  }
  return std::min(at + 1, text.size());
}

// Where the value at the start of `text` ends: before a comma or closing bracket that is not its own.
std::size_t value_end(std::string_view text) {
  std::size_t depth = 0;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '"') {
      i = string_end(text, i);
      continue;
    }
    if (c == '{' || c == '[') depth++;
    if (c == '}' || c == ']') {
      if (depth == 0) return i;
      depth--;
    }
    if (c == ',' && depth == 0) return i;
    i++;
  }
  return text.size();
}

// The inside of an object or array.
std::string_view inside(std::string_view json) { return trimmed(json.substr(1, json.size() - 2)); }

void skip_comma(std::string_view& rest) {
  rest = trimmed(rest);
  if (!rest.empty() && rest.front() == ',') rest = trimmed(rest.substr(1));
}

}  // namespace

bool is_object(std::string_view json) { return trimmed(json).starts_with('{'); }
bool is_array(std::string_view json) { return trimmed(json).starts_with('['); }

void for_each_member(std::string_view json, const std::function<void(std::string_view, std::string_view)>& each) {
  if (!is_object(json)) return;
  for (std::string_view rest = inside(trimmed(json)); !rest.empty(); skip_comma(rest)) {
    const std::size_t end = string_end(rest, 0);
    const std::string_view key = rest.substr(1, end - 2);
    rest = trimmed(trimmed(rest.substr(end)).substr(1));  // the colon
    const std::size_t size = value_end(rest);
    each(key, trimmed(rest.substr(0, size)));
    rest.remove_prefix(size);
  }
}

void for_each_element(std::string_view json, const std::function<void(std::string_view)>& each) {
  if (!is_array(json)) return;
  for (std::string_view rest = inside(trimmed(json)); !rest.empty(); skip_comma(rest)) {
    const std::size_t size = value_end(rest);
    each(trimmed(rest.substr(0, size)));
    rest.remove_prefix(size);
  }
}

std::optional<std::string> string_of(std::string_view json) {
  json = trimmed(json);
  if (!json.starts_with('"') || json.size() < 2) return std::nullopt;
  if (json.find('\\') == std::string_view::npos) return std::string(json.substr(1, json.size() - 2));
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(json, error);
  if (error || !value.is_string()) return std::nullopt;
  return std::string(value.get_string());
}

std::optional<std::int64_t> integer_of(std::string_view json) {
  json = trimmed(json);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(json.data(), json.data() + json.size(), value);
  if (error != std::errc() || end != json.data() + json.size()) return std::nullopt;
  return value;
}

void append_string(std::string& out, std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  const bool valid = is_utf8(text);
  std::string fixed;
  if (!valid) text = fixed = to_utf8(text);
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace perdure::process
