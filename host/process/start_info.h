// The json of kStart. Pure; any thread.
#pragma once

#include <string>

#include "host/process/launcher.h"
#include "host/process/supervisor_options.h"

namespace perdure::process {

/// What a child is told about `spec` beside the payload, as message.h describes it.
std::string start_info(const AttemptSpec& spec, const SupervisorOptions& options);

}  // namespace perdure::process
