// Heartbeats on behalf of children: the zygote looks at each attempt now and then and, unless it is stopped, sends the
// host a heartbeat through the child's own link. So a long, silent attempt needs no thread of its own to be known
// alive, and a stopped one falls silent all the same. Single-threaded use in the zygote.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <optional>

#include "host/zygote/arguments.h"

namespace perdure::zygote {

/// The names of processes by which the zygote tells them apart (and a person, in `ps`).
inline constexpr char kWaitingName[] = "perdure-spare";
inline constexpr char kRunningName[] = "perdure-attempt";

/// Whether this system lets a zygote reach into its children's descriptors; tried on a child of its own. Where it does
/// not, each attempt has to beat by itself. `user`: whom attempts run as.
bool can_vouch(const std::optional<User>& user = {});

/// Sends a heartbeat for `child`, an unreaped child of the caller, when it serves an attempt and is not stopped. Never
/// blocks. `host`: who made the links of those that the zygote did not make.
void vouch_for(pid_t child, pid_t host = getppid());

}  // namespace perdure::zygote
