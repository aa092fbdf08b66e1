#include "host/process/memory_control.h"

namespace perdure::process {

std::string memory_in_force_in_words(const MemoryInForce& in_force) {
  switch (in_force.mechanism) {
    case MemoryMechanism::kCgroupV1:
      return "cgroups (version 1) in " + in_force.place;
    case MemoryMechanism::kCgroupV2:
      return "cgroups (version 2) in " + in_force.place;
    case MemoryMechanism::kWatchdog:
      return "a watchdog that looks at the processes of each attempt" +
             (in_force.why_not_better.empty() ? "" : ", because " + in_force.why_not_better);
    case MemoryMechanism::kNone:
      return "nothing limits the memory of attempts" +
             (in_force.why_not_better.empty() ? "" : ": " + in_force.why_not_better);
  }
  return {};
}

}  // namespace perdure::process
