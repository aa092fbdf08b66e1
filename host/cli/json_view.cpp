#include "host/cli/json_view.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>

namespace perdure::cli {
namespace {

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
}

// The length of the string that `text` begins with, quotes included; 0 when it does not end.
std::size_t string_length(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return 0;
}

// The length of the value that `text` begins with; 0 when it begins with none.
std::size_t value_length(std::string_view text) {
  if (text.empty()) return 0;
  if (text.front() == '"') return string_length(text);
  if (text.front() != '{' && text.front() != '[') {
    return std::min(text.find_first_of(",:]} \t\r\n"), text.size());
  }
  std::size_t depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      const std::size_t length = string_length(text.substr(i));
      if (length == 0) return 0;
      i += length - 1;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return i + 1;
    }
  }
  return 0;
}

std::string_view take_value(std::string_view& text) {
  skip_blanks(text);
  const std::string_view value = text.substr(0, value_length(text));
  text.remove_prefix(value.size());
  skip_blanks(text);
  return value;
}

bool take(std::string_view& text, char c) {
  skip_blanks(text);
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

JsonView::JsonView(std::string_view text) : raw_(take_value(text)) {}

std::string JsonView::text() const {
  if (raw_.empty() || raw_.front() != '"') return raw_ == "null" ? std::string() : std::string(raw_);
  boost::json::error_code failed;
  const auto value = boost::json::parse(boost::json::string_view(raw_.data(), raw_.size()), failed);
  if (failed || !value.is_string()) return std::string(raw_);
  return {value.get_string().data(), value.get_string().size()};
}

long long JsonView::number() const {
  long long number = 0;
  std::from_chars(raw_.data(), raw_.data() + raw_.size(), number);
  return number;
}

JsonView JsonView::operator[](std::string_view key) const {
  for (const auto& [name, value] : members()) {
    if (name == key) return value;
  }
  return {};
}

std::vector<JsonView> JsonView::items() const {
  std::vector<JsonView> found;
  std::string_view rest = raw_;
  if (!take(rest, '[')) return found;
  do {
    const std::string_view value = take_value(rest);
    if (value.empty()) break;
    found.emplace_back(value);
  } while (take(rest, ','));
  return found;
}

std::vector<std::pair<std::string, JsonView>> JsonView::members() const {
  std::vector<std::pair<std::string, JsonView>> found;
  std::string_view rest = raw_;
  if (!take(rest, '{')) return found;
  do {
    const std::string_view key = take_value(rest);
    if (key.empty() || !take(rest, ':')) break;
    const std::string_view value = take_value(rest);
    if (value.empty()) break;
    found.emplace_back(JsonView(key).text(), JsonView(value));
  } while (take(rest, ','));
  return found;
}

std::string indented(std::string_view json) {
  std::string out;
  std::size_t depth = 0;
  const auto break_line = [&] { out.append("\n").append(2 * depth, ' '); };
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    switch (c) {
      case '"': {
        const std::size_t length = string_length(json.substr(i));
        if (length == 0) return std::string(json);  // not JSON: as it is
        out.append(json.substr(i, length));
        i += length - 1;
        break;
      }
      case '{':
      case '[': {
        const auto next = json.find_first_not_of(" \t\r\n", i + 1);
        out += c;
        if (next != std::string_view::npos && (json[next] == '}' || json[next] == ']')) {
          out += json[next];
          i = next;
          break;
        }
        ++depth;
        break_line();
        break;
      }
      case '}':
      case ']':
        if (depth == 0) return std::string(json);
        --depth;
        break_line();
        out += c;
        break;
      case ',':
        out += c;
        break_line();
        break;
      case ':':
        out += ": ";
        break;
      case ' ':
      case '\t':
      case '\r':
      case '\n':
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string json_string(std::string_view text) {
  const auto serialized = boost::json::serialize(boost::json::string_view(text.data(), text.size()));
  return {serialized.data(), serialized.size()};
}

}  // namespace perdure::cli
