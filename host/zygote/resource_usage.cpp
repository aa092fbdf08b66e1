#include "host/zygote/resource_usage.h"

#include <algorithm>

namespace perdure::zygote {

namespace {
std::uint64_t microseconds(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(time.tv_usec);
}
}  // namespace

protocol::UsageReport usage_report(const rusage& usage) {
  return {microseconds(usage.ru_utime) + microseconds(usage.ru_stime),
          static_cast<std::uint64_t>(usage.ru_maxrss) * 1024, static_cast<std::uint64_t>(usage.ru_nvcsw),
          static_cast<std::uint64_t>(usage.ru_nivcsw)};
}

protocol::UsageReport own_usage() {
  rusage self{}, children{};
  getrusage(RUSAGE_SELF, &self);
  getrusage(RUSAGE_CHILDREN, &children);
  protocol::UsageReport sum = usage_report(self);
  const protocol::UsageReport theirs = usage_report(children);
  sum.cpu_microseconds += theirs.cpu_microseconds;
  sum.peak_memory = std::max(sum.peak_memory, theirs.peak_memory);
  sum.voluntary_switches += theirs.voluntary_switches;
  sum.involuntary_switches += theirs.involuntary_switches;
  return sum;
}

}  // namespace perdure::zygote
