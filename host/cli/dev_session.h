// What `perdure dev` does once it has a project and a host: builds when sources change, puts what was built into the
// plugin directory, says what the host makes of it, and follows the plugin's runs. One thread, which it blocks; it
// takes SIGINT and SIGTERM, so it is once for a process.
#pragma once

#include <filesystem>
#include <string>

#include "host/cli/client.h"
#include "host/cli/console.h"
#include "host/cli/dev_host.h"

namespace perdure::cli {

struct DevProject {
  std::filesystem::path directory;
  std::string build;              // the command; empty: CMake
  std::filesystem::path plugins;  // the host's plugin directory
};

/// From now on SIGINT and SIGTERM wait for dev_session().
void hold_stop_signals();

/// Until SIGINT or SIGTERM: kDone. kFailed: it could not go on, and said why. `own` is the host, or not started where
/// it is somebody else's.
int dev_session(const DevProject& project, Client& client, DevHost& own, Console& console);

}  // namespace perdure::cli
