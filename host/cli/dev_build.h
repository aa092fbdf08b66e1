// How a plugin's project is built, and how what was built gets into the plugin directory. Functions without state; any
// thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "host/cli/console.h"
#include "host/os/process.h"
#include "store/model/ids.h"
#include "store/model/status.h"

namespace perdure::cli {

/// The command that builds the project in `directory`: `command` by the shell in that directory or, empty, CMake into
/// its folder build. kNotFound: neither is there.
store::Result<os::Command> build_command(const std::filesystem::path& directory, const std::string& command,
                                         const Console& console);

/// The plugins that a build has made: every file *.so below the directory that has the entry point's name in it; of
/// several called the same the newest.
std::vector<std::filesystem::path> built_plugins(const std::filesystem::path& directory);

struct PutPlugin {
  std::filesystem::path file;  // in the plugin directory
  store::VersionId version;
  bool changed = false;  // false: it was there already
};
/// Copies the file into the plugin directory, beside its name, and renames it in. kIo names what could not be done.
store::Result<PutPlugin> put_plugin(const std::filesystem::path& built, const std::filesystem::path& plugins);

}  // namespace perdure::cli
