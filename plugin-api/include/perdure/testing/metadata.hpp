// What a change of metadata makes of it, as a host does it. No state; any thread.
#pragma once

#include <perdure/plugin.h>

#include <charconv>
#include <cstddef>
#include <string_view>

#include <perdure/json.hpp>

namespace perdure::testing::detail {

inline json::string_view name_of(std::string_view text) { return {text.data(), text.size()}; }

/// What `op` makes of the entry `name` of `place`; false when the value does not fit.
inline bool change_entry(json::object& place, perdure_metadata_op op, std::string_view key, const json::value& value) {
  const json::string_view name = name_of(key);
  json::value* const entry = place.if_contains(name);
  switch (op) {
    case PERDURE_META_SET:
      place[name] = value;
      return true;
    case PERDURE_META_DELETE:
      place.erase(name);
      return true;
    case PERDURE_META_INCREMENT:
      if (!value.is_number() || (entry != nullptr && !entry->is_number())) return false;
      if (entry == nullptr) {
        place[name] = value;
      } else if (entry->is_int64() && value.is_int64()) {
        *entry = entry->get_int64() + value.get_int64();
      } else {
        *entry = entry->to_number<double>() + value.to_number<double>();
      }
      return true;
    case PERDURE_META_APPEND:
      if (entry != nullptr && !entry->is_array()) return false;
      if (entry == nullptr) place[name] = json::array();
      place[name].get_array().push_back(value);
      return true;
    case PERDURE_META_REMOVE:
      if (entry == nullptr) return true;
      if (!entry->is_array()) return false;
      for (auto it = entry->get_array().begin(); it != entry->get_array().end();) {
        it = *it == value ? entry->get_array().erase(it) : it + 1;
      }
      return true;
    default:
      return false;
  }
}

/// The same along a path of names with dots between them; objects on the way are made. Positions lead into arrays, but
/// only to elements that are objects.
inline bool change_metadata(json::object& metadata, perdure_metadata_op op, std::string_view key,
                            const json::value& value) {
  if (!key.starts_with("$.")) return change_entry(metadata, op, key, value);
  key.remove_prefix(2);
  json::object* place = &metadata;
  for (std::size_t dot = key.find('.'); dot != std::string_view::npos; dot = key.find('.')) {
    json::value* next = place->if_contains(name_of(key.substr(0, dot)));
    if (next == nullptr) {
      next = &(*place)[name_of(key.substr(0, dot))];
      next->emplace_object();
    }
    key.remove_prefix(dot + 1);
    if (next->is_array()) {
      dot = key.find('.');
      std::size_t at = 0;
      std::from_chars(key.data(), key.data() + key.size(), at);
      if (dot == std::string_view::npos || at >= next->get_array().size()) return false;
      next = &next->get_array()[at];
      key.remove_prefix(dot + 1);
    }
    if (!next->is_object()) return false;
    place = &next->get_object();
  }
  return !key.empty() && change_entry(*place, op, key, value);
}

}  // namespace perdure::testing::detail
