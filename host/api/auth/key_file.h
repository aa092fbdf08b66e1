// What a host remembers of its keys besides the root key: the further ones by their SHA-256, and root keys that were
// replaced for as long as they are still accepted. A file of its own beside the store, because it is needed before the
// store is open, is no larger than a page, and is not to be in copies of the store that are given to others. Only its
// owner may read it; it is replaced whole, so that whatever happens either the old or the new content is there.
// Functions without state; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/api/auth/caller.h"

namespace perdure::api::auth {

struct StoredKey {
  std::string id;      // "key_…"
  std::string name;    // for people
  std::string digest;  // hexadecimal, SHA-256 of its text
  std::string hint;    // the end of its text, to tell keys apart by
  Rights rights = 0;
  store::Time created_at;
  bool operator==(const StoredKey&) const = default;
};

/// A root key that was replaced. Its text is kept: tokens that are signed with it are to be checked.
struct FormerRootKey {
  std::string text;
  store::Time accepted_until;
  bool operator==(const FormerRootKey&) const = default;
};

struct KeyTable {
  std::vector<StoredKey> keys;  // oldest first
  std::vector<FormerRootKey> former_root_keys;
  bool operator==(const KeyTable&) const = default;
};

/// The file's text, and back. kCorruption says what is wrong.
std::string to_text(const KeyTable& table);
store::Result<KeyTable> parse_key_table(std::string_view text);

/// What is in the file at `path`; an empty table when there is none. kInvalid when others may read it; kIo,
/// kCorruption.
store::Result<KeyTable> read_key_file(const std::string& path);
/// Durable when ok. kNoSpace, kIo.
store::Status write_key_file(const std::string& path, const KeyTable& table);

/// Replaces the file that holds the root key. kNoSpace, kIo.
store::Status write_secret_file(const std::string& path, std::string_view key);

}  // namespace perdure::api::auth
