// How a host divides the descriptors that it may have open between what needs them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace perdure::cli {

struct DescriptorShares {
  std::size_t connections = 0;  // of clients at once; live subscriptions hold one each
  std::size_t processes = 0;    // attempts with a process at once: those that execute, and those that wait in one
};

/// As many as `concurrency` executing attempts, the fewest connections and the host itself may need.
std::uint64_t least_descriptors(std::uint64_t concurrency);

/// `limit`: descriptors that the host may have open. Executing attempts come first, then connections and attempts that
/// wait share what is left; with less than least_descriptors() each gets its least nevertheless.
DescriptorShares share_descriptors(std::uint64_t limit, std::uint64_t concurrency);

}  // namespace perdure::cli
