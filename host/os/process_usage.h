// What a process has used of the machine so far. Any thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>

namespace perdure::os {

struct ProcessUsage {
  std::chrono::microseconds cpu{};  // user and system, with that of its children that have ended
  std::uint64_t peak_memory = 0;    // resident, bytes
};

/// Nothing when there is no process `pid`, or it may not be asked.
std::optional<ProcessUsage> process_usage(pid_t pid);

}  // namespace perdure::os
