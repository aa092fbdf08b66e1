#include "host/zygote/fork_server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "host/zygote/attempt.h"
#include "host/zygote/json_text.h"
#include "host/zygote/resource_usage.h"
#include "host/zygote/vouch.h"

namespace perdure::zygote {
namespace {

using protocol::Incoming;
using protocol::Kind;
using protocol::Outgoing;
using protocol::ReceiveResult;

constexpr std::size_t kMaxSpares = 256;
constexpr std::chrono::seconds kOrphanPatience{5};
constexpr int kLongestWaitMs = 3'600'000;
constexpr std::size_t kVouchesPerTurn =
    64;  // so that forks need not wait until all of very many children are vouched for
// What reading the list of children may take: longer, and exits are told a few at a time.
constexpr std::chrono::microseconds kCheapRead{500};
constexpr int kRestAfterRead = 4;  // times as long as it took
constexpr int kRetryMs = 100;      // after a spare could not be forked, or died before it ran anything

std::chrono::steady_clock::time_point now() { return std::chrono::steady_clock::now(); }

// The two ends of everything that joins host and child.
struct Pairs {
  int link[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1};
  bool open() {
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link) == 0 && pipe2(out, O_CLOEXEC) == 0 &&
           pipe2(err, O_CLOEXEC) == 0;
  }
  ~Pairs() {
    for (const int* pair : {link, out, err}) {
      for (int i = 0; i < 2; i++) {
        if (pair[i] >= 0) close(pair[i]);
      }
    }
  }
};

}  // namespace

void block_signals() {
  sigset_t set;
  sigfillset(&set);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) sigdelset(&set, fault);
  sigprocmask(SIG_SETMASK, &set, nullptr);
  signal(SIGCHLD, SIG_DFL);  // a plugin that ignored it would make us lose every wait status
}

ForkServer::ForkServer(int control, const Registration* registration, const Arguments& how,
                       TemporaryDirectories& temporary)
    : control_(control),
      self_(getpid()),
      host_(getppid()),
      registration_(registration),
      how_(how),
      temporary_(temporary) {
  children_.reserve(256);
  pids_.reserve(64);
  block_signals();
  sigset_t exits;
  sigemptyset(&exits);
  sigaddset(&exits, SIGCHLD);
  signals_ = signalfd(-1, &exits, SFD_CLOEXEC | SFD_NONBLOCK);
  vouches_ = can_vouch(how_.user);
  how_.beats = !vouches_;
  if (!vouches_) beat_in_every_attempt();
  prepare_attempts();
}

// Milliseconds until there is something to do though nobody says so; -1: never.
int ForkServer::patience() const {
  if (has_host() && vouched_ > 0) return 0;
  if (unsettled_ > 0 && settle_at_ > now()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(settle_at_ - now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, kRetryMs));
  }
  if (refill_at_ || unsettled_ > 0) return kRetryMs;
  if (has_host()) return children_.empty() ? -1 : static_cast<int>(kVouchMs);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(handover_.deadline() - now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, kLongestWaitMs));
}

void ForkServer::run() {
  for (;;) {
    pollfd ready[2] = {{has_host() ? control_ : handover_.listener(), POLLIN, 0}, {signals_, POLLIN, 0}};
    (void)poll(ready, 2, patience());
    if (refill_at_ && now() >= *refill_at_) refill();
    if (vouches_ && has_host() && now() >= vouch_at_) vouch_for_some();
    if (ready[0].revents != 0) {
      if (has_host()) {
        hear_host();
      } else {
        meet_host();
      }
    }
    if (ready[1].revents != 0) {
      reap();
    } else if (unsettled_ > 0) {
      settle();
    }
    if (host_lost_) lose_host();
    if (!has_host() && now() >= handover_.deadline()) leave();
  }
}

void ForkServer::hear_host() {
  while (!host_lost_) {
    switch (receiver_.receive(control_, frame_, false)) {
      case ReceiveResult::kFrame:
        handle(frame_);
        break;
      case ReceiveResult::kWouldBlock:
        return;
      case ReceiveResult::kInvalid:
        leave();  // it is no host
      default:
        host_lost_ = true;
    }
  }
}

// False: the host is gone, as the loop will see to.
bool ForkServer::tell(const Outgoing& frame) {
  if (!has_host() || host_lost_) return false;
  host_lost_ = protocol::send(control_, frame, true) != protocol::SendResult::kSent;
  return !host_lost_;
}

ForkServer::Child* ForkServer::find(std::uint64_t id) {
  const auto found = std::ranges::find(children_, id, &Child::id);
  return found == children_.end() ? nullptr : &*found;
}

void ForkServer::handle(Incoming& frame) {
  switch (frame.kind) {
    case Kind::kFork:
      fork_for(frame);
      break;
    case Kind::kSpares:
      spares_wanted_ = std::min<std::size_t>(frame.arg, kMaxSpares);
      refill();
      break;
    case Kind::kTaken:
      if (Child* child = find(frame.id)) child->spare = false;
      refill();
      break;
    case Kind::kSignal:
      if (const Child* child = find(frame.id); child != nullptr && !child->reaped) {
        signal_tree(child->pid, static_cast<int>(frame.arg));
      }
      break;
    case Kind::kKeep:
      handover_.prepare(frame);
      break;
    case Kind::kQuit:
      leave();
    default:
      break;  // of a later protocol
  }
}

pid_t ForkServer::start(std::uint64_t id, const ChildEnds& ends, bool spare) {
  const TemporaryDirectory temporary = temporary_.take();
  pid_t pid = -1;
  if (registration_ == nullptr) {
    pid = execute_attempt(ends, how_, temporary_.path(temporary));
  } else {
    pid = fork();
    if (pid == 0) {
      become_attempt(ends, temporary, how_.user, self_);
      if (spare) warm_attempt();
      serve_attempts(*registration_);
    }
  }
  if (pid > 0) {
    children_.push_back({id, pid, spare, false, {}, {}, temporary});
    if (!vouches_ && ends.outlives()) {  // they cannot be had from the child later
      for (int i = 0; i < 3; i++) children_.back().ends[i] = fcntl(ends.host[i], F_DUPFD_CLOEXEC, kHostDescriptors + 3);
    }
  } else {
    const int error = errno;
    (void)temporary_.give_back(temporary);
    errno = error;
  }
  return pid;
}

void ForkServer::fork_for(Incoming& frame) {
  Outgoing answer;
  answer.id = frame.id;
  std::string error;
  pid_t pid = -1;
  if (const std::vector<int>& fds = frame.fds; fds.size() == 3 || fds.size() == 6) {
    ChildEnds ends{fds[0], fds[1], fds[2]};
    if (fds.size() == 6) std::copy(fds.begin() + 3, fds.end(), ends.host);
    pid = start(frame.id, ends, false);
  } else {
    errno = EINVAL;
  }
  if (pid > 0) {
    answer.kind = Kind::kStarted;
    answer.arg = static_cast<std::uint32_t>(pid);
  } else {
    error = "{\"error\":";
    append_json_string(error, std::string("no process could be started: ") + strerror(errno));
    error += '}';
    answer.kind = Kind::kForkFailed;
    answer.json = error;
  }
  // These are the child's alone from here on, or their end would not be seen.
  for (std::size_t i = 0; i < frame.fds.size(); i++) close(frame.release_fd(i));
  (void)tell(answer);
}

void ForkServer::refill() {
  refill_at_.reset();
  auto have =
      static_cast<std::size_t>(std::ranges::count_if(children_, [](const Child& c) { return c.spare && !c.reaped; }));
  for (; have < spares_wanted_; have++) {
    if (!fork_spare()) {
      refill_at_ = now() + std::chrono::milliseconds(kRetryMs);
      return;
    }
  }
}

bool ForkServer::fork_spare() {
  Pairs pairs;
  if (!pairs.open()) return false;
  const std::uint64_t id = next_spare_++;
  const int host_ends[] = {pairs.link[0], pairs.out[0], pairs.err[0]};
  ChildEnds ends{pairs.link[1], pairs.out[1], pairs.err[1]};
  if (handover_.prepared()) std::ranges::copy(host_ends, ends.host);
  const pid_t pid = start(id, ends, true);
  if (pid < 0) return false;
  Outgoing told;
  told.kind = Kind::kSpare;
  told.id = id;
  told.arg = static_cast<std::uint32_t>(pid);
  told.fds = host_ends;
  told.fd_count = 3;
  (void)tell(told);
  return true;
}

void ForkServer::reap() {
  signalfd_siginfo information[8];
  while (read(signals_, information, sizeof information) > 0) {
  }
  for (;;) {
    siginfo_t dead{};
    // Not reaped yet, so that its process group cannot have become somebody else's.
    if (waitid(P_ALL, 0, &dead, WEXITED | WNOHANG | WNOWAIT) != 0 || dead.si_pid == 0) break;
    (void)kill(-dead.si_pid, SIGKILL);
    int status = 0;
    rusage usage{};
    if (wait4(dead.si_pid, &status, 0, &usage) != dead.si_pid) continue;
    const auto child =
        std::ranges::find_if(children_, [&](const Child& c) { return c.pid == dead.si_pid && !c.reaped; });
    if (child == children_.end()) continue;  // somebody's orphan
    child->reaped = true;
    child->died = now();
    child->report = {status, 0, usage_report(usage)};
    unsettled_++;
  }
  if (unsettled_ > 0) settle();
}

// What a dead child left behind came to us, its nearest living ancestor: every child of ours that we did not start.
// While there are any, exits are not told; each of their deaths brings us here again. One that cannot end, because it
// hangs in the kernel or is being traced, does not hold up the others' exits for ever.
void ForkServer::settle() {
  const auto begin = now();
  if (begin < settle_at_) return;
  own_.read(pids_);
  bool orphans = false;
  auto next = children_.begin();  // both lists are in the order of starting, so that each is gone through once
  for (const pid_t pid : pids_) {
    const auto is_it = [pid](const Child& c) { return c.pid == pid && !c.reaped; };
    auto found = std::find_if(next, children_.end(), is_it);
    if (found == children_.end()) found = std::ranges::find_if(children_, is_it);
    if (found == children_.end()) {
      signal_tree(pid, SIGKILL);
      orphans = true;
    } else {
      next = found + 1;
    }
  }
  const auto end = now();
  if (end - begin > kCheapRead) settle_at_ = end + kRestAfterRead * (end - begin);
  const auto hopeless = end - kOrphanPatience;
  const auto due = [&](const Child& child) {
    return child.reaped && !child.settled && (!orphans || child.died < hopeless);
  };
  bool spare_ended = false, spare_died = false;
  for (Child& child : children_) {
    if (!due(child)) continue;
    if (!orphans && temporary_.give_back(child.temporary)) child.report.flags |= protocol::ExitReport::kLeftFiles;
    if (child.spare) (child.report.wait_status == 0 ? spare_ended : spare_died) = true;
    child.settled = true;
    unsettled_--;
  }
  tell_exits();
  if (!has_host()) return;
  if (spare_died)
    refill_at_ = now() + std::chrono::milliseconds(kRetryMs);  // or one that dies at once is forked for ever
  if (spare_ended) refill();
}

void ForkServer::tell_exits() {
  for (Child& child : children_) {
    if (!child.settled || child.forgotten) continue;
    Outgoing told;
    told.kind = Kind::kExited;
    told.id = child.id;
    told.arg = static_cast<std::uint32_t>(child.pid);
    told.raw = {reinterpret_cast<const char*>(&child.report), sizeof child.report};
    if (!tell(told)) break;  // it is kept for the next host
    child.forgotten = true;
  }
  std::erase_if(children_, [](Child& child) {
    if (!child.settled || !child.forgotten) return false;
    child.close_ends();
    return true;
  });
}

void ForkServer::leave() {
  const auto deadline = now() + kOrphanPatience;
  while (now() < deadline) {
    own_.read(pids_);
    for (const pid_t pid : pids_) signal_tree(pid, SIGKILL);
    for (const Child& child : children_) {
      if (!child.reaped && pids_.empty()) signal_tree(child.pid, SIGKILL);  // no list of children on this system
    }
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    if (waitpid(-1, nullptr, WNOHANG) < 0) break;
    pollfd exits{signals_, POLLIN, 0};
    (void)poll(&exits, 1, kRetryMs);
    signalfd_siginfo information[8];
    (void)!read(signals_, information, sizeof information);
  }
  handover_.end();  // not sooner: a host that comes meanwhile has to wait until nothing executes
  _exit(0);
}

// One that is passed over because another one has left the list meanwhile is vouched for in the next round.
void ForkServer::vouch_for_some() {
  const std::size_t end = std::min(vouched_ + kVouchesPerTurn, children_.size());
  for (; vouched_ < end; vouched_++) {
    if (const Child& child = children_[vouched_]; !child.reaped) vouch_for(child.pid, host_);
  }
  if (vouched_ < children_.size()) return;
  vouched_ = 0;
  vouch_at_ = now() + std::chrono::milliseconds(kVouchMs);
}

}  // namespace perdure::zygote
