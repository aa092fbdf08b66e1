// Looks at a plugin file without executing anything of it, so that a file which cannot be a plugin is refused in words
// a person can act on. The parsing of symbols runs in a short-lived child: a forged file can then exhaust or crash only
// that, and the tables it reads do not stay in the zygote's memory.
#pragma once

#include <optional>
#include <string>

namespace perdure::zygote {

/// Why a plugin is not loaded.
struct Refusal {
  std::string reason;   // one sentence, without the file's name
  std::string details;  // more, for whoever digs; may be empty
};

/// The JSON text of kRefused.
std::string refusal_json(const Refusal& refusal);

/// Why the file at `path` cannot be a plugin of this host; nothing when it looks like one. Forks; call it while this
/// process has one thread.
std::optional<Refusal> inspect(const std::string& path);

}  // namespace perdure::zygote
