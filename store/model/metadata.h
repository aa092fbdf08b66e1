// A run's metadata: one JSON object that the run, its children and clients change while it lives, by operations that
// do not need to know what is there. The rules of one operation; metadata_document.h has the object. Pure functions;
// any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/model/status.h"

namespace perdure::store {

/// Numbers are stored: append only.
enum class MetadataChange : std::uint8_t {
  kSet = 1,        // the entry becomes the value
  kDelete = 2,     // the entry goes; the value is not read
  kIncrement = 3,  // adds the value, a number; a missing entry counts as 0
  kAppend = 4,     // adds the value at the end of the entry, an array; a missing one counts as []
  kRemove = 5,     // takes every element equal to the value out of the entry, an array; a missing one stays so
  kReplace = 6,    // all of the metadata becomes the value, an object; the key is not read
};
std::string_view metadata_change_name(MetadataChange change);  // "set", "delete", ..., "update" for kReplace
std::optional<MetadataChange> parse_metadata_change(std::string_view name);

struct MetadataOperation {
  MetadataChange change = MetadataChange::kSet;
  /// An entry's name. One that begins with "$." is a path into the entries: names, and positions in arrays, joined by
  /// dots; objects on the way are made.
  std::string key;
  std::string value;  // JSON text
  bool operator==(const MetadataOperation&) const = default;
};

/// Largest metadata, as JSON text.
inline constexpr std::size_t kMostMetadata = std::size_t{256} << 10;

/// What is wrong with an operation whatever it is done to: kInvalid with the reason. To be asked of what comes from
/// outside, before the operation is given to anything else here or in the store.
Status check_operation(const MetadataOperation& operation);

/// The names of a key's path; the key alone when it is none. Empty when a name is.
std::vector<std::string> metadata_path(std::string_view key);

/// What `operation` (not kReplace) makes of one value, absent or JSON text: the new value, or that there is none.
/// kInvalid when it does not fit.
Result<std::optional<std::string>> changed_value(std::optional<std::string_view> value,
                                                 const MetadataOperation& operation);

}  // namespace perdure::store
