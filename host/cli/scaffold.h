// The project that `perdure new` writes: which files, and what is in them. The texts are templates in scaffold/,
// compiled into the executable. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/model/status.h"

namespace perdure::cli {

enum class Language { kCpp, kC, kRust };

/// A file of a project; `path` is relative to the project's directory.
struct ScaffoldFile {
  std::string path;
  std::string text;
};

/// Whether a project may be called so: the name becomes the plugin's, its task's, a file's and a CMake target's.
/// kInvalid with what a name must be.
store::Status check_project_name(std::string_view name);

/// The project's files, in the order in which a reader wants them. `prefix` is where Perdure is installed. The name has
/// passed check_project_name().
std::vector<ScaffoldFile> scaffold(Language language, const std::string& name, const std::string& prefix);

}  // namespace perdure::cli
