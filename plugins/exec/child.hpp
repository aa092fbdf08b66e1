// One program, from start to end: its input given, its output kept up to a limit, and nothing of it left behind when
// the attempt stops. Attempt's thread.
#pragma once

#include <perdure/task.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace exec {

struct Start {
  std::vector<std::string> argv;           // the program first: a path, or a name looked for in the host's PATH
  std::string cwd;                         // empty: where the host is
  std::map<std::string, std::string> env;  // on top of PATH, HOME, LANG and a few more of the host's
  std::string input;
};

/// What was read from one stream.
struct Captured {
  std::string text;
  bool cut = false;  // there was more
};

struct End {
  int exit_code = 0;
  std::optional<int> signal;  // what ended it, if a signal did
  Captured out, err;
};

/// Bytes kept of each stream: small enough that both fit the host's output limit whatever they contain.
constexpr std::size_t kMostOutput = std::size_t{512} << 10;

/// Runs the program and waits for its end. When the attempt must stop, the program's process group gets SIGTERM, after
/// five seconds SIGKILL, and the task function is left. Throws Abort when the program cannot be started at all, and
/// perdure::Error when it could be later.
End run_child(const Start& start, perdure::Attempt& run);

}  // namespace exec
