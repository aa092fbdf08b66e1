// What a process used, as the host is told: for the zygote of its dead children, for an attempt of itself. Functions
// without state; any thread.
#pragma once

#include <sys/resource.h>

#include "host/protocol/message.h"

namespace perdure::zygote {

protocol::UsageReport usage_report(const rusage& usage);

/// Of this process so far, with the children that it has waited for.
protocol::UsageReport own_usage();

}  // namespace perdure::zygote
