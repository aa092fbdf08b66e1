// A zygote that passes from one host to the next: what it is given for that, and how it is taken over and left.
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <utility>

#include "host/os/process.h"
#include "host/process/zygote.h"

namespace perdure::process {

using protocol::Kind;

// What it is sent for that is there before any attempt is.
void Zygote::keep_for_the_next_host() {
  const std::string& directory = shared_.options.handover;
  if (directory.empty()) return;
  os::UniqueFd place(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  roster_ = protocol::Roster::make();
  if (!place || !roster_) {
    roster_.reset();
    if (!shared_.options.warn) return;
    return shared_.options.warn("attempts of a plugin will end with this host: " + directory + ": " + strerror(errno));
  }
  std::vector<os::UniqueFd> fds;
  fds.emplace_back(fcntl(roster_->descriptor(), F_DUPFD_CLOEXEC, 0));
  fds.push_back(std::move(place));
  (void)send(Kind::kKeep, static_cast<std::uint32_t>(shared_.options.orphaned_after.count()), 0, std::move(fds));
}

void Zygote::take_over(SurvivingZygote zygote) {
  state_ = State::kServing;
  adopted_ = leaving_ = true;
  pid_ = zygote.pid;
  pidfd_ = std::move(zygote.process);
  os::count_as_spawned(pid_);  // it may have become a child of ours, and is no orphan
  control_ = std::move(zygote.control);
  roster_ = std::move(zygote.roster);
  temporary_ = std::move(zygote.temporary);
  for (SurvivingZygote::Child& each : zygote.children) {
    Child::Ends ends{std::move(each.link), std::move(each.out), std::move(each.err)};
    children_.emplace(each.id, std::make_unique<Child>(shared_, *this, each.id, each.pid, std::move(ends)));
  }
}

void Zygote::listen() {
  if (!shared_.events.add(pidfd_.get(), *this, kProcess) || !shared_.events.add(control_.get(), *this, kControl)) {
    unresponsive("it could not be watched");
  }
  leave_if_idle();
}

bool Zygote::leave_to_the_next_host() {
  if (state_ != State::kServing || !roster_ || roster_->entries().empty()) return false;
  for (const auto& [id, child] : children_) child->let_go();
  shared_.deadlines.clear(*this);
  close(control_);
  close(pidfd_);
  state_ = State::kDead;
  return true;
}

}  // namespace perdure::process
