#include "host/cli/descriptor_shares.h"

#include <algorithm>

namespace perdure::cli {
namespace {

constexpr std::uint64_t kOfHost = 1024;     // the store's files, zygotes, plugins
constexpr std::uint64_t kOfExecuting = 12;  // link, pipes, process, cgroup; its log, core file and backtrace
constexpr std::uint64_t kOfWaiting = 7;     // nothing of it is started or ended then; 6 to 7 measured
constexpr std::uint64_t kFewestConnections = 256;
constexpr std::uint64_t kMostConnections = 16'384;

}  // namespace

std::uint64_t least_descriptors(std::uint64_t concurrency) {
  return kOfHost + kOfExecuting * concurrency + kFewestConnections;
}

DescriptorShares share_descriptors(std::uint64_t limit, std::uint64_t concurrency) {
  const std::uint64_t others = kOfHost + kOfExecuting * concurrency;
  const std::uint64_t left = limit - std::min(limit, others);
  const std::uint64_t connections = std::clamp(left / 5 * 3, kFewestConnections, kMostConnections);
  const std::uint64_t waiting = (left - std::min(left, connections)) / kOfWaiting;
  return {static_cast<std::size_t>(connections), static_cast<std::size_t>(concurrency + waiting)};
}

}  // namespace perdure::cli
