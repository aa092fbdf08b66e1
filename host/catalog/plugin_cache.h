// The private copies of plugin files: DATA/plugins/<sha256>/<name>.so. A plugin is loaded from its copy only, so that
// nothing done to the user's file reaches a process that has it mapped.
// Any thread; copying the same file twice at once is harmless.
#pragma once

#include <filesystem>

#include "store/model/ids.h"
#include "store/model/status.h"

namespace perdure::catalog {

struct CachedPlugin {
  store::VersionId version;    // the content's SHA-256
  std::filesystem::path path;  // of the copy, mode 0444
};

/// Copies `file` into `cache` under its content's hash (hashing what is copied, then fsync and rename), or finds the
/// copy that is there already, whose hash is then checked; a damaged one is replaced. kIo names what could not be read
/// or written; kInvalid: `file` is not a regular file.
store::Result<CachedPlugin> cache_plugin(const std::filesystem::path& file, const std::filesystem::path& cache);

/// The version that `file` is: its content's hash. kIo names what could not be read.
store::Result<store::VersionId> version_of(const std::filesystem::path& file);

}  // namespace perdure::catalog
