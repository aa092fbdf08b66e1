// Where things are when nobody says: one rule for the host and for the client verbs, which look for the host's
// `secret`. Any thread, except that the functions read the environment.
#pragma once

#include <optional>
#include <string>

#include "host/config/config.h"

namespace perdure::config {

/// The data directory: /var/lib/perdure for root, else $XDG_STATE_HOME/perdure, which is ~/.local/state/perdure unless
/// set. The same from every working directory, so that clients of the same user find it.
std::string default_data_directory(const Environment& environment);

/// The configuration file, when there is one: ./perdure.toml, else /etc/perdure/perdure.toml for root and
/// $XDG_CONFIG_HOME/perdure/perdure.toml (~/.config unless set) for others.
std::optional<std::string> find_config_file(const Environment& environment);

/// The plugin directory: the shipped plugins beside the executable, ../plugins in a build tree and
/// ../lib/perdure/plugins where installed; else ./plugins.
std::string default_plugin_directory();

/// The directory this executable is in, by /proc/self/exe; empty when that cannot be read.
std::string executable_directory();

}  // namespace perdure::config
