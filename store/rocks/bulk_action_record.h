// The stored form of a bulk action. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

#include "store/model/bulk_action.h"
#include "store/model/status.h"
#include "store/rocks/keys.h"

namespace perdure::store::rocks {

std::string encode(const BulkAction& action);  // its id is in the key
Result<BulkAction> decode_bulk_action(PackedId id, std::string_view bytes);

}  // namespace perdure::store::rocks
