// The processes below a process, found through /proc whatever sessions and groups they made for themselves. True for
// the calling moment only: the tree may change while it is read. Functions without state; any thread.
#pragma once

#include <sys/types.h>

#include <vector>

#include "host/os/unique_fd.h"

namespace perdure::os {

/// The direct children of every thread of `pid`; empty when there is no such process.
std::vector<pid_t> children_of(pid_t pid);

/// `pid`, then everything below it.
std::vector<pid_t> tree_of(pid_t pid);

/// Kills `pid`, its process group and everything below it. `pid` must be an unreaped child of the caller, so that its
/// number cannot have become another process's. Returns all that were found.
std::vector<pid_t> kill_tree(pid_t pid);

/// Kills what is below `pid`, which need not be a child of the caller, and then that process by its descriptor `root`.
/// A process that is started meanwhile may be left.
void kill_tree(const UniqueFd& root, pid_t pid);

}  // namespace perdure::os
