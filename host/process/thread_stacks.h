// Where every thread of a running process is, with names and source lines. Like backtrace.h it reads the debug
// information of whatever the process has loaded, which is hostile input: only for a process of its own, never for the
// host.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "host/process/backtrace.h"

namespace perdure::process {

struct ThreadStack {
  pid_t tid = 0;
  std::string name;           // as the system has it
  std::vector<Frame> frames;  // the innermost first
  std::size_t depth = 0;      // how many there are; 0: it waits in the kernel and could not be interrupted
};

/// The stacks of the threads of `pid`, a child of `parent`, its first thread first; at most 64 of them. The process is
/// stopped for as long as it takes to read the addresses, some milliseconds, and goes on as if nothing had been.
/// Nothing when it cannot be read; `why` says why, in a sentence.
std::optional<std::vector<ThreadStack>> take_stacks(pid_t pid, pid_t parent, std::string& why);

/// The verb `perdure backtrace --pid P --parent Q`: prints
/// {"threads":[{"tid","name","depth","frames":[{"function","file","line","module","offset"}]}],"text"} or {"error"} to
/// stdout. Limits its own memory and time. Returns the exit status.
int print_stacks(pid_t pid, pid_t parent);

}  // namespace perdure::process
