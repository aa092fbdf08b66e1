// A batch as it is asked for, made into what the store is given; and what its caller is told. Any thread.
#pragma once

#include <string>
#include <vector>

#include "host/catalog/snapshot.h"
#include "host/engine/engine.h"
#include "store/store.h"

namespace perdure::engine {

/// What a batch of those items is called as a durable call.
std::string name_of(const BatchRequest& request);

/// The items of `request` at `now`, with the tasks of `offered`: of a fresh batch when it names none. An item that
/// cannot be triggered is a fault of the batch or, when it is to be whole, its refusal, which says which.
store::Result<store::BatchItems> batch_items(BatchRequest request, const catalog::Snapshot& offered,
                                             const store::Store& store, store::Time now);

/// A run that was made for the case of a success that comes at `now`: from then its delay and ttl count, and its place
/// in the queue.
void begin_at(store::NewRun& run, store::Time now);

/// {"id":batch,"runs":[ids in order]}
std::string batch_json(const store::BatchId& batch, const std::vector<store::RunId>& runs);

}  // namespace perdure::engine
