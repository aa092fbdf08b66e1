// Text from outside made safe to store and show: whatever the bytes are, the result is UTF-8. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace perdure::process {

/// Whether `text` is UTF-8 (RFC 3629: no surrogates, nothing overlong).
bool is_utf8(std::string_view text);

/// `text` with every byte that is not part of a UTF-8 character replaced by U+FFFD.
std::string to_utf8(std::string_view text);

/// The most bytes of `text`, up to `limit`, that do not end inside a character; 0 when its first one is longer.
std::size_t whole_characters(std::string_view text, std::size_t limit);

}  // namespace perdure::process
