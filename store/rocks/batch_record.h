// The value of a batch and how it is written; see records.h for how all values are. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

#include "store/model/batch.h"
#include "store/model/status.h"
#include "store/rocks/keys.h"

namespace perdure::store::rocks {

std::string encode(const Batch& batch);
Result<Batch> decode_batch(PackedId id, std::string_view bytes);

}  // namespace perdure::store::rocks
