#include "host/zygote/vouch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <string_view>

#include "host/protocol/frame.h"
#include "host/zygote/attempt.h"
#include "host/zygote/borrow_descriptor.h"
#include "host/zygote/child_process.h"

namespace perdure::zygote {
namespace {

// Whether `fd` is an end of a pair that the host or this zygote made, and not something the task put in its place.
bool is_attempt_link(int fd, pid_t host) {
  int type = 0;
  socklen_t size = sizeof type;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET) return false;
  ucred maker{};
  size = sizeof maker;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &maker, &size) != 0) return false;
  return maker.pid == getpid() || maker.pid == host;
}

// Whether a child's link is this process's own control link: it was forked this moment and has not put its own in place.
bool is_own_control(int link) {
  struct stat its {}, ours {};
  return fstat(link, &its) == 0 && fstat(kLinkDescriptor, &ours) == 0 && its.st_dev == ours.st_dev &&
         its.st_ino == ours.st_ino;
}

// Whether the process serves an attempt and can go on; by its name and state in /proc.
bool runs(pid_t child) {
  char text[512];
  const int fd = open(("/proc/" + std::to_string(child) + "/stat").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const ssize_t n = read(fd, text, sizeof text);
  close(fd);
  const std::string_view stat(text, n > 0 ? static_cast<std::size_t>(n) : 0);
  const std::size_t open_at = stat.find('(');
  const std::size_t close_at = stat.rfind(") ");
  if (open_at == std::string_view::npos || close_at == std::string_view::npos || close_at + 2 >= stat.size())
    return false;
  const std::string_view name = stat.substr(open_at + 1, close_at - open_at - 1);
  const char state = stat[close_at + 2];
  return name != kWaitingName && (state == 'R' || state == 'S' || state == 'D');
}

}  // namespace

bool can_vouch(const std::optional<User>& user) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return false;
  const pid_t child = fork();
  char byte = 0;
  if (child == 0) {
    close(ends[1]);
    if (user && !become_user(*user)) _exit(1);
    if (write(ends[0], &byte, 1) != 1) _exit(1);
    _exit(read(ends[0], &byte, 1) < 0 ? 1 : 0);
  }
  close(ends[0]);
  if (child > 0) (void)!read(ends[1], &byte, 1);  // it is as an attempt would be
  const int fd =
      child > 0 ? borrow_descriptor(child, kLinkDescriptor) : -1;  // descriptor 3 is there in both: the control link
  if (fd >= 0) close(fd);
  close(ends[1]);
  while (child > 0 && waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return fd >= 0;
}

void vouch_for(pid_t child, pid_t host) {
  if (!runs(child)) return;
  const int link = borrow_descriptor(child, kLinkDescriptor);
  if (link < 0) return;
  if (is_attempt_link(link, host) && !is_own_control(link)) {
    protocol::Outgoing beat;
    beat.kind = protocol::Kind::kHeartbeat;
    (void)protocol::send(link, beat, false);
  }
  close(link);
}

}  // namespace perdure::zygote
