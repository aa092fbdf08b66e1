// Which streams a run has, found without reading their chunks. Any thread.
#pragma once

#include <vector>

#include "store/model/stream.h"
#include "store/rocks/database.h"
#include "store/rocks/keys.h"

namespace perdure::store::rocks {

/// The streams of a run by name: reads the newest piece of each.
Result<std::vector<StreamInfo>> stored_streams(const Database& db, PackedId run);

}  // namespace perdure::store::rocks
