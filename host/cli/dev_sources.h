// The sources of a plugin's project, watched: every file below its directory but hidden ones, what a build makes (its
// folder build and the like, objects, executables) and a host's data directory. What counts is content, so that a build
// which writes the same again is no change. One thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "host/os/inotify.h"

namespace perdure::cli {

class DevSources {
 public:
  explicit DevSources(std::filesystem::path directory) : directory_(std::move(directory)) {}

  /// Readable when something may have changed since the last look(); -1 where the system has no more watches: look
  /// every second then.
  [[nodiscard]] int fd() const { return complete_ ? inotify_.fd() : -1; }

  /// Reads the sources. True when a file came, went or has another content than at the last look; the first time.
  bool look();

 private:
  struct Known {
    std::int64_t modified_ns = 0;
    std::uint64_t size = 0;
    std::size_t content = 0;  // a hash
    bool operator==(const Known& other) const { return size == other.size && content == other.content; }
  };
  void read(const std::filesystem::path& directory, std::map<std::string, Known>& found);

  std::filesystem::path directory_;
  os::Inotify inotify_;
  bool complete_ = true;  // every directory is watched
  bool looked_ = false;
  std::map<std::string, Known> known_;
};

}  // namespace perdure::cli
