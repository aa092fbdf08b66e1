// The environment of processes that the host starts: nothing but what was named, so that the host's secrets do not
// reach tasks. Pure but for reading the environment; any thread.
#pragma once

#include <cstdlib>
#include <string>
#include <vector>

#include "host/process/supervisor_options.h"

namespace perdure::process {

/// The variables of this process that `options` names, as "NAME=value".
inline std::vector<std::string> inherited_environment(const SupervisorOptions& options) {
  std::vector<std::string> environment;
  for (const std::string& name : options.environment) {
    if (const char* value = std::getenv(name.c_str())) environment.push_back(name + '=' + value);
  }
  return environment;
}

}  // namespace perdure::process
