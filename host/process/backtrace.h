// The stacks of a process that waits in its crash handler, with names and source lines. Reads the debug information of
// whatever the process has loaded, which is hostile input: only for a process of its own, never for the host.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/process/core_file.h"

namespace perdure::process {

struct Frame {
  std::string function;  // demangled; empty when unknown
  std::string file;      // where there is debug information
  int line = 0;
  std::string module;        // the file the code is in
  std::uint64_t offset = 0;  // in the module
};

struct Backtrace {
  std::vector<Frame> frames;  // of the thread, the faulting frame first
  std::size_t depth = 0;      // how many there were before the rest was left out
  struct Thread {
    pid_t tid;
    std::vector<Frame> frames;
  };
  std::vector<Thread> others;  // briefly
};

/// Takes the backtrace of thread `tid` of process `pid`, whose innermost frames are a signal handler's: they are left
/// out. Stops the process meanwhile (ptrace). Nothing when it cannot be read; `why` says why.
std::optional<Backtrace> take_backtrace(pid_t pid, pid_t tid, std::string& why);

/// As text, a line for each frame: "#0 crash_task(int) at playground.cpp:42".
std::string to_text(const Backtrace& backtrace, pid_t tid);

/// The verb `perdure backtrace --pid P --tid T`: prints
/// {"frames":[{"function","file","line","module","offset"}],"text"} to stdout, with "core" as keep_core() tells it when
/// one is wanted. Limits its own memory and time. Returns the exit status.
int print_backtrace(pid_t pid, pid_t tid, const std::optional<CoreWanted>& core = {});

}  // namespace perdure::process
