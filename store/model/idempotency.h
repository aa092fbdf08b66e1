// Idempotency keys: at most one run of a task for each. Pure functions; any thread.
#pragma once

#include <string>

#include "store/model/ids.h"
#include "store/model/run.h"
#include "store/model/status.h"

namespace perdure::store {

/// Whether a run that ends so frees its key: it did not do what it was asked for.
bool frees_its_key(RunStatus end);

/// The answer about a key that no run has: kNotFound.
Status no_run_has(const TaskId& task, const std::string& key);

/// The answer to a trigger whose permit was good for one, which was made: kConflict.
Status used_up();

}  // namespace perdure::store
