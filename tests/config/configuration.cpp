#include "tests/config/configuration.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace perdure::config {
namespace {

struct Directory {
  std::string path = std::filesystem::temp_directory_path() / "perdure-config-XXXXXX";
  Directory() {
    if (::mkdtemp(path.data()) == nullptr) path.clear();
  }
  ~Directory() { std::filesystem::remove_all(path); }
};

store::Result<Loaded> load_from(const Given& given, const std::string& directory) {
  Sources sources;
  if (!given.toml.empty()) {
    sources.file = directory + "/perdure.toml";
    std::ofstream(*sources.file) << given.toml;
  }
  sources.environment = [&given](const std::string& name) {
    const auto found = given.variables.find(name);
    return found == given.variables.end() ? std::nullopt : std::optional(found->second);
  };
  sources.flags = given.flags;
  return load(sources);
}

}  // namespace

store::Result<Loaded> load_given(const Given& given) {
  const Directory directory;
  return load_from(given, directory.path);
}

std::string errors_of(const Given& given) {
  const Directory directory;
  const auto loaded = load_from(given, directory.path);
  std::string text = loaded ? std::string() : loaded.status().message();
  const std::string prefix = directory.path + "/";
  for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix)) text.erase(at, prefix.size());
  return text;
}

}  // namespace perdure::config
