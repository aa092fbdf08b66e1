// The option `debounce` of a trigger. A pure function; any thread.
#pragma once

#include <string>
#include <string_view>

#include "host/engine/engine.h"

namespace perdure::api {

/// Reads {"key", "delay", "mode"?, "maxDelay"?} into the request: what is wrong with it, as the end of a sentence that
/// its name begins; empty: nothing.
std::string read_debounce(std::string_view value, store::Time now, engine::TriggerRequest& request);

}  // namespace perdure::api
