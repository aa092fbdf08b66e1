// How `serve` has attempts confined: [attempts] of the configuration becomes what the supervisor is told.
#pragma once

#include "host/config/config.h"
#include "host/process/supervisor_options.h"
#include "store/model/status.h"

namespace perdure::cli {

/// Fills in whom attempts run as, what they see of the environment, and where their temporary files go; makes the
/// directory for those. With another user for them, the data directory becomes passable, and what is private in it
/// stays so. kInvalid: there is no such user, this host cannot become one, or a duration is too short.
store::Status confine_attempts(const config::Config& config, process::SupervisorOptions& options);

}  // namespace perdure::cli
