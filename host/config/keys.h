// The table of configuration keys: one row each says its name, its variable, its flag, its type and where its value
// lives. Everything else in this room (file, environment, flags, --print-config, the nearest known key) follows from
// it. Immutable; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "host/config/config.h"

namespace perdure::config {

/// A key's value inside a Config.
using Slot = std::variant<std::string*, std::uint64_t*, Duration*, bool*, std::vector<std::string>*>;

enum class Kind : std::uint8_t {
  kText,
  kPath,         // relative ones in the file are relative to the file's directory
  kAddress,      // ADDRESS:PORT
  kCount,        // a whole number of at least 1
  kMost,         // a whole number; 0: any number
  kSize,         // bytes: "10MB", or a whole number
  kDuration,     // "1m30s", or a whole number of seconds
  kMaxDuration,  // such a one: 0 for none, or at least 5 s
  kSwitch,       // true or false
  kNames,        // a list of texts; separated by commas in variables and flags
  kKeys,         // kNames that are public keys, see key_form.h; relative paths in the file are relative to the file
  kVariables,    // kNames that are names of environment variables
  kChoice,       // one of `choices`
  kSecret,       // text that is not shown
};

struct Key {
  std::string_view section;
  std::string_view name;
  std::string_view variable;  // PERDURE_…
  std::string_view flag;      // of `perdure serve`; empty: none
  Kind kind;
  Slot (*slot)(Config& config);
  std::span<const std::string_view> choices{};

  [[nodiscard]] std::string full_name() const { return std::string(section) + "." + std::string(name); }
};

std::span<const Key> keys();

/// The key called `full_name` ("host.listen"), or null.
const Key* find_key(std::string_view full_name);

/// What a value of the key has to look like: "a whole number of at least 1".
std::string expectation(const Key& key);

/// Sets the key from text, as variables and flags give it (and the file, for text). kInvalid says what was expected.
store::Status set_from_text(const Key& key, Config& config, std::string_view text);

/// Sets a key that takes numbers from a whole number in the file.
store::Status set_from_number(const Key& key, Config& config, std::int64_t number);

/// Whether the key holds a list of texts.
constexpr bool is_list(Kind kind) { return kind == Kind::kNames || kind == Kind::kVariables || kind == Kind::kKeys; }

/// Sets a key that holds a list. kInvalid names the text that cannot be in it.
store::Status set_names(const Key& key, Config& config, std::vector<std::string> names);

/// The key's value as TOML; kSecret ones hidden.
std::string show(const Key& key, Config& config);

/// `text` as a quoted TOML string.
std::string quoted(std::string_view text);

}  // namespace perdure::config
