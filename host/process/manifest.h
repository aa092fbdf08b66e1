// What a zygote says of the plugin it has loaded, read from its JSON. Pure; any thread.
#pragma once

#include <string_view>

#include "host/process/plugin_loader.h"

namespace perdure::process {

/// The manifest in `json` (the json of kLoaded), or kInvalid when a zygote of this build would not say that.
store::Result<Manifest> parse_manifest(std::string_view json);

/// The sentence in the json of kRefused or kForkFailed, under `key`; a general one when there is none.
std::string parse_reason(std::string_view json, std::string_view key);

}  // namespace perdure::process
