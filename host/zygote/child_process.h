// Making the process of one attempt: its descriptors, session and signals, whether it is forked from the zygote or
// executed anew. Single-threaded use in the zygote.
#pragma once

#include <sys/types.h>

#include <string>

namespace perdure::zygote {

/// The child's ends of its link and of its output pipes, as descriptors of the caller.
struct ChildEnds {
  int link = -1;
  int out = -1;
  int err = -1;
};

/// In a freshly forked child: takes the ends, closes every other descriptor but stdin, leaves the zygote's session and
/// becomes the reaper of its descendants. Signals are unblocked last.
void become_attempt(const ChildEnds& ends);

/// In a freshly executed `--attempt` process, whose descriptors are in place already: the rest of the same.
void become_executed_attempt();

/// Executes `perdure-zygote --attempt plugin` with these ends; `beats`: it has to send its heartbeats itself. Returns
/// its pid, or -1 with errno set.
pid_t execute_attempt(const ChildEnds& ends, const std::string& plugin, bool beats);

}  // namespace perdure::zygote
