// [plugins.NAME] tables: any keys, handed to the plugin as a JSON object, with ${VARIABLE} references to the
// environment expanded on the way, so that secrets need not be written into perdure.toml. Pure but for the environment
// it is given; any thread.
#pragma once

#include <toml++/toml.h>

#include <string>
#include <string_view>
#include <vector>

#include "host/config/config.h"

namespace perdure::config {

/// Replaces every ${NAME} by that variable; "$${" stands for a literal "${". kInvalid for a variable that is not set
/// (an empty one is fine) and for a reference that is not closed or names nothing.
store::Result<std::string> expand(std::string_view text, const Environment& environment);

/// The table as the text of a JSON object. What is wrong is appended to `errors`, each sentence beginning with
/// `file`:LINE and naming the key below `path`, the table's own name.
std::string plugin_json(const toml::table& table, const std::string& file, const std::string& path,
                        const Environment& environment, std::vector<std::string>& errors);

}  // namespace perdure::config
