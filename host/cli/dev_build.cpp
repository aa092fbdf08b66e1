#include "host/cli/dev_build.h"

#include <unistd.h>

#include <map>
#include <system_error>

#include "host/catalog/plugin_cache.h"
#include "host/config/places.h"
#include "host/os/durable_file.h"

namespace perdure::cli {
namespace {

namespace fs = std::filesystem;
using store::Result;
using store::Status;

// What CMake says beside warnings and errors tells nobody anything the tenth time.
constexpr const char* kCMake = "cmake -S . -B build >/dev/null && cmake --build build";

// For CMake: where this Perdure is installed, and debug information, which backtraces need.
void add_cmake_defaults(std::vector<std::string>& environment, const Console& console) {
  if (!console.environment("CMAKE_BUILD_TYPE")) environment.emplace_back("CMAKE_BUILD_TYPE=RelWithDebInfo");
  if (console.err_is_terminal) environment.emplace_back("CMAKE_COLOR_DIAGNOSTICS=ON");
  const fs::path prefix = fs::path(config::executable_directory()).parent_path();
  std::error_code ignored;
  if (!fs::exists(prefix / "include/perdure/plugin.h", ignored)) return;
  const auto given = console.environment("CMAKE_PREFIX_PATH");
  std::erase_if(environment, [](const std::string& each) { return each.starts_with("CMAKE_PREFIX_PATH="); });
  environment.push_back("CMAKE_PREFIX_PATH=" + (given ? *given + ":" : "") + prefix.string());
}

}  // namespace

Result<os::Command> build_command(const fs::path& directory, const std::string& command, const Console& console) {
  std::error_code ignored;
  if (command.empty() && !fs::exists(directory / "CMakeLists.txt", ignored)) {
    return Status::not_found(directory.string() +
                             " has no CMakeLists.txt; name a plugin's project, such as `perdure new` makes, or say how "
                             "it is built: --build 'make'");
  }
  os::Command build;
  build.path = "/bin/sh";
  build.arguments = {"-c", "cd -- \"$1\" && eval \"$2\"", "build", directory.string(),
                     command.empty() ? kCMake : command};
  for (char** variable = environ; *variable != nullptr; ++variable) build.environment.emplace_back(*variable);
  add_cmake_defaults(build.environment, console);
  return build;
}

std::vector<fs::path> built_plugins(const fs::path& directory) {
  std::map<std::string, fs::path> newest;  // of several that would be put there under one name
  std::error_code error;
  fs::recursive_directory_iterator it(directory, fs::directory_options::skip_permission_denied, error);
  for (const fs::recursive_directory_iterator end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with('.')) {
      it.disable_recursion_pending();  // .perdure has the copies of earlier ones
      continue;
    }
    std::string bytes;
    if (it->path().extension() != ".so" || !it->is_regular_file(error) || !os::read_file(it->path().string(), bytes) ||
        bytes.find("perdure_register_v") == std::string::npos) {
      continue;
    }
    fs::path& known = newest[name];
    if (known.empty() || fs::last_write_time(known, error) < it->last_write_time(error)) known = it->path();
  }
  std::vector<fs::path> built;
  for (const auto& [name, path] : newest) built.push_back(path);
  return built;
}

Result<PutPlugin> put_plugin(const fs::path& built, const fs::path& plugins) {
  auto version = catalog::version_of(built);
  if (!version) return version.status();
  PutPlugin put{plugins / built.filename(), std::move(*version), false};
  if (const auto there = catalog::version_of(put.file); there && *there == put.version) return put;
  std::error_code failed;
  fs::create_directories(plugins, failed);
  const fs::path beside = plugins / ("." + built.filename().string() + "." + std::to_string(::getpid()));
  if (!failed) fs::copy_file(built, beside, fs::copy_options::overwrite_existing, failed);
  if (!failed) {
    fs::permissions(beside, fs::perms::group_write | fs::perms::others_write, fs::perm_options::remove, failed);
  }
  if (!failed) fs::rename(beside, put.file, failed);
  if (failed) {
    std::error_code ignored;
    fs::remove(beside, ignored);
    return Status::io(built.string() + " could not be put into the plugin directory " + plugins.string() + ": " +
                      failed.message() + "; name one that you may write with --plugins");
  }
  put.changed = true;
  return put;
}

}  // namespace perdure::cli
