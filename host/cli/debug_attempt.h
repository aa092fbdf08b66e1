// One attempt that executes alone, for whoever debugs it: the host's side of its link, on this terminal. Nothing is
// recorded anywhere. Its log and failures go to the console's err, its result to out. One thread, which it blocks; it
// takes the process's SIGINT and SIGTERM, and its orphans, so it is once for a process.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "host/cli/console.h"
#include "host/os/process.h"

namespace perdure::cli {

/// What the attempt is given.
struct DebugStart {
  std::string task;
  std::uint32_t number = 1;
  std::string start;    // the json of kStart
  std::string payload;  // JSON text
  std::optional<std::chrono::milliseconds> max_duration;
  std::string plugin;  // the file that is loaded, for messages
};

/// Starts `program`, which is `perdure-zygote --alone`, or with `debugger` one that starts it, gives the attempt that
/// it is `start`, and sees it to its end: kDone when the attempt succeeded, else kFailed. The link becomes the
/// program's descriptor 3. Without a debugger a crash is answered with its backtrace, max_duration holds, SIGINT asks
/// the attempt to stop as a cancel does, and a second one kills it. A debugger does as it likes, may start it anew, and
/// gets SIGINT itself.
int debug_attempt(const DebugStart& start, os::Command program, bool debugger, Console& console);

}  // namespace perdure::cli
