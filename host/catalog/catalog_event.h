// What the catalog did, for the log and the audit: one line each. A value; any thread.
#pragma once

#include <string>
#include <string_view>

#include "host/catalog/snapshot.h"

namespace perdure::catalog {

struct CatalogEvent {
  enum class Kind : std::uint8_t {
    kLoaded,      // a file serves for the first time since the host started
    kReloaded,    // … another version than before
    kRefused,     // `reason` says why; the version before it serves on, where there is one
    kWithdrawn,   // the file is gone
    kRolledBack,  // somebody asked for an earlier version
    kReleased,    // somebody asked to try again what was refused or held
    kUnloaded,    // a version that served has no process any more
  };
  Kind kind;
  PluginVersion version;
  std::string reason;
};

}  // namespace perdure::catalog
