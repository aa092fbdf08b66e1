// The environment of processes that the host starts: nothing but what was named, so that the host's secrets do not
// reach tasks. Pure but for reading the environment; any thread.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "host/process/supervisor_options.h"

namespace perdure::process {

/// What `options` gives to zygotes: the variables of this process that it names, and its further ones, which win.
inline std::vector<std::string> environment_of_zygotes(const SupervisorOptions& options) {
  std::vector<std::string> environment = options.further_environment;
  for (const std::string& name : options.environment) {
    const auto names = [&](const std::string& each) { return each.starts_with(name + '='); };
    if (std::ranges::any_of(environment, names)) continue;
    if (const char* value = std::getenv(name.c_str())) environment.push_back(name + '=' + value);
  }
  return environment;
}

}  // namespace perdure::process
