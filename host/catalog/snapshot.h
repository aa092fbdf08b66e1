// What the catalog knew at one moment: immutable, shared, readable from any thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "store/model/ids.h"
#include "store/model/task_options.h"

namespace perdure::catalog {

enum class VersionState : std::uint8_t { kLoading, kServing, kRefused };

struct PluginVersion {
  store::VersionId id;  // content hash; empty when the file could not be read
  std::string file;     // the user's file, as found in the plugin directory
  std::string name;     // the plugin's own name; the file's stem before it is loaded
  std::string version;  // the plugin's own version text
  VersionState state = VersionState::kLoading;
  std::string reason;     // why it is refused: one sentence; after a crash the backtrace in the lines below it
  std::string isolation;  // "fork" or "spawn"
  std::string isolation_reason;
  std::vector<std::string> warnings;
  std::vector<std::string> tasks;
  store::Time loaded_at{};
};

struct Task {
  store::TaskId id;
  store::TaskOptions options;
  store::VersionId version;  // the newest loaded version that offers it
  std::string plugin;        // that plugin's name
  std::vector<std::string> hooks;
};

struct Snapshot {
  std::vector<PluginVersion> plugins;  // by file name
  std::map<store::TaskId, Task> tasks;
  bool loaded = false;  // the first scan of the plugin directory is done
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;

}  // namespace perdure::catalog
