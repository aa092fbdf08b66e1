// The zygote's loop: forks children when the host asks, keeps spares forked ahead, passes signals on, and tells each
// exit once nothing of the child is left. When the host dies it keeps the children that execute attempts, and their
// exits, for the next one (orphans.cpp). Single-threaded; owns every child of the process.
#pragma once

#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/protocol/frame.h"
#include "host/zygote/arguments.h"
#include "host/zygote/child_process.h"
#include "host/zygote/descendants.h"
#include "host/zygote/handover.h"
#include "host/zygote/private_memory.h"
#include "host/zygote/registration.h"
#include "host/zygote/temporary_directories.h"

namespace perdure::zygote {

/// Blocks every signal that could interrupt or end the process from outside; children unblock theirs. SIGCHLD is made
/// to count again, whatever a plugin did to it.
void block_signals();

class ForkServer {
 public:
  /// Serves the host at the other end of `control`; the rest is borrowed. Without a registration, attempts
  /// are executed and load the plugin themselves.
  ForkServer(int control, const Registration* registration, const Arguments& how, TemporaryDirectories& temporary);
  ForkServer(const ForkServer&) = delete;
  ForkServer& operator=(const ForkServer&) = delete;

  /// Runs until the host says quit, or is gone and no other one has come in time; ends every child then. Does not
  /// return.
  [[noreturn]] void run();

 private:
  struct Child {
    std::uint64_t id;
    pid_t pid;
    bool spare;   // forked ahead, and not known to be taken
    bool reaped;  // dead; what follows is valid
    std::chrono::steady_clock::time_point died;
    protocol::ExitReport report;
    TemporaryDirectory temporary;
    bool settled = false;        // … and so is all it left behind: its exit can be told
    bool forgotten = false;      // nobody is to be told
    int ends[3] = {-1, -1, -1};  // the host's, while there is no host
    void close_ends();
  };

  void hear_host();
  void handle(protocol::Incoming& frame);
  void fork_for(protocol::Incoming& frame);
  void refill();
  bool fork_spare();
  /// The child's pid, or -1 with errno set. Does not return in the child.
  pid_t start(std::uint64_t id, const ChildEnds& ends, bool spare);
  void reap();
  void settle();
  void vouch_for_some();
  bool tell(const protocol::Outgoing& frame);
  void tell_exits();
  Child* find(std::uint64_t id);
  [[noreturn]] void leave();
  [[nodiscard]] int patience() const;

  // orphans.cpp: between two hosts
  [[nodiscard]] bool has_host() const { return control_ >= 0; }
  void lose_host();
  bool hold_ends(Child& child);
  void drop_ends();
  void meet_host();
  bool introduce(const Child& child);

  int control_;  // -1: there is no host
  const pid_t self_, host_;
  const Registration* const registration_;
  Arguments how_;
  TemporaryDirectories& temporary_;
  int signals_ = -1;
  OwnChildren own_;
  Handover handover_;
  protocol::Receiver receiver_;
  protocol::Incoming frame_;
  std::vector<Child, PrivateMemory<Child>> children_;
  PrivatePids pids_;
  std::size_t spares_wanted_ = 0;
  std::uint64_t next_spare_ = std::uint64_t{1} << 63;
  bool vouches_ = false;
  std::chrono::steady_clock::time_point vouch_at_{};
  std::size_t vouched_ = 0;                                         // of the children, in this round
  std::size_t unsettled_ = 0;                                       // children that are reaped and not settled
  std::chrono::steady_clock::time_point settle_at_{};               // not sooner
  bool host_lost_ = false;                                          // a frame could not be sent to it
  std::optional<std::chrono::steady_clock::time_point> refill_at_;  // later, because something failed
};

}  // namespace perdure::zygote
