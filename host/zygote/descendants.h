// The processes below a process: found through /proc, so that a task which forks leaves nobody behind, whatever
// sessions and process groups its children made for themselves. Functions of the calling moment; the tree may change
// while it is read.
#pragma once

#include <sys/types.h>

#include <vector>

#include "host/zygote/private_memory.h"

namespace perdure::zygote {

/// The direct children of every thread of `pid`; empty when there is no such process.
std::vector<pid_t> children_of(pid_t pid);

/// `pid`, then everything below it.
std::vector<pid_t> tree_of(pid_t pid);

/// Sends `signal` to `pid`, its process group and everything below it. A signal that a process must be awake to act on
/// is followed by SIGCONT, so that stopped ones see it too. `pid` must be an unreaped child of the caller.
void signal_tree(pid_t pid, int signal);

/// Kills every child of the calling process and everything below, and waits until there is none. Costs one system call
/// when there is none to begin with.
void end_descendants();

/// Process numbers that a fork does not copy.
using PrivatePids = std::vector<pid_t, PrivateMemory<pid_t>>;

/// Reads the caller's own children again and again, as cheaply as can be: some 20 µs for a hundred, but milliseconds
/// for some thousands, which the kernel goes through again for every page of text. Only for a process with one thread.
class OwnChildren {
 public:
  OwnChildren();
  ~OwnChildren();
  OwnChildren(const OwnChildren&) = delete;
  OwnChildren& operator=(const OwnChildren&) = delete;
  /// Replaces `pids` by the children as they are now, zombies included.
  void read(PrivatePids& pids);
  int descriptor() const { return fd_; }

 private:
  int fd_;
  std::vector<char, PrivateMemory<char>> page_;
};

}  // namespace perdure::zygote
