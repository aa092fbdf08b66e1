#include "host/api/target.h"

namespace perdure::api {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Calls `each` with the parts of `text` between separators; ends early when it returns false.
template <class Each>
bool split(std::string_view text, char separator, Each each) {
  for (;;) {
    const auto end = text.find(separator);
    if (!each(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

bool take_apart(std::string_view target, std::vector<std::string>& path, std::vector<Field>& query) {
  const auto mark = target.find('?');
  std::string_view location = target.substr(0, mark);
  location.remove_prefix(1);
  if (!location.empty() && location.back() == '/') location.remove_suffix(1);
  const auto segment = [&path](std::string_view text) {
    std::optional<std::string> decoded = percent_decoded(text);
    if (decoded) path.push_back(std::move(*decoded));
    return decoded.has_value();
  };
  if (!location.empty() && !split(location, '/', segment)) return false;
  if (mark == std::string_view::npos) return true;
  return split(target.substr(mark + 1), '&', [&query](std::string_view text) {
    if (text.empty()) return true;
    const auto equals = text.find('=');
    std::optional<std::string> name = percent_decoded(text.substr(0, equals), true);
    std::optional<std::string> value =
        percent_decoded(equals == std::string_view::npos ? std::string_view() : text.substr(equals + 1), true);
    if (!name || !value) return false;
    query.push_back({std::move(*name), std::move(*value)});
    return true;
  });
}

}  // namespace perdure::api
