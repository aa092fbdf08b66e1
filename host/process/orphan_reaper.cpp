#include "host/process/orphan_reaper.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "host/os/process.h"
#include "host/os/process_tree.h"

namespace perdure::process {
namespace {

constexpr std::chrono::milliseconds kPause{2};
constexpr std::chrono::seconds kPatience{10};

}  // namespace

void OrphanReaper::adopt_orphans() { os::become_subreaper(); }

void OrphanReaper::kill_orphans(const std::string& executable, const std::function<bool(pid_t)>& is_known,
                                std::function<void()> gone) {
  const Instant now = std::chrono::steady_clock::now();
  for (const pid_t pid : os::children_of(getpid())) {
    if (is_known(pid)) continue;
    std::error_code error;
    if (!std::filesystem::equivalent("/proc/" + std::to_string(pid) + "/exe", executable, error)) continue;
    for (const pid_t each : os::kill_tree(pid)) dying_.push_back({each, now + kPatience});
  }
  gone_.push_back(std::move(gone));
  on_deadline(now);
}

bool OrphanReaper::reap(Instant now) {
  // One that is not our child yet becomes it when its parent, which dies as well, is gone.
  std::erase_if(dying_, [now](const Dying& each) { return os::try_reap(each.pid) || now >= each.give_up_at; });
  return dying_.empty();
}

void OrphanReaper::on_deadline(Instant now) {
  if (!reap(now)) return deadlines_.set(*this, now + kPause);
  for (const auto& gone : std::exchange(gone_, {})) gone();
}

}  // namespace perdure::process
