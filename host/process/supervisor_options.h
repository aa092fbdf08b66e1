// What a Supervisor is told once: where its executables are, its limits and its patience. A value; any thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "host/process/memory_control.h"
#include "store/model/ids.h"

namespace perdure::process {

struct SupervisorOptions {
  /// Path of perdure-zygote.
  std::string zygote_executable;
  /// Path of perdure, called as `perdure backtrace --pid P --tid T`; empty: no backtraces.
  std::string backtrace_executable;

  /// A plugin that has not finished registering by then is refused.
  std::chrono::milliseconds load_timeout{10'000};
  /// How long a plugin's self test may take before the version serves; a longer one refuses it. 0: none is asked for.
  std::chrono::milliseconds self_test_timeout{10'000};
  /// How often an attempt says that it is alive, and how long it may be silent before it is STALLED.
  std::chrono::milliseconds heartbeat_interval{30'000};
  std::chrono::milliseconds stall_after{300'000};
  /// What a canceled and a timed out attempt get between the cancel flag and SIGTERM; then from SIGTERM to SIGKILL.
  std::chrono::milliseconds cancel_grace{30'000};
  std::chrono::milliseconds timeout_grace{5'000};
  std::chrono::milliseconds shutdown_grace{0};
  std::chrono::milliseconds term_grace{2'000};
  /// How long a hook may take; one that takes longer is ended with its process. Not middleware and on_cancel: those
  /// stand beside the task's own function, and end with it.
  std::chrono::milliseconds hook_timeout{60'000};
  /// A child that is to be gone (killed, or its result confirmed) and is not by then is killed, or its zygote is.
  std::chrono::milliseconds leave_grace{5'000};
  /// An attempt for which no process could be had for so long is HOST_LOST.
  std::chrono::milliseconds start_timeout{10'000};
  /// A recycled child that nobody used for so long leaves.
  std::chrono::milliseconds recycled_idle{30'000};
  std::chrono::milliseconds backtrace_timeout{10'000};

  /// How attempts are kept within the memory of their machines.
  MemoryControl memory_control = MemoryControl::kOff;

  std::uint64_t output_limit = std::uint64_t{10} << 20;  // bytes of an attempt's result; more is OUTPUT_TOO_LARGE
  std::uint64_t log_limit = 1'000'000;  // bytes an attempt may log, and may write to stdout and stderr together

  std::uint32_t spares = 2;        // idle children kept ready for each loaded version, at least
  std::uint32_t max_spares = 64;   // children forked ahead for a busy version, at most
  std::uint32_t max_zygotes = 2;   // zygotes of one busy version
  std::uint32_t max_forking = 16;  // children asked of one zygote and not yet there

  /// Variables that zygotes inherit from the host's environment, apart from LD_LIBRARY_PATH, which names the plugin's
  /// folder.
  std::vector<std::string> environment = default_environment();
  static std::vector<std::string> default_environment() {
    return {"PATH",   "HOME",         "LANG",          "LC_ALL",       "TZ",
            "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"};
  }
  /// More variables for them, "NAME=value".
  std::vector<std::string> further_environment;
  /// Whom attempts run as; the host must be root then. Absent: the host's own user. Zygotes stay what the host is.
  struct User {
    uid_t uid;
    gid_t gid;
  };
  std::optional<User> user;
  /// A directory of the supervisor's own, in which every attempt gets one for its temporary files. Empty: none, and
  /// TMPDIR is the host's.
  std::string temporary;
  /// Where the next host finds zygotes that outlived this one, so that attempts need not end with it: a directory for
  /// nothing else. Empty: attempts end with the supervisor's process.
  std::string handover;
  /// How long attempts wait there for a next host; then they are ended.
  std::chrono::seconds orphaned_after{600};
  /// Leaves the limit of core dumps as it is for attempts; else they make none.
  bool core_dumps = false;
  /// Where core files of attempts that ask for them are kept; and bytes of each, and of all, the oldest giving way.
  std::string cores;
  std::uint64_t core_size = std::uint64_t{1} << 30;
  std::uint64_t cores_size = std::uint64_t{4} << 30;
  /// Told in a sentence what an operator should know, such as that a zygote died. May be empty.
  std::function<void(const std::string& message)> warn;
  /// The wall clock, for the times of log lines.
  std::function<store::Time()> clock = [] {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  };
};

}  // namespace perdure::process
