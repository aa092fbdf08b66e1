// The backtrace of a process that waits in its crash handler, taken by `perdure backtrace`, as a host has it taken.
#pragma once

#include <sys/types.h>

#include <string>

namespace perdure::cli {

/// The text of it; empty when there is none. Waits for it, ten seconds at the most.
std::string debug_backtrace(pid_t pid, pid_t tid);

}  // namespace perdure::cli
