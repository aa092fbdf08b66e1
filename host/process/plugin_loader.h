// Loading plugins into zygotes, as the catalog sees it. Core thread only.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "store/model/ids.h"
#include "store/model/status.h"

namespace perdure::process {

/// What a plugin said of itself, checked for shape but not yet for meaning.
struct Manifest {
  std::string plugin;   // its name
  std::string version;  // its own words, e.g. "1.2.0"
  std::uint32_t abi_minor = 0;
  bool newer_minor = false;  // built for a newer minor than this host's: options unknown here may be meant
  std::string isolation;     // "fork" or "spawn"
  std::string isolation_reason;
  std::vector<std::string> warnings;
  struct Task {
    std::string id;
    std::string options;  // JSON text
    std::vector<std::string> hooks;
  };
  std::vector<Task> tasks;  // the order is the task index of the protocol
  /// Hooks around every task of the plugin, or of the host.
  struct Hooks {
    bool global = false;
    std::vector<std::string> hooks;
  };
  std::vector<Hooks> hooks;  // the first stands outermost
  [[nodiscard]] bool has_global_hooks() const {
    return std::ranges::any_of(hooks, [](const Hooks& each) { return each.global && !each.hooks.empty(); });
  }
};

class PluginLoader {
 public:
  virtual ~PluginLoader() = default;
  /// Starts a zygote for the plugin file at `path` (a private copy) and reports its manifest, or in one sentence why it
  /// is refused: not an ELF shared object, other machine, no or another perdure_register, unresolved symbols, crash,
  /// hang or exit while loading; after a crash the backtrace follows in lines of its own. `library_path`: where $ORIGIN
  /// of the original file was. `done` is called once, on the core thread.
  virtual void load(const store::VersionId& version, const std::string& path, const std::string& library_path,
                    std::function<void(store::Result<Manifest>)> done) = 0;
  /// Ends the version's zygotes once their attempts have ended; no start() names it any more.
  virtual void unload(const store::VersionId& version) = 0;
};

}  // namespace perdure::process
