// From a manifest to tasks: what a plugin said of its tasks, checked for meaning. Pure; any thread.
#pragma once

#include <vector>

#include "host/catalog/snapshot.h"
#include "host/process/plugin_loader.h"

namespace perdure::catalog {

/// The manifest's tasks with their options parsed. kInvalid names the task and what is wrong with it: a bad id, the
/// same id twice, a bad option by path, neither a task nor a global hook.
store::Result<std::vector<Task>> read_tasks(const process::Manifest& manifest, const store::VersionId& version);

}  // namespace perdure::catalog
