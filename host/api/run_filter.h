// The filters by which clients choose runs, in the query of a list and in the body of a bulk action. Pure functions;
// any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/model/run_filter.h"

namespace perdure::api {

/// Reads the filter `name` ("status", "taskIdentifier", "createdAt.from" …), of which one of `values` is to hold: what
/// is wrong with it, as a sentence; empty: nothing.
std::string read_filter(std::string_view name, const std::vector<std::string>& values, store::Time now,
                        store::RunFilter& filter);

/// The names it knows, for a sentence: "status, taskIdentifier, …".
std::string filter_names();

}  // namespace perdure::api
