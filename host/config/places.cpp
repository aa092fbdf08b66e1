#include "host/config/places.h"

#include <unistd.h>

#include <filesystem>
#include <system_error>

namespace perdure::config {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> variable(const Environment& environment, const std::string& name) {
  auto value = environment ? environment(name) : std::nullopt;
  if (value && value->empty()) value.reset();
  return value;
}

// $XDG_…_HOME, or `below` in the home directory; empty when there is neither.
std::string base_directory(const Environment& environment, const std::string& name, const std::string& below) {
  const auto xdg = variable(environment, name);
  if (xdg && xdg->front() == '/') return *xdg;  // the specification: relative ones are to be ignored
  const auto home = variable(environment, "HOME");
  return home ? *home + "/" + below : std::string();
}

}  // namespace

std::string default_data_directory(const Environment& environment) {
  if (::geteuid() == 0) return "/var/lib/perdure";
  const std::string base = base_directory(environment, "XDG_STATE_HOME", ".local/state");
  return base.empty() ? "perdure-data" : base + "/perdure";
}

std::optional<std::string> find_config_file(const Environment& environment) {
  std::error_code ignored;
  if (fs::exists("perdure.toml", ignored)) return "perdure.toml";
  std::string file;
  if (::geteuid() == 0) {
    file = "/etc/perdure/perdure.toml";
  } else {
    const std::string base = base_directory(environment, "XDG_CONFIG_HOME", ".config");
    if (base.empty()) return std::nullopt;
    file = base + "/perdure/perdure.toml";
  }
  return fs::exists(file, ignored) ? std::optional(file) : std::nullopt;
}

std::string default_plugin_directory() {
  const fs::path here = executable_directory();
  std::error_code ignored;
  for (const char* candidate : {"plugins", "lib/perdure/plugins"}) {
    const fs::path found = here.parent_path() / candidate;
    if (!here.empty() && fs::is_directory(found, ignored)) return found.string();
  }
  return "plugins";
}

std::string executable_directory() {
  std::error_code failed;
  const fs::path self = fs::read_symlink("/proc/self/exe", failed);
  return failed ? std::string() : self.parent_path().string();
}

}  // namespace perdure::config
