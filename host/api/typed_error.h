// How a run failed, in the words of the public contract: its typed error, of which the official client makes its own.
// The codes are a fixed list of the contract's. Pure functions; any thread.
#pragma once

#include "host/api/json_text.h"
#include "store/model/run.h"

namespace perdure::api {

/// Whether the run ended otherwise than well.
bool ended_badly(const store::Run& run);

/// Writes the typed error, an object, of a run that ended_badly().
void put_typed_error(JsonText& json, const store::Run& run);

}  // namespace perdure::api
