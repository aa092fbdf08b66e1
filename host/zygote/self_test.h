// The rehearsal of a plugin before it serves: the zygote plays the host for one attempt, which executes the plugin's
// self test in a child like any other. Main thread of a zygote with blocked signals, before it serves.
#pragma once

#include <string>
#include <vector>

#include "host/zygote/arguments.h"
#include "host/zygote/registration.h"
#include "host/zygote/temporary_directories.h"

namespace perdure::zygote {

/// What came of a self test.
struct SelfTest {
  /// Why the plugin must be refused: a sentence, and below it what the test has logged. Empty when it passed.
  std::string refusal;
  /// What it logged at the levels warn and error, when it passed.
  std::vector<std::string> warnings;
  /// It crashed, and the host has been told so and has taken the backtrace: nothing is left to say.
  bool told = false;
};

/// Executes the self test of `registration` and waits for its end, at most `how.self_test`; then it is killed. Nothing
/// of its process tree is left when this returns. `forks`: whether the plugin's attempts are forked from this process,
/// else the plugin is loaded anew. A crash is told on `control`. Leaves the process when the host is gone.
SelfTest run_self_test(int control, const Registration& registration, bool forks, const Arguments& how,
                       TemporaryDirectories& temporary);

}  // namespace perdure::zygote
