#include "host/catalog/watched_directories.h"

#include <system_error>

#include "host/os/path_walk.h"

namespace perdure::catalog {
namespace {

namespace fs = std::filesystem;

// Of a plugin or of its signature.
bool is_plugin_name(std::string_view name) {
  return !name.starts_with('.') && (name.ends_with(".so") || name.ends_with(".so.sig"));
}

template <class Each>
void for_each_plugin_name(const fs::path& directory, Each each) {
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    if (is_plugin_name(it->path().filename().string())) each(*it);
  }
}

}  // namespace

bool WatchedNames::concern(std::string_view name) const {
  if (name.empty()) return true;
  const std::string text(name);
  return (plugins && is_plugin_name(name)) || steps.contains(text) || files.contains(text);
}

void WatchedNames::add(const WatchedNames& more) {
  plugins |= more.plugins;
  steps.insert(more.steps.begin(), more.steps.end());
  files.insert(more.files.begin(), more.files.end());
}

std::map<std::string, WatchedNames> directories_to_watch(const fs::path& plugins) {
  std::map<std::string, WatchedNames> watched;
  const os::PathWalk walk = os::walk_path(plugins.string());
  for (const os::Lookup& lookup : walk.lookups) watched[lookup.directory].steps.insert(lookup.name);
  std::error_code error;
  if (walk.end.empty() || !fs::is_directory(walk.end, error)) return watched;
  watched[walk.end].plugins = true;
  for_each_plugin_name(walk.end, [&](const fs::directory_entry& entry) {
    std::error_code ignored;
    if (!entry.is_symlink(ignored)) return;
    for (const os::Lookup& lookup : os::walk_path(entry.path().string()).lookups) {
      WatchedNames& names = watched[lookup.directory];
      (lookup.last ? names.files : names.steps).insert(lookup.name);
    }
  });
  return watched;
}

DirectoryPicture picture_of(const fs::path& plugins) {
  DirectoryPicture picture;
  picture.directory = file_signature(plugins);
  if (picture.directory) {
    // They change with every file that is made in it, whatever it is called.
    picture.directory->size = 0;
    picture.directory->modified_ns = picture.directory->changed_ns = 0;
  }
  for_each_plugin_name(plugins, [&](const fs::directory_entry& entry) {
    picture.files[entry.path().filename().string()] = file_signature(entry.path());
  });
  return picture;
}

}  // namespace perdure::catalog
