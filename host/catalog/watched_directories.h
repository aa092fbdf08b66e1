// What is to be watched so that no change of the plugin directory is missed: itself, every directory that decides where
// its path leads, and the same for the target of each symbolic link in it. Reads the file system; any thread.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "host/catalog/file_signature.h"

namespace perdure::catalog {

/// What matters in one directory.
struct WatchedNames {
  bool plugins = false;           // it is the plugin directory: everything called like a plugin or its signature
  std::set<std::string> steps{};  // names on the way to somewhere
  std::set<std::string> files{};  // names of files that links in the plugin directory lead to
  bool operator==(const WatchedNames&) const = default;

  /// Whether what happened to `name` in the directory matters; an empty name is the directory itself.
  [[nodiscard]] bool concern(std::string_view name) const;
  void add(const WatchedNames& more);
};

/// By directory, without symbolic links; a directory before those in it. A directory or target that does not exist is
/// watched for up to the first name that is missing.
std::map<std::string, WatchedNames> directories_to_watch(const std::filesystem::path& plugins);

/// What polling compares.
struct DirectoryPicture {
  std::optional<FileSignature> directory;                     // without its size and times
  std::map<std::string, std::optional<FileSignature>> files;  // nullopt: a link that leads nowhere
  bool operator==(const DirectoryPicture&) const = default;
};
DirectoryPicture picture_of(const std::filesystem::path& plugins);

}  // namespace perdure::catalog
