#include "host/cli/configuration.h"

#include "host/config/places.h"

namespace perdure::cli {

config::Sources configuration_sources(const std::string& file, const std::map<std::string, std::string>& flags,
                                      const Console& console) {
  config::Sources sources;
  sources.environment = console.environment;
  if (!file.empty()) {
    sources.file = file;
  } else if (const auto named = console.environment("PERDURE_CONFIG"); named && !named->empty()) {
    sources.file = *named;
  } else {
    sources.file = config::find_config_file(console.environment);
  }
  for (const auto& [key, text] : flags) {
    if (!text.empty()) sources.flags.push_back({key, text});
  }
  return sources;
}

}  // namespace perdure::cli
