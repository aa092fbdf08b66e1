#include "host/process/memory_reckoning.h"

#include <algorithm>

namespace perdure::process {
namespace {

using std::chrono::milliseconds;

// How fast processes can take memory: two of them some 4 GB/s each, as has been seen. Many more are seen to be faster.
constexpr std::uint64_t kLeastSpeed = std::uint64_t{8} << 20;
constexpr std::uint64_t kMostSpeed = std::uint64_t{256} << 20;
// A part of the limit that makes no difference.
constexpr std::uint64_t kSmallPart = 50;
// Pages that processes share become their own when they write to them, which no bound shows: an exact measurement is
// good until that could matter, but not for long, and for as long as keeps its cost small: less so near the limit.
constexpr milliseconds kLongestGood{250};
constexpr int kCostPart = 8;
constexpr int kCostPartNear = 1;

}  // namespace

std::uint64_t MemoryReckoning::reckon(const os::Memory& mapped) const {
  const std::uint64_t excess = measured_.excess.total();
  return mapped.total() > excess ? mapped.total() - excess : 0;
}

bool MemoryReckoning::is_stale(const std::vector<pid_t>& pids, std::uint64_t mapped, Instant now) const {
  if (pids != pids_) return true;
  if (now < good_until_) return false;
  const std::uint64_t then = measured_.mapped.total();
  return mapped > limit_ || std::max(mapped, then) - std::min(mapped, then) > limit_ / kSmallPart;
}

void MemoryReckoning::measure(const std::vector<pid_t>& pids, Instant now) {
  measured_ = os::measured_memory(pids);
  pids_ = pids;
  const Instant end = std::chrono::steady_clock::now();
  const std::uint64_t used = measured_.used();
  const Instant::duration good = std::min(time_to_use(limit_ > used ? limit_ - used : 0), kLongestGood);
  good_until_ = end + std::max(good, (end - now) * (used > limit_ / 4 * 3 ? kCostPartNear : kCostPart));
}

// A process that comes or goes is no speed.
void MemoryReckoning::observe(const std::vector<pid_t>& pids, std::uint64_t mapped, Instant now) {
  speed_ = std::max(kLeastSpeed, speed_ / 4 * 3);
  const auto elapsed = static_cast<std::uint64_t>(
      std::max<std::int64_t>(1, std::chrono::duration_cast<std::chrono::microseconds>(now - seen_at_).count()));
  if (pids == seen_pids_ && mapped > seen_) {
    speed_ = std::clamp((mapped - seen_) * 1000 / elapsed, speed_, kMostSpeed);
  }
  seen_pids_ = pids;
  seen_ = mapped;
  seen_at_ = now;
}

milliseconds MemoryReckoning::time_to_use(std::uint64_t bytes) const {
  return milliseconds(static_cast<std::int64_t>(bytes / std::max(kLeastSpeed, speed_)));
}

std::uint64_t MemoryReckoning::used(const std::vector<pid_t>& pids, Instant now) {
  os::Memory mapped = os::mapped_memory(pids);
  observe(pids, mapped.total(), now);
  if (mapped.total() <= limit_ / 4 * 3) return mapped.total();
  if (is_stale(pids, mapped.total(), now)) {
    measure(pids, now);
    mapped = measured_.mapped;
  }
  // Shared memory that is new may be shared by all; what is new and anonymous belongs to one process.
  if (reckon(mapped) > limit_ && mapped.shared > measured_.mapped.shared) {
    measure(pids, now);
    mapped = measured_.mapped;
  }
  return reckon(mapped);
}

}  // namespace perdure::process
