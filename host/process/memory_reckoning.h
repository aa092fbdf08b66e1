// How much memory a process tree uses, when measuring it exactly takes longer than it needs to use up the rest. What
// its processes map is cheap to read and an upper bound; by how much it is too much, because they share pages, is
// measured well before the limit, and from then on taken off the bound. Not thread-safe.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "host/os/process_memory.h"
#include "host/process/deadlines.h"

namespace perdure::process {

class MemoryReckoning {
 public:
  explicit MemoryReckoning(std::uint64_t limit) : limit_(limit) {}

  /// Bytes that `pids`, all of the tree's processes, use now: up to three quarters of the limit an upper bound. Above
  /// the limit only if that is certain.
  std::uint64_t used(const std::vector<pid_t>& pids, Instant now);

  /// How soon the processes could use up `bytes`, as fast as they have lately taken memory and faster.
  [[nodiscard]] std::chrono::milliseconds time_to_use(std::uint64_t bytes) const;

 private:
  [[nodiscard]] std::uint64_t reckon(const os::Memory& mapped) const;
  [[nodiscard]] bool is_stale(const std::vector<pid_t>& pids, std::uint64_t mapped, Instant now) const;
  void measure(const std::vector<pid_t>& pids, Instant now);
  void observe(const std::vector<pid_t>& pids, std::uint64_t mapped, Instant now);

  const std::uint64_t limit_;
  // The last exact measurement: whose, what, and until when it is good.
  std::vector<pid_t> pids_;
  os::MeasuredMemory measured_;
  Instant good_until_{};
  // The last look, whatever it was.
  std::vector<pid_t> seen_pids_;
  std::uint64_t seen_ = 0;
  Instant seen_at_{};
  std::uint64_t speed_ = 0;  // bytes in a millisecond
};

}  // namespace perdure::process
