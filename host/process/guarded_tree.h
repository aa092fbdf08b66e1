// The process tree of one child under its limits: shared by the core thread, which asks what became of it, and the
// guard's thread, which keeps it within them. Each function says on whose thread it is called.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "host/os/cgroup.h"
#include "host/os/unique_fd.h"
#include "host/process/deadlines.h"
#include "host/process/launcher.h"
#include "host/process/memory_control.h"
#include "host/process/memory_reckoning.h"

namespace perdure::process {

class GuardedTree {
 public:
  /// `pid` is an unreaped child's, the root of the tree. Core thread.
  GuardedTree(pid_t pid, os::UniqueFd process, store::Machine machine)
      : pid_(pid), process_(std::move(process)), machine_(std::move(machine)) {}

  [[nodiscard]] const store::Machine& machine() const { return machine_; }

  // ---- core thread ----
  /// From now on it is `attempt` whose memory counts.
  void begin(AttemptHandle attempt);
  /// The most that was used since begin(), as far as is known.
  [[nodiscard]] std::uint64_t peak() const;
  /// Whether it used more than its limit since begin(): the kernel killed in it, or the watchdog found so.
  [[nodiscard]] bool exceeded() const;
  /// How many of its processes the kernel has killed since begin().
  [[nodiscard]] std::uint64_t kills() const;
  /// Its attempt waits, or goes on: while it waits, and its memory stays as it is, it is looked at ever more rarely.
  void wait(bool waits) { waits_ = waits; }
  /// What keeps it in its limits by now.
  [[nodiscard]] MemoryMechanism mechanism() const { return mechanism_; }

  // ---- guard's thread ----
  [[nodiscard]] AttemptHandle attempt() const { return attempt_; }
  [[nodiscard]] bool has_ended() const;
  /// Moves the tree into `group`; false when its root has ended meanwhile. Takes what it used before off the limit.
  bool contain(os::Cgroup& group);
  /// The tree is in `group` from now on.
  void settle_in(os::Cgroup group, MemoryMechanism mechanism);
  /// There is no group for it: the watchdog has it.
  void settle_watched();
  std::optional<os::Cgroup> leave_group();
  /// The descriptor that tells of killing in its group, or -1.
  [[nodiscard]] int events() const { return group_ ? group_->out_of_memory_events() : -1; }
  /// Measures; true when more is used than the limit. Then `next_look` is when to measure again, if ever.
  bool look(Instant now);
  /// Its processes are killed now; what it was is told by exceeded().
  void stop();
  [[nodiscard]] std::optional<Instant> next_look() const { return next_look_; }
  /// Measures at `now`, whatever was the plan, if it is one to be measured.
  void look_sooner(Instant now);

 private:
  [[nodiscard]] std::vector<pid_t> processes() const;
  bool look_from_outside(Instant now);
  bool look_into_group(Instant now);
  bool limit_group(std::uint64_t used);
  void saw(std::uint64_t used);

  const pid_t pid_;
  const os::UniqueFd process_;
  const store::Machine machine_;
  std::atomic<AttemptHandle> attempt_{0};
  std::atomic<std::uint64_t> seen_{0};  // the most that was measured
  std::atomic<bool> over_{false};
  std::atomic<bool> waits_{false};
  std::atomic<MemoryMechanism> mechanism_{MemoryMechanism::kNone};
  std::atomic<std::uint64_t> uncounted_{0};  // bytes used before the tree was moved, which its group does not count

  mutable std::mutex mutex_;  // of the group and …
  std::optional<os::Cgroup> group_;
  std::uint64_t kills_before_ = 0;  // those of earlier attempts

  // The guard's alone.
  MemoryReckoning reckoning_{machine_.memory};
  std::optional<Instant> next_look_;
  std::chrono::milliseconds pause_{0};
  std::uint64_t last_used_ = 0;
  std::vector<pid_t> limited_;  // processes that have their hard stop
};

}  // namespace perdure::process
