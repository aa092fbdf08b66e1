// The zygote's loop: forks children when the host asks, keeps spares forked ahead, passes signals on, and tells each
// exit once nothing of the child is left. Single-threaded; owns every child of the process.
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
#include "host/zygote/private_memory.h"
#include "host/zygote/registration.h"
#include "host/zygote/temporary_directories.h"

namespace perdure::zygote {

/// Blocks every signal that could interrupt or end the process from outside; children unblock theirs. SIGCHLD is made
/// to count again, whatever a plugin did to it.
void block_signals();

class ForkServer {
 public:
  /// Serves the host at the other end of `control`, which is borrowed like the rest. Without a registration, attempts
  /// are executed and load the plugin themselves.
  ForkServer(int control, const Registration* registration, const Arguments& how, TemporaryDirectories& temporary);
  ForkServer(const ForkServer&) = delete;
  ForkServer& operator=(const ForkServer&) = delete;

  /// Runs until the host says quit or is gone; ends every child then. Does not return.
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
  };

  void handle(protocol::Incoming& frame);
  void fork_for(protocol::Incoming& frame);
  void refill();
  bool fork_spare();
  /// The child's pid, or -1 with errno set. Does not return in the child.
  pid_t start(std::uint64_t id, const ChildEnds& ends, bool spare);
  void reap();
  void settle();
  void vouch();
  void tell(const protocol::Outgoing& frame);
  Child* find(std::uint64_t id);
  [[noreturn]] void leave();

  const int control_;
  const Registration* const registration_;
  Arguments how_;
  TemporaryDirectories& temporary_;
  int signals_ = -1;
  OwnChildren own_;
  protocol::Receiver receiver_;
  protocol::Incoming frame_;
  std::vector<Child, PrivateMemory<Child>> children_;
  std::vector<pid_t> pids_;
  std::size_t spares_wanted_ = 0;
  std::uint64_t next_spare_ = std::uint64_t{1} << 63;
  bool vouches_ = false;
  std::chrono::steady_clock::time_point vouch_at_{};
  std::size_t unsettled_ = 0;                                       // reaped children whose exit is not told yet
  std::optional<std::chrono::steady_clock::time_point> refill_at_;  // later, because something failed
};

}  // namespace perdure::zygote
