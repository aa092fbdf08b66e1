// A run and those it belongs to: root, parent, children; and what of a run is stored beside it. Reads the store; any
// thread.
#pragma once

#include <cstddef>
#include <string>

#include "store/store.h"

namespace perdure::api {

/// How many children a run's document shows; GET /perdure/v1/runs/{id}/children has them all.
inline constexpr std::size_t kMostChildrenShown = 100;

/// The run with its metadata as it is now in place of what it was triggered with.
store::Run as_it_is(const store::Store& store, store::Run run);

/// {"root"?, "parent"?, "children"?}: summaries of the runs that `run` belongs to, children oldest first.
std::string related_runs(const store::Store& store, const store::Run& run);

}  // namespace perdure::api
