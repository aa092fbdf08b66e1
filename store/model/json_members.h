// Cuts a JSON object into its members without building a document, so that payloads and metadata are kept as the text
// they came as. Only for text that store::check_json() has accepted. Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace perdure::store {

struct JsonMember {
  std::string name;
  std::string_view value;  // its text, without blanks around
};

/// The members in order; nothing when `text` is not an object.
std::optional<std::vector<JsonMember>> json_members(std::string_view text);

/// The value of the last member of that name (as in JavaScript), or nothing.
std::optional<std::string_view> find_member(const std::vector<JsonMember>& members, std::string_view name);

/// The text that a JSON string stands for; nothing when `value` is not a string or not well-formed UTF-16 inside.
std::optional<std::string> json_string(std::string_view value);

/// The elements of an array; nothing when `text` is not an array.
std::optional<std::vector<std::string_view>> json_elements(std::string_view text);

/// `text` without the blanks around it.
std::string_view trimmed(std::string_view text);

}  // namespace perdure::store
