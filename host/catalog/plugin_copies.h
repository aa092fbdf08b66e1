// Which of the private copies in DATA/plugins/<sha256>/ there are, and the end of those that nothing needs. Making them
// is plugin_cache.h. Any thread, but remove_copies() not beside a cache_plugin() of a version it may remove.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "store/model/ids.h"
#include "store/model/status.h"

namespace perdure::catalog {

/// The copy of `version`: the one that is called `name` where there are several (the same content under two names).
/// nullopt: there is none. The content is not checked; cache_plugin(copy, cache) does that, by giving it a version.
std::optional<std::filesystem::path> find_copy(const std::filesystem::path& cache, const store::VersionId& version,
                                               const std::string& name);

/// What may go from `cache`: the directories of versions that are not in `needed`, and .copy-XXXXXX temporaries last
/// written before `stale_before` (a copy that is being made is younger than an hour). Nothing else is ever named. In
/// order of name; empty where the cache cannot be read.
std::vector<std::filesystem::path> removable_copies(const std::filesystem::path& cache,
                                                    const std::set<store::VersionId>& needed, store::Time stale_before);

/// Removes them. kIo names the first that could not be removed; the others are gone all the same. A process that has a
/// copy mapped keeps its content.
store::Status remove_copies(const std::vector<std::filesystem::path>& copies);

}  // namespace perdure::catalog
