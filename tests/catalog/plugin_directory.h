// A plugin directory and a cache beside it, for one test; both go with the object.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace perdure::catalog {

class PluginDirectory {
 public:
  PluginDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "perdure-catalog-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    root_ = name;
    std::filesystem::create_directory(plugins());
  }
  ~PluginDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  PluginDirectory(const PluginDirectory&) = delete;
  PluginDirectory& operator=(const PluginDirectory&) = delete;

  [[nodiscard]] std::filesystem::path plugins() const { return root_ / "plugins"; }
  [[nodiscard]] std::filesystem::path cache() const { return root_ / "data" / "plugins"; }

  /// Puts a file into the plugin directory; its path.
  std::filesystem::path put(const std::string& name, const std::string& content) const {
    std::ofstream(plugins() / name, std::ios::binary) << content;
    return plugins() / name;
  }

 private:
  std::filesystem::path root_;
};

inline std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace perdure::catalog
