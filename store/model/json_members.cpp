#include "store/model/json_members.h"

#include <cstdint>

namespace perdure::store {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Reads over valid JSON.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  char next() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  void step() { ++at_; }

  // The value that begins here.
  std::string_view value() {
    const char first = next();
    const std::size_t begin = at_;
    if (first == '"') {
      skip_string();
    } else if (first == '{' || first == '[') {
      skip_nested();
    } else {
      while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '}' && text_[at_] != ']' && !is_blank(text_[at_]))
        ++at_;
    }
    return text_.substr(begin, at_ - begin);
  }

 private:
  void skip_string() {
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    ++at_;
  }
  void skip_nested() {
    int depth = 0;
    do {
      switch (text_[at_]) {
        case '"':
          skip_string();
          continue;
        case '{':
        case '[':
          ++depth;
          break;
        case '}':
        case ']':
          --depth;
          break;
        default:
          break;
      }
      ++at_;
    } while (depth > 0 && at_ < text_.size());
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// The four hex digits at the front of `text`, which are there: it is valid JSON.
std::uint32_t hex4(std::string_view text) {
  std::uint32_t unit = 0;
  for (const char c : text.substr(0, 4)) {
    unit = unit * 16 + static_cast<std::uint32_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return unit;
}

void put_utf8(std::string& out, std::uint32_t point) {
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0 | point >> 6);
    put(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    put(0xE0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3F));
    put(0x80 | (point & 0x3F));
  } else {
    put(0xF0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3F));
    put(0x80 | (point >> 6 & 0x3F));
    put(0x80 | (point & 0x3F));
  }
}

// Reads the \u escape whose digits begin at `at`, with the second half of a surrogate pair; moves `at` behind it.
bool put_escape(std::string& out, std::string_view text, std::size_t& at) {
  std::uint32_t point = hex4(text.substr(at));
  at += 4;
  if (point >= 0xDC00 && point <= 0xDFFF) return false;
  if (point >= 0xD800 && point <= 0xDBFF) {
    if (text.substr(at, 2) != "\\u") return false;
    const std::uint32_t second = hex4(text.substr(at + 2));
    if (second < 0xDC00 || second > 0xDFFF) return false;
    point = 0x10000 + ((point - 0xD800) << 10) + (second - 0xDC00);
    at += 6;
  }
  put_utf8(out, point);
  return true;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<std::vector<JsonMember>> json_members(std::string_view text) {
  Cursor cursor(text);
  if (cursor.next() != '{') return std::nullopt;
  cursor.step();
  std::vector<JsonMember> members;
  while (cursor.next() == '"') {
    const std::string_view name = cursor.value();
    cursor.next();
    cursor.step();  // the colon
    members.push_back({json_string(name).value_or(std::string(name)), cursor.value()});
    if (cursor.next() == ',') cursor.step();
  }
  return members;
}

std::optional<std::vector<std::string_view>> json_elements(std::string_view text) {
  Cursor cursor(text);
  if (cursor.next() != '[') return std::nullopt;
  cursor.step();
  std::vector<std::string_view> elements;
  while (cursor.next() != ']') {
    elements.push_back(cursor.value());
    if (cursor.next() == ',') cursor.step();
  }
  return elements;
}

std::optional<std::string_view> find_member(const std::vector<JsonMember>& members, std::string_view name) {
  for (auto member = members.rbegin(); member != members.rend(); ++member) {
    if (member->name == name) return member->value;
  }
  return std::nullopt;
}

std::optional<std::string> json_string(std::string_view value) {
  if (value.size() < 2 || value.front() != '"') return std::nullopt;
  const std::string_view text = value.substr(1, value.size() - 2);
  std::string out;
  out.reserve(text.size());
  std::size_t at = 0;
  for (;;) {
    const auto escape = text.find('\\', at);
    out.append(text.substr(at, escape - at));
    if (escape == std::string_view::npos) return out;
    at = escape + 2;
    switch (text[escape + 1]) {
      case 'b':
        out += '\b';
        break;
      case 'f':
        out += '\f';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 't':
        out += '\t';
        break;
      case 'u':
        if (!put_escape(out, text, at)) return std::nullopt;
        break;
      default:
        out += text[escape + 1];
    }
  }
}

}  // namespace perdure::store
