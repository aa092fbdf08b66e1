// A core file of a process that waits in its crash handler, for debuggers: its threads' registers and the memory that
// no file has. Written by ourselves, because what the kernel does with its own is the machine's to say (core_pattern),
// and because attempts are not allowed any. Only for a process of its own, never for the host: it stops the other one.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace perdure::process {

/// What is to be kept, and where.
struct CoreWanted {
  std::string path;
  std::uint64_t size = 0;  // bytes of memory; what is over is left out, of the largest mappings
  std::uint64_t all = 0;   // bytes of all core files in that directory; the oldest others give way
  int signal = 0;          // that ended the process
};

/// How much was written, and whether that is all.
struct CoreWritten {
  std::uint64_t bytes = 0;
  bool complete = true;
};

/// Writes the core of process `pid`, whose thread `tid` crashed, into the empty file `fd`, until `deadline` at the
/// latest. Nothing when it cannot be; `why` says why.
std::optional<CoreWritten> write_core(pid_t pid, pid_t tid, const CoreWanted& wanted, int fd,
                                      std::chrono::steady_clock::time_point deadline, std::string& why);

/// Keeps the core of `pid` under its path, which appears once it is whole, and makes room for it. A JSON object:
/// {"path","bytes","complete"} or {"error"}.
std::string keep_core(pid_t pid, pid_t tid, const CoreWanted& wanted);

}  // namespace perdure::process
