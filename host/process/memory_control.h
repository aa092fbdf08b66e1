// How the memory of attempts is limited: what was asked for, and what this machine allows. Values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace perdure::process {

/// What the configuration asks for. kAuto: the best that can be had.
enum class MemoryControl : std::uint8_t { kAuto, kCgroup, kWatchdog, kOff };

enum class MemoryMechanism : std::uint8_t {
  kNone,
  kWatchdog,  // the host looks at the memory of each process tree, the more often the nearer it is to its limit
  kCgroupV1,  // the kernel counts and kills
  kCgroupV2,
};

/// What is in force, and why nothing better is.
struct MemoryInForce {
  MemoryMechanism mechanism = MemoryMechanism::kNone;
  std::string place;           // the directory of the cgroups
  std::string why_not_better;  // a sentence; empty for cgroups, or when nothing better was asked for
};

/// As in failures, status pages and the configuration: "cgroup", "watchdog", "off".
constexpr std::string_view mechanism_name(MemoryMechanism mechanism) {
  switch (mechanism) {
    case MemoryMechanism::kNone:
      return "off";
    case MemoryMechanism::kWatchdog:
      return "watchdog";
    case MemoryMechanism::kCgroupV1:
    case MemoryMechanism::kCgroupV2:
      return "cgroup";
  }
  return "off";
}

/// Reads what the configuration says: "auto", "cgroup", "watchdog" or "off".
constexpr MemoryControl memory_control_named(std::string_view name) {
  if (name == "cgroup") return MemoryControl::kCgroup;
  if (name == "watchdog") return MemoryControl::kWatchdog;
  return name == "off" ? MemoryControl::kOff : MemoryControl::kAuto;
}

/// One sentence for people.
std::string memory_in_force_in_words(const MemoryInForce& in_force);

}  // namespace perdure::process
