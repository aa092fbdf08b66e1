#include "host/process/orphan_reaper.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include <utility>

#include "host/os/process.h"
#include "host/os/process_tree.h"

namespace perdure::process {
namespace {

constexpr std::chrono::milliseconds kPause{2};
constexpr std::chrono::milliseconds kLongPause{1000};  // once nobody waits any more
constexpr std::chrono::seconds kPatience{10};

// One that is not our child becomes it when its parent, which dies as well, is gone; or its parent has reaped it.
bool is_gone(pid_t pid) {
  if (os::try_reap(pid) || (kill(pid, 0) < 0 && errno == ESRCH)) return true;
  const os::UniqueFd process = os::open_pidfd(pid);
  return process && os::has_died(process);  // who has become its parent has not reaped it yet
}

}  // namespace

void OrphanReaper::adopt_orphans() { os::become_subreaper(); }

void OrphanReaper::kill_orphans(const std::vector<pid_t>& others, std::function<void()> gone) {
  const Instant now = std::chrono::steady_clock::now();
  for (const pid_t other : others) {
    for (const pid_t each : os::kill_tree(other)) dying_.insert(each);
  }
  waiting_.push_back({now + kPatience, std::move(gone)});
  kill_new();
  on_deadline(now);
}

void OrphanReaper::kill_new() {
  for (const pid_t pid : os::children_of(getpid())) {
    if (os::is_spawned(pid) || dying_.contains(pid)) continue;
    for (const pid_t each : os::kill_tree(pid)) dying_.insert(each);
  }
}

bool OrphanReaper::reap() {
  std::erase_if(dying_, is_gone);
  // What was started in the moment of being killed is ours by now.
  if (dying_.empty()) kill_new();
  return dying_.empty();
}

void OrphanReaper::on_deadline(Instant now) {
  const bool all = reap();
  std::vector<Waiting> told;
  for (Waiting& each : std::exchange(waiting_, {})) {
    (all || now >= each.until ? told : waiting_).push_back(std::move(each));
  }
  if (!all) deadlines_.set(*this, now + (waiting_.empty() ? kLongPause : kPause));
  for (const Waiting& each : told) each.gone();
}

}  // namespace perdure::process
