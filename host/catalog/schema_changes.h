// What a new version of a plugin takes away from the one before it: tasks that are gone, and payloads that were valid
// and no longer are. Runs that were triggered for the version before may wait for just that. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "host/catalog/snapshot.h"

namespace perdure::catalog {

/// One sentence for each thing taken away. Compares what JSON Schema says of types, required and allowed members,
/// enumerations, bounds, items and members of objects; what it says by other keywords (patterns, combinations) counts
/// as narrower when it was added or differs, since nobody can tell.
std::vector<std::string> narrowed(const Tasks& before, const Tasks& after);

}  // namespace perdure::catalog
