// UTF-8 one code point at a time, for texts that are known to be valid. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace perdure::schema {

/// The code point at `at`, which moves behind it. A byte that begins none counts as one.
inline char32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto byte = static_cast<unsigned char>(text[at++]);
  const int more = byte < 0xc0 ? 0 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
  char32_t c = more == 0 ? byte : byte & (0x3fU >> more);
  for (int i = 0; i < more && at < text.size(); i++) c = (c << 6U) | (static_cast<unsigned char>(text[at++]) & 0x3fU);
  return c;
}

inline std::size_t count_code_points(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0U) != 0x80U ? 1 : 0;
  return count;
}

}  // namespace perdure::schema
