// The little JSON the zygote needs: writing strings, checking that a text is one JSON object, and slicing an object
// into its members. A library's document tree would dirty pages in every child; this touches nothing but the text.
// Functions without state; callable from any thread; nothing here throws but std::bad_alloc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace perdure::zygote {

/// Appends `text` as a JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

/// True when `text` is exactly one JSON object (RFC 8259, any depth up to 64), with blanks around it allowed.
bool is_json_object(std::string_view text);

/// True when `text` is exactly one JSON value of any kind, under the same rules but for the depth.
bool is_json(std::string_view text, int depth = 64);

/// Walks the members of one JSON object without allocating. Tolerant: a malformed text just ends the walk early.
class JsonMembers {
 public:
  explicit JsonMembers(std::string_view object);
  /// The next member: its key without quotes (escapes untouched) and its value as it stands in the text. False at the
  /// end.
  bool next(std::string_view& key, std::string_view& value);

 private:
  std::string_view rest_;
};

/// The number `value` says, 0 when it is none, the largest when it is too large.
std::uint64_t json_unsigned(std::string_view value);

/// What is between the quotes of a JSON string value; empty when it is none. Escapes are left as they are.
std::string_view json_plain_string(std::string_view value);

/// The text that a JSON string stands for; empty when it is none. An escape of half a character becomes U+FFFD.
std::string json_unescaped(std::string_view value);

}  // namespace perdure::zygote
