#include "host/zygote/json_text.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace perdure::zygote {
namespace {

// The length of the UTF-8 sequence at the start of `text`, 0 when there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; i++) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const unsigned char second = byte(1);
  if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) || (lead == 0xf0 && second < 0x90) ||
      (lead == 0xf4 && second > 0x8f)) {
    return 0;
  }
  return length;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// Reads one JSON text from the front; every function leaves the rest behind and says whether it was well formed.
class Checker {
 public:
  Checker(std::string_view text, int max_depth) : rest_(text), max_depth_(max_depth) {}

  void blanks() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t' || rest_[0] == '\n' || rest_[0] == '\r')) skip(1);
  }
  bool at_end() const { return rest_.empty(); }

  bool value(int depth) {
    blanks();
    if (rest_.empty() || depth > max_depth_) return false;
    switch (rest_[0]) {
      case '{':
        return members('}', depth, true);
      case '[':
        return members(']', depth, false);
      case '"':
        return string();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }

 private:
  void skip(std::size_t n) { rest_.remove_prefix(n); }
  bool take(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    skip(1);
    return true;
  }
  bool word(std::string_view expected) {
    if (rest_.substr(0, expected.size()) != expected) return false;
    skip(expected.size());
    return true;
  }
  bool members(char close, int depth, bool keyed) {
    skip(1);
    blanks();
    if (take(close)) return true;
    do {
      blanks();
      if (keyed) {
        if (!string()) return false;
        blanks();
        if (!take(':')) return false;
      }
      if (!value(depth + 1)) return false;
      blanks();
    } while (take(','));
    return take(close);
  }
  bool string() {
    if (!take('"')) return false;
    while (!rest_.empty()) {
      const char c = rest_[0];
      if (c == '"') return take('"');
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c == '\\') {
        if (!escape()) return false;
        continue;
      }
      const std::size_t length = utf8_length(rest_);
      if (length == 0) return false;
      skip(length);
    }
    return false;
  }
  bool escape() {
    if (rest_.size() < 2) return false;
    const char kind = rest_[1];
    skip(2);
    if (kind == 'u') {
      for (int i = 0; i < 4; i++) {
        if (rest_.empty() || !is_hex(rest_[0])) return false;
        skip(1);
      }
      return true;
    }
    return std::string_view("\"\\/bfnrt").find(kind) != std::string_view::npos;
  }
  bool digits() {
    if (rest_.empty() || !is_digit(rest_[0])) return false;
    while (!rest_.empty() && is_digit(rest_[0])) skip(1);
    return true;
  }
  bool number() {
    (void)take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) (void)take('-');
      return digits();
    }
    return true;
  }

  std::string_view rest_;
  const int max_depth_;
};

void skip_blanks(std::string_view& text) {
  while (!text.empty() && (text[0] == ' ' || text[0] == '\t' || text[0] == '\n' || text[0] == '\r')) {
    text.remove_prefix(1);
  }
}

// The length of the string at the start of `text`, quotes included; 0 when it does not end.
std::size_t string_length(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); i++) {
    if (text[i] == '\\') {
      i++;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return 0;
}

// The length of the value at the start of `text`: up to the comma or the brace that ends it. 0 when there is none.
std::size_t value_length(std::string_view text) {
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); i++) {
    const char c = text[i];
    if (c == '"') {
      const std::size_t length = string_length(text.substr(i));
      if (length == 0) return 0;
      i += length - 1;
    } else if (c == '{' || c == '[') {
      depth++;
    } else if (c == '}' || c == ']') {
      if (depth-- == 0) return i;
    } else if (c == ',' && depth == 0) {
      return i;
    }
  }
  return 0;
}

// The code unit of \uXXXX at the start of `rest`, taken from it; a malformed one is U+FFFD.
std::uint32_t take_unit(std::string_view& rest) {
  std::uint32_t unit = 0;
  const std::string_view digits = rest.substr(2, 4);
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
  const bool good = failed == std::errc{} && digits.size() == 4 && end == digits.data() + 4;
  rest.remove_prefix(std::min<std::size_t>(6, rest.size()));
  return good ? unit : 0xFFFD;
}

std::uint32_t take_code_point(std::string_view& rest) {
  const std::uint32_t unit = take_unit(rest);
  if (unit < 0xD800 || unit > 0xDFFF) return unit;
  std::string_view ahead = rest;
  if (unit > 0xDBFF || !rest.starts_with("\\u")) return 0xFFFD;
  const std::uint32_t low = take_unit(ahead);
  if (low < 0xDC00 || low > 0xDFFF) return 0xFFFD;
  rest = ahead;
  return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
}

void put_utf8(std::string& out, std::uint32_t point) {
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  const auto more = [&](int shift) { put(0x80 | ((point >> shift) & 0x3F)); };
  if (point < 0x80) return put(point);
  if (point < 0x800) {
    put(0xC0 | (point >> 6));
  } else if (point < 0x10000) {
    put(0xE0 | (point >> 12));
    more(6);
  } else {
    put(0xF0 | (point >> 18));
    more(12);
    more(6);
  }
  more(0);
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  while (!text.empty()) {
    const char c = text[0];
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      out += "\\ufffd";
      text.remove_prefix(1);
      continue;
    }
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 15];
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  out += '"';
}

bool is_json(std::string_view text, int depth) {
  Checker checker(text, depth);
  if (!checker.value(0)) return false;
  checker.blanks();
  return checker.at_end();
}

bool is_json_object(std::string_view text) {
  skip_blanks(text);
  return !text.empty() && text[0] == '{' && is_json(text);
}

JsonMembers::JsonMembers(std::string_view object) : rest_(object) {
  skip_blanks(rest_);
  if (!rest_.empty() && rest_[0] == '{') {
    rest_.remove_prefix(1);
  } else {
    rest_ = {};
  }
}

bool JsonMembers::next(std::string_view& key, std::string_view& value) {
  skip_blanks(rest_);
  if (rest_.empty() || rest_[0] != '"') return false;
  const std::size_t key_length = string_length(rest_);
  if (key_length == 0) return false;
  key = rest_.substr(1, key_length - 2);
  rest_.remove_prefix(key_length);
  skip_blanks(rest_);
  if (rest_.empty() || rest_[0] != ':') return false;
  rest_.remove_prefix(1);
  skip_blanks(rest_);
  const std::size_t length = value_length(rest_);
  if (length == 0) return false;
  value = rest_.substr(0, length);
  while (!value.empty() &&
         (value.back() == ' ' || value.back() == '\n' || value.back() == '\t' || value.back() == '\r')) {
    value.remove_suffix(1);
  }
  rest_.remove_prefix(length);
  if (rest_[0] == ',') rest_.remove_prefix(1);
  return true;
}

std::uint64_t json_unsigned(std::string_view value) {
  std::uint64_t number = 0;
  const auto result = std::from_chars(value.data(), value.data() + value.size(), number);
  if (result.ec == std::errc::result_out_of_range) return std::numeric_limits<std::uint64_t>::max();
  return result.ec == std::errc{} ? number : 0;
}

std::string_view json_plain_string(std::string_view value) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return {};
  return value.substr(1, value.size() - 2);
}

std::string json_unescaped(std::string_view value) {
  constexpr std::string_view kNames = "bfnrt", kBytes = "\b\f\n\r\t";
  std::string text;
  std::string_view rest = json_plain_string(value);
  while (!rest.empty()) {
    if (rest[0] != '\\' || rest.size() < 2) {
      text += rest[0];
      rest.remove_prefix(1);
    } else if (rest[1] == 'u') {
      put_utf8(text, take_code_point(rest));
    } else {
      const auto named = kNames.find(rest[1]);
      text += named == std::string_view::npos ? rest[1] : kBytes[named];
      rest.remove_prefix(2);
    }
  }
  return text;
}

}  // namespace perdure::zygote
