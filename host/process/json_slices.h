// Parts of a JSON text as slices of it, so that what a plugin wrote is kept to the letter. Only for texts that
// store::check_json has accepted. Pure; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace perdure::process {

/// Calls `each` with the undecoded key (without quotes) and the value of every member; nothing when `json` is no
/// object.
void for_each_member(std::string_view json,
                     const std::function<void(std::string_view key, std::string_view value)>& each);
/// Calls `each` with every element; nothing when `json` is no array.
void for_each_element(std::string_view json, const std::function<void(std::string_view value)>& each);

bool is_object(std::string_view json);
bool is_array(std::string_view json);

/// The string that `json` is, decoded; nullopt when it is another kind of value.
std::optional<std::string> string_of(std::string_view json);
/// The integer that `json` is; nullopt when it is none, or over 64 bits.
std::optional<std::int64_t> integer_of(std::string_view json);

/// Appends `text`, made UTF-8, as a JSON string with its quotes.
void append_string(std::string& out, std::string_view text);

}  // namespace perdure::process
