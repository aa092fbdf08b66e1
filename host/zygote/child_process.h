// Making the process of one attempt: its descriptors, session, user and signals, whether it is forked from the zygote
// or executed anew. Single-threaded use in the zygote.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "host/zygote/arguments.h"
#include "host/zygote/temporary_directories.h"

namespace perdure::zygote {

/// The child's ends of its link and of its output pipes, as descriptors of the caller.
struct ChildEnds {
  int link = -1;
  int out = -1;
  int err = -1;
  /// The host's ends of the same, for a child that may outlive it; -1: it may not.
  int host[3] = {-1, -1, -1};
  [[nodiscard]] bool outlives() const { return host[0] >= 0; }
};

/// In a freshly forked child: takes the ends, closes every other descriptor but stdin, leaves the zygote's session,
/// becomes the reaper of its descendants and `user`. It ends with the zygote. Signals are unblocked last.
void become_attempt(const ChildEnds& ends, const TemporaryDirectory& temporary, const std::optional<User>& user,
                    pid_t zygote);

/// In a freshly executed `--attempt` process, whose descriptors are in place already: the rest of the same.
/// `outlives`: the host's ends are among them.
void become_executed_attempt(const std::string& temporary, const std::optional<User>& user, bool outlives);

/// Executes an `--attempt` of the plugin with these ends; `how` is what the zygote or spawner was told. Returns its
/// pid, or -1 with errno set.
pid_t execute_attempt(const ChildEnds& ends, const Arguments& how, const std::string& temporary);

/// Gives up root for `user`, with its groups and capabilities, for good. False with errno set.
bool become_user(const User& user);

}  // namespace perdure::zygote
