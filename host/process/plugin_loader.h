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

/// A plugin whose global hooks stand around the tasks of another.
struct Beside {
  store::VersionId version;
  std::string path;  // its private copy
  bool operator==(const Beside&) const = default;
};

/// Whose global hooks stand around a version's tasks, beside its own.
struct Surroundings {
  std::vector<store::VersionId> in_force;
  struct LeftOut {
    store::VersionId version;
    std::string why;  // a sentence; after a crash the backtrace follows in lines of its own
  };
  std::vector<LeftOut> left_out;  // could not be loaded beside it
  std::string isolation, isolation_reason;
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
  /// Lets the global hooks of `plugins` stand around the attempts of a loaded version, instead of those that do now:
  /// for attempts that start once a zygote with them is there; those that execute stay as they are. One of `plugins`
  /// that cannot be loaded beside it is left out. `changed` is called on the core thread once these hooks are in
  /// force or for now cannot be, and again when that changes; it replaces that of an earlier call. Zygotes load
  /// `plugins` in their order.
  virtual void surround(const store::VersionId& version, std::vector<Beside> plugins,
                        std::function<void(Surroundings)> changed) = 0;
  /// Ends the version's zygotes once their attempts have ended; no start() names it any more.
  virtual void unload(const store::VersionId& version) = 0;
};

}  // namespace perdure::process
