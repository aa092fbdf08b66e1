#include "host/process/guarded_tree.h"

#include <signal.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "host/os/process.h"
#include "host/os/process_memory.h"
#include "host/os/process_tree.h"

namespace perdure::process {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kShortestPause{1};
constexpr milliseconds kLongestPause{250};
constexpr milliseconds kLongestPauseInGroup{2000};
// Of a tree whose attempt waits: very many may. One of its other threads that takes memory meanwhile is found so late,
// but not before the hard stop.
constexpr milliseconds kLongestPauseInWait{10'000};
constexpr int kMoves = 20;  // a tree that still has processes outside after so many rounds is counted from outside
// A part of the limit that makes no difference.
constexpr std::uint64_t kSmallPart = 20;
// What stops a process that outruns the watchdog, above its limit: thread stacks and the like, mapped and not used.
constexpr std::uint64_t kHardStopSlack = std::uint64_t{256} << 20;
constexpr double kMostCpu = 8;  // of a machine that gives way to nobody
constexpr int kMostNiceness = 10;

// Half the processors are one step of giving way: a small one, for the kernel makes each count.
int niceness_of(const store::Machine& machine) {
  if (machine.cpu <= 0) return 0;
  return std::clamp(static_cast<int>(std::lround(std::log2(kMostCpu / machine.cpu))), 0, kMostNiceness);
}

}  // namespace

void GuardedTree::begin(AttemptHandle attempt) {
  const std::lock_guard lock(mutex_);
  attempt_ = attempt;
  seen_ = 0;
  over_ = false;
  waits_ = false;
  if (!group_) return;
  kills_before_ = group_->kills();
  group_->forget();
  // An attempt before may have freed what is taken off the limit.
  if (uncounted_ > 0) (void)limit_group(os::measured_memory(processes()).used());
}

std::uint64_t GuardedTree::peak() const {
  const std::lock_guard lock(mutex_);
  return group_ ? std::max<std::uint64_t>(seen_, group_->peak() + uncounted_) : seen_.load();
}

std::uint64_t GuardedTree::kills() const {
  const std::lock_guard lock(mutex_);
  if (!group_) return 0;
  const std::uint64_t kills = group_->kills();
  return kills > kills_before_ ? kills - kills_before_ : 0;
}

bool GuardedTree::exceeded() const { return over_ || kills() > 0; }

bool GuardedTree::has_ended() const { return os::has_died(process_); }

std::vector<pid_t> GuardedTree::processes() const { return os::tree_of(pid_); }

void GuardedTree::saw(std::uint64_t used) {
  if (used > seen_) seen_ = used;
}

bool GuardedTree::contain(os::Cgroup& group) {
  (void)group.limit_memory(machine_.memory);
  if (!group.weigh_processor(machine_.cpu)) os::set_niceness(pid_, niceness_of(machine_));
  bool complete = false;
  for (int round = 0; round < kMoves && !complete; round++) {
    const std::vector<pid_t> inside = group.processes();
    complete = true;
    for (const pid_t pid : processes()) {
      if (std::ranges::find(inside, pid) != inside.end()) continue;
      complete = false;
      (void)group.add(pid);
    }
    if (has_ended()) return false;
  }
  return true;
}

void GuardedTree::settle_in(os::Cgroup group, MemoryMechanism mechanism) {
  const std::lock_guard lock(mutex_);
  kills_before_ = group.kills();
  group_.emplace(std::move(group));
  mechanism_ = mechanism;
  next_look_ = std::chrono::steady_clock::now();
}

void GuardedTree::settle_watched() {
  os::set_niceness(pid_, niceness_of(machine_));
  mechanism_ = MemoryMechanism::kWatchdog;
  next_look_ = std::chrono::steady_clock::now();
}

std::optional<os::Cgroup> GuardedTree::leave_group() {
  const std::lock_guard lock(mutex_);
  return std::exchange(group_, std::nullopt);
}

void GuardedTree::stop() {
  over_ = true;
  next_look_.reset();
  os::kill_tree(process_, pid_);
}

bool GuardedTree::look(Instant now) { return group_ ? look_into_group(now) : look_from_outside(now); }

void GuardedTree::look_sooner(Instant now) {
  if (next_look_) next_look_ = std::min(*next_look_, now);
}

// Whether there is anything to be taken off the limit, of what is `used`.
bool GuardedTree::limit_group(std::uint64_t used) {
  const std::uint64_t counted = group_->usage();
  const std::uint64_t uncounted = used > counted ? std::min(used - counted, machine_.memory) : 0;
  uncounted_ = uncounted < machine_.memory / kSmallPart ? 0 : uncounted;
  (void)group_->limit_memory(machine_.memory - uncounted_);
  return uncounted_ > 0;
}

// The kernel counts what was allocated since the move. What was there before is taken off the limit, and given back
// once the processes have freed it.
bool GuardedTree::look_into_group(Instant now) {
  const std::uint64_t used = os::measured_memory(processes()).used();
  saw(used);
  if (used > machine_.memory) return true;
  if (!limit_group(used)) {
    next_look_.reset();
    return false;
  }
  pause_ = std::clamp(2 * pause_, kShortestPause * 50, kLongestPauseInGroup);
  next_look_ = now + pause_;
  return false;
}

bool GuardedTree::look_from_outside(Instant now) {
  const std::vector<pid_t> pids = processes();
  for (const pid_t pid : pids) {
    if (std::ranges::find(limited_, pid) != limited_.end()) continue;
    limited_.push_back(pid);
    const std::uint64_t hard_stop = 2 * machine_.memory + kHardStopSlack;
    if (os::data_memory(pid) < hard_stop / 2) (void)os::limit_data_memory(pid, hard_stop);
  }
  const std::uint64_t used = reckoning_.used(pids, now);
  saw(used);
  if (used > machine_.memory) return true;
  const bool rests = waits_ && used == last_used_;
  last_used_ = used;
  const milliseconds pause = std::clamp(reckoning_.time_to_use(machine_.memory - used), kShortestPause, kLongestPause);
  pause_ = rests ? std::clamp(2 * pause_, pause, kLongestPauseInWait) : pause;
  next_look_ = now + pause_;
  return false;
}

}  // namespace perdure::process
