// A host in this process: everything put together, run, and taken apart in order.
#pragma once

#include "host/cli/console.h"
#include "host/config/config.h"

namespace perdure::cli {

/// Exit status of a host whose store is damaged (EX_IOERR).
inline constexpr int kStoreDamaged = 74;

/// Runs a host until a signal ends it; writes one line with its address to the console when it is ready. Blocks the
/// main thread, which is the core thread. The exit status. `repair`: open a damaged store up to the damage.
int serve_host(const config::Config& config, bool repair, Console& console);

}  // namespace perdure::cli
