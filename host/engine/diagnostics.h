// What is to be kept of an attempt that fails, besides what is kept of every one. Pure; any thread.
#pragma once

#include "store/model/run.h"
#include "store/model/task_options.h"

namespace perdure::engine {

/// Whether an attempt that begins now leaves its core file when it crashes: its task asks for that, the attempt before
/// it crashed, and after another crash there would be no further one. `run` counts it already.
bool keeps_core(const store::Run& run, const store::TaskOptions& options);

}  // namespace perdure::engine
