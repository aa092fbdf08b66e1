// A run as a row of the live updates' wire form: every value a string or null, which clients decode by the schema that
// is sent beside it. Reads the store; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/store.h"

namespace perdure::api {

/// Which columns of a row are wanted: a bit for each, in the order of the table in run_row.cpp.
using Columns = std::uint32_t;

/// All but those named; what a client cannot do without is kept all the same.
Columns columns_without(const std::vector<std::string>& skipped);

/// Of these columns, the ones that may change: all but the payload, which is sent once.
Columns changing(Columns columns);

/// {"column":{"type":"text"},…}
std::string schema_of(Columns columns);

/// A row by itself: a JSON object. `run` is as_it_is().
std::string row_of(const store::Store& store, const store::Run& run, Columns columns);

/// Another number for another row, as far as 53 bits can tell: numbers that a JavaScript client holds.
std::uint64_t mark_of(const std::string& row);

}  // namespace perdure::api
