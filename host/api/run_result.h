// What came of a run, in the public contract's shape: also as an item of its batch's results. Reads the store; any
// thread.
#pragma once

#include "host/api/json_text.h"
#include "store/store.h"

namespace perdure::api {

/// Writes {"ok","id","taskIdentifier","output"?,"outputType"} or {"ok":false,…,"error"} of a run that is final.
void put_result(JsonText& json, const store::Store& store, const store::Run& run);

}  // namespace perdure::api
