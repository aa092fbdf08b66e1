// What the catalog knew at one moment: immutable, shared, readable from any thread.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "host/process/hook_set.h"
#include "host/schema/schema.h"
#include "store/model/ids.h"
#include "store/model/run.h"
#include "store/model/task_options.h"

namespace perdure::catalog {

enum class VersionState : std::uint8_t {
  kLoading,   // its file is being read, or its zygote loads it
  kServing,   // its tasks are offered
  kRetiring,  // another version took its place, or its file is gone; runs that are locked to it go on
  kIdle,      // its file's content that a rollback passed over
  kRefused,
};
std::string_view version_state_name(VersionState state);  // "loading", ...

struct PluginVersion {
  store::VersionId id;  // content hash; empty when the file could not be read
  std::string number;   // for people: "20261123.2"; empty like the id
  std::string file;     // the user's file, as found in the plugin directory
  std::string path;     // the private copy that is loaded
  std::string name;     // the plugin's own name; the file's stem before it is loaded
  std::string version;  // the plugin's own version text
  VersionState state = VersionState::kLoading;
  std::string reason;     // why it is refused: one sentence; after a crash the backtrace in the lines below it
  std::string isolation;  // "fork" or "spawn"
  std::string isolation_reason;
  std::vector<std::string> warnings;
  std::vector<std::string> tasks;
  process::HookSet global_hooks;           // its hooks that stand around every task of the host
  std::vector<std::string> surrounded_by;  // the other plugins whose global hooks stand around its tasks, by name
  store::Time loaded_at{};

  /// Whether people mean this plugin by `plugin`: its own name, or its file's with or without the ending.
  [[nodiscard]] bool called(std::string_view plugin) const;
};

struct Task {
  store::TaskId id;
  store::TaskOptions options;
  store::VersionId version;                // the one that these are the options of
  std::string plugin;                      // that plugin's name
  std::vector<std::string> hooks;          // its own, by name
  process::HookSet around;                 // every hook that stands around it: its own, its plugin's and the host's
  std::vector<std::string> surrounded_by;  // the other plugins whose hooks are among them
  std::shared_ptr<const schema::Schema> payload_schema;  // compiled; null: any payload will do
};
using Tasks = std::map<store::TaskId, Task>;

struct Snapshot {
  std::vector<PluginVersion> plugins;  // by file name; of one file the serving version first
  Tasks tasks;                         // what is offered: each from the version that serves
  /// What an attempt can start on: every version with a zygote, the retiring ones included.
  std::map<store::VersionId, std::shared_ptr<const Tasks>> versions;
  /// Every task that was ever offered: runs of these are accepted, and wait when nobody offers them now.
  std::shared_ptr<const std::set<store::TaskId>> known = std::make_shared<const std::set<store::TaskId>>();
  bool loaded = false;  // the plugin directory was read once, and all that was in it is decided

  /// The task as that version has it; null when the version is not loaded or has no such task.
  [[nodiscard]] const Task* find(const store::VersionId& version, const store::TaskId& task) const;
  /// The run's task as the version has it that the run is locked to or, when that is not loaded or there is none, as it
  /// is offered now. Null: neither.
  [[nodiscard]] const Task* task_of(const store::Run& run) const;
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;

}  // namespace perdure::catalog
