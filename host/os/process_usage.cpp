#include "host/os/process_usage.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace perdure::os {

std::optional<ProcessUsage> process_usage(pid_t pid) {
  if (pid <= 0) return std::nullopt;
  const std::string directory = "/proc/" + std::to_string(pid);
  std::ifstream stat(directory + "/stat");
  std::string line;
  if (!std::getline(stat, line)) return std::nullopt;
  // The name in parentheses may hold anything; fields are counted behind it, from the third.
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  std::string skipped;
  for (int field = 3; field <= 13; ++field) fields >> skipped;
  std::uint64_t ticks = 0;
  for (int field = 14; field <= 17; ++field) {
    std::uint64_t part = 0;
    fields >> part;
    ticks += part;
  }
  if (!fields) return std::nullopt;
  ProcessUsage usage;
  usage.cpu = std::chrono::microseconds(ticks * 1'000'000 / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK)));
  std::ifstream status(directory + "/status");
  while (std::getline(status, line)) {
    if (line.starts_with("VmHWM:")) usage.peak_memory = std::strtoull(line.c_str() + 6, nullptr, 10) * 1024;
  }
  return usage;
}

}  // namespace perdure::os
