// Which configuration a verb sees that makes a host, or looks after the place where one lives. One thread.
#pragma once

#include <map>
#include <string>

#include "host/cli/console.h"
#include "host/config/config.h"

namespace perdure::cli {

/// The sources by their precedence: the file (`file`; empty: PERDURE_CONFIG, else where one is found), the console's
/// environment, and flags: texts by key, such as "host.listen"; empty ones were not given.
config::Sources configuration_sources(const std::string& file, const std::map<std::string, std::string>& flags,
                                      const Console& console);

}  // namespace perdure::cli
