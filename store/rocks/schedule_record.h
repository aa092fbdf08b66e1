// The value of a schedule and how it is written; see records.h for how all values are. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

#include "store/model/schedule.h"
#include "store/model/status.h"
#include "store/rocks/keys.h"

namespace perdure::store::rocks {

std::string encode(const Schedule& schedule);  // its id is in the key
Result<Schedule> decode_schedule(PackedId id, std::string_view bytes);

}  // namespace perdure::store::rocks
