#include "host/zygote/handover.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <optional>
#include <utility>

#include "host/protocol/roster.h"

namespace perdure::zygote {
namespace {

constexpr int kBacklog = 4;

// The name of this process's socket in the directory, however long that one's path is.
sockaddr_un address_in(int directory) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (void)snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%d", directory, getpid());
  return address;
}

}  // namespace

void Handover::prepare(protocol::Incoming& keep) {
  if (prepared() || keep.fds.size() != 2) return;
  const int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const sockaddr_un address = address_in(keep.fds[1]);
  (void)unlinkat(keep.fds[1], std::to_string(getpid()).c_str(), 0);  // of a process that had this number
  if (listener < 0 || bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener, kBacklog) != 0) {
    if (listener >= 0) close(listener);
    return;
  }
  roster_ = keep.release_fd(0);
  directory_ = keep.release_fd(1);
  listener_ = listener;
  patience_ = std::chrono::seconds(keep.arg);
}

std::vector<std::uint64_t> Handover::begin() {
  deadline_ = Clock::now() + patience_;
  std::vector<std::uint64_t> children;
  const std::optional<protocol::Roster> roster = protocol::Roster::open(fcntl(roster_, F_DUPFD_CLOEXEC, 0));
  if (!roster) return children;
  for (const protocol::Roster::Found& each : roster->entries()) children.push_back(each.entry.child);
  return children;
}

int Handover::accept() const {
  const int link = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (link < 0) return -1;
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(link, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid()) return link;
  close(link);
  return -1;
}

void Handover::end() {
  if (directory_ >= 0) (void)unlinkat(directory_, std::to_string(getpid()).c_str(), 0);
}

}  // namespace perdure::zygote
