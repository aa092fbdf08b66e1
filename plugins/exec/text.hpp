// A program's output as JSON can carry it. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace exec {

/// `bytes`, with U+FFFD for each byte that is no UTF-8.
inline std::string as_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  std::size_t i = 0;
  while (i < bytes.size()) {
    const auto at = [&](std::size_t n) { return static_cast<unsigned char>(bytes[i + n]); };
    const auto follows = [&](std::size_t n) { return i + n < bytes.size() && (at(n) & 0xc0) == 0x80; };
    std::size_t size = 0;
    if (at(0) < 0x80) {
      size = 1;
    } else if (at(0) >= 0xc2 && at(0) <= 0xdf && follows(1)) {
      size = 2;
    } else if (at(0) >= 0xe0 && at(0) <= 0xef && follows(1) && follows(2)) {
      const unsigned point = ((at(0) & 0x0fu) << 12) | ((at(1) & 0x3fu) << 6);
      size = point < 0x800 || (point >= 0xd800 && point <= 0xdfff) ? 0 : 3;
    } else if (at(0) >= 0xf0 && at(0) <= 0xf4 && follows(1) && follows(2) && follows(3)) {
      const unsigned point = ((at(0) & 0x07u) << 18) | ((at(1) & 0x3fu) << 12);
      size = point < 0x10000 || point > 0x10ffff ? 0 : 4;
    }
    if (size == 0) {
      out += "\xef\xbf\xbd";
      i += 1;
    } else {
      out.append(bytes, i, size);
      i += size;
    }
  }
  return out;
}

/// The last `most` bytes, from the start of a character.
inline std::string_view tail(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  text.remove_prefix(text.size() - most);
  while (!text.empty() && (static_cast<unsigned char>(text[0]) & 0xc0) == 0x80) text.remove_prefix(1);
  return text;
}

/// The last line that is not empty, at most 200 bytes of it.
inline std::string last_line(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  const std::size_t newline = text.rfind('\n');
  if (newline != std::string_view::npos) text.remove_prefix(newline + 1);
  return std::string(tail(text, 200));
}

}  // namespace exec
