// One *.so of the plugin directory, as a scan found it. A value; any thread.
#pragma once

#include <filesystem>
#include <optional>

#include "host/catalog/plugin_cache.h"
#include "store/model/status.h"

namespace perdure::catalog {

struct FoundPlugin {
  std::filesystem::path file;
  /// Absent: somebody still writes it, or it changed a moment ago; a later scan will tell.
  std::optional<store::Result<CachedPlugin>> copy;
  /// The file is not as the scan before this one saw it (or that could not read it).
  bool changed = true;
};

}  // namespace perdure::catalog
