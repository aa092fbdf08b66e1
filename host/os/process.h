// Starting, watching and reaping child processes of this one. The host never forks; it spawns.
// Any thread, but only one may reap a given process. What is remembered is which children were spawned here.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/os/unique_fd.h"

namespace perdure::os {

/// A program to start. Descriptors not named here are closed in it if they are close-on-exec, as all of ours are.
struct Command {
  std::string path;
  std::vector<std::string> arguments;    // without argv[0], which is the path's last part
  std::vector<std::string> environment;  // "NAME=value", and nothing else
  struct Mapping {
    int source;  // here, at least 3
    int target;  // there; each once, 0-3
  };
  std::vector<Mapping> descriptors;  // a target of 0-2 that is not named becomes /dev/null
  bool own_group = false;            // in a process group of its own, which a terminal's Ctrl-C does not reach
};
/// The new process's id, or -1 with errno set. Signals are unblocked and at their defaults in it.
[[nodiscard]] pid_t spawn(const Command& command);

/// Whether `pid` is a child that spawn() started, or that counts as one, and nobody has reaped: not an orphan.
[[nodiscard]] bool is_spawned(pid_t pid);

/// `pid`, which another process has spawned, counts as spawned here until try_reap() finds it dead or no child of ours.
void count_as_spawned(pid_t pid);

/// A descriptor that becomes readable when `pid`, not yet reaped, has died.
[[nodiscard]] UniqueFd open_pidfd(pid_t pid);

/// Sends `signal` to the process that `pidfd` stands for, if it has not been reaped.
void send_signal(const UniqueFd& pidfd, int signal);
/// Whether the process that `pidfd` stands for has died.
[[nodiscard]] bool has_died(const UniqueFd& pidfd);
/// When the process started, in clock ticks since the machine did: together with its number it is the name of no other
/// process. 0 when there is none.
[[nodiscard]] std::uint64_t start_of(pid_t pid);

/// How a dead child ended.
struct Ended {
  int status = 0;  // as waitpid(2) gives it
  std::uint64_t cpu_microseconds = 0;
  std::uint64_t peak_memory = 0;  // bytes
  std::uint64_t voluntary_switches = 0, involuntary_switches = 0;
};
/// Reaps child `pid` if it has died. Does not wait.
[[nodiscard]] std::optional<Ended> try_reap(pid_t pid);
/// Waits for child `pid` to die and reaps it.
void reap(pid_t pid);

/// Makes orphans below this process its children instead of init's.
void become_subreaper();

/// Raises the soft limit of open descriptors to the hard one. Returns the limits as they were.
rlimit raise_descriptor_limit();
/// Sets the limit of open descriptors of another process of ours.
void set_descriptor_limit(pid_t pid, const rlimit& limit);

}  // namespace perdure::os
