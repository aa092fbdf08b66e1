// The fork server between two hosts. The children that the dead one had given attempts go on and see nothing of it:
// each holds the host's ends of its link and its pipes itself, where what it says waits. Their exits are remembered.
// The next host is given all of that; when none comes in time, everybody is ended.
#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "host/os/process.h"
#include "host/zygote/attempt.h"
#include "host/zygote/borrow_descriptor.h"
#include "host/zygote/fork_server.h"
#include "host/zygote/json_text.h"

namespace perdure::zygote {

namespace {

constexpr int kHoldTries = 1000;  // milliseconds

bool is_link(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

bool is_pipe(int fd) {
  struct stat file {};
  return fstat(fd, &file) == 0 && S_ISFIFO(file.st_mode);
}

}  // namespace

using protocol::Kind;
using protocol::Outgoing;

void ForkServer::Child::close_ends() {
  for (int& end : ends) {
    if (end >= 0) close(end);
    end = -1;
  }
}

void ForkServer::lose_host() {
  host_lost_ = false;
  close(control_);
  control_ = -1;
  spares_wanted_ = 0;
  refill_at_.reset();
  if (!handover_.prepared()) leave();
  os::raise_descriptor_limit();  // nothing is forked any more, so nobody inherits it
  const std::vector<std::uint64_t> executing = handover_.begin();
  bool anybody = false;
  for (Child& child : children_) {
    if (std::ranges::binary_search(executing, child.id) && (child.reaped || hold_ends(child))) {
      anybody = true;
      continue;
    }
    child.forgotten = true;
    if (!child.reaped) signal_tree(child.pid, SIGKILL);
  }
  if (!anybody) leave();
}

// What a child that ends before the next host comes has said is not to end with it. False: it cannot be had. A child
// that was forked this moment may not have put its descriptors in place yet.
bool ForkServer::hold_ends(Child& child) {
  for (int tries = 0; tries < kHoldTries; tries++) {
    for (int i = 0; i < 3; i++) {
      if (child.ends[i] < 0) child.ends[i] = borrow_descriptor(child.pid, kHostDescriptors + i);
    }
    if (child.ends[0] < 0 && errno == ESRCH) return true;  // it is dead; how it ended can be told
    if (is_link(child.ends[0]) && is_pipe(child.ends[1]) && is_pipe(child.ends[2])) return true;
    child.close_ends();
    const timespec moment{0, 1'000'000};
    nanosleep(&moment, nullptr);
  }
  return false;
}

void ForkServer::drop_ends() {
  if (!vouches_) return;  // they could not be had again
  for (Child& child : children_) child.close_ends();
}

void ForkServer::meet_host() {
  control_ = handover_.accept();
  if (control_ < 0) return;
  std::string json = "{\"temporary\":";
  append_json_string(json, how_.temporary);
  json += '}';
  const int roster = handover_.roster();
  Outgoing hello;
  hello.kind = Kind::kOrphans;
  hello.arg = protocol::kProtocolVersion;
  hello.id = static_cast<std::uint64_t>(std::ranges::count(children_, false, &Child::forgotten));
  hello.json = json;
  hello.fds = &roster;
  hello.fd_count = 1;
  bool heard = tell(hello);
  for (const Child& child : children_) heard = heard && (child.forgotten || introduce(child));
  if (!heard) return;  // this one is gone as well; the next is told anew
  drop_ends();
  tell_exits();
}

bool ForkServer::introduce(const Child& child) {
  Outgoing orphan;
  orphan.kind = Kind::kOrphan;
  orphan.id = child.id;
  orphan.arg = static_cast<std::uint32_t>(child.pid);
  if (child.ends[0] >= 0 && child.ends[1] >= 0 && child.ends[2] >= 0) {
    orphan.fds = child.ends;
    orphan.fd_count = 3;
  }
  return tell(orphan);
}

}  // namespace perdure::zygote
