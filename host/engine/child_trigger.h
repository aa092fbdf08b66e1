// What an attempt says when it triggers a run, read: the options document of perdure_trigger (plugin.h). Pure; any
// thread.
#pragma once

#include <cstdint>
#include <string>

#include "host/engine/engine.h"
#include "store/model/run.h"

namespace perdure::engine {

/// Reads the json of a kTrigger request, {"call":n,"task":id,"options":{…}?}, and its payload, as asked by attempt
/// `number` of `parent`. kInvalid: what is wrong, naming the option.
store::Result<TriggerRequest> read_child_trigger(const std::string& json, std::string payload, const store::Run& parent,
                                                 std::uint32_t number, store::Time now);

/// The same of a kBatch request: {"call":n}, and as raw an array of {"task":id,"payload":any?,"options":{…}?}.
store::Result<BatchRequest> read_child_batch(const std::string& json, const std::string& raw, const store::Run& parent,
                                             std::uint32_t number, store::Time now);

}  // namespace perdure::engine
