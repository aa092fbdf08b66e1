// The templates of scaffold/, compiled in: CMakeLists.txt makes the definition. Any thread.
#pragma once

#include <span>
#include <string_view>

namespace perdure::cli {

struct ScaffoldTemplate {
  std::string_view file;  // under scaffold/, without its ".in": "cpp/plugin.cpp"
  std::string_view text;  // with {{name}} and the like where a project's own words go
};

std::span<const ScaffoldTemplate> scaffold_templates();

}  // namespace perdure::cli
