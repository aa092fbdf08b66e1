// The catalog: finds the plugins in the plugin directory, has each loaded from a private copy, and says which tasks
// they offer. A file that cannot be loaded is listed with the reason and disturbs no other. Core thread only; what it
// says is immutable and may be read anywhere.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/catalog/snapshot.h"
#include "host/process/plugin_loader.h"
#include "store/model/status.h"

namespace perdure::catalog {

struct CatalogOptions {
  std::filesystem::path plugins;  // where people drop plugins
  std::filesystem::path cache;    // DATA/plugins
  /// The wall clock.
  std::function<store::Time()> now;
  /// Called with every new snapshot.
  std::function<void(SnapshotPtr)> changed;
};

class Catalog {
 public:
  /// `loader` outlives the catalog, and calls nothing of it once that is gone.
  Catalog(process::PluginLoader& loader, CatalogOptions options);

  /// Loads every *.so file of the plugin directory, side by side. Tasks are offered in the order of the file names,
  /// each as soon as the files before it are decided, so that of two that offer the same task the same one always wins.
  /// `done`: all are decided. kIo: the directory cannot be read. Once.
  store::Status scan(std::function<void()> done);

  [[nodiscard]] SnapshotPtr snapshot() const { return snapshot_; }

 private:
  struct Candidate {
    PluginVersion plugin;
    process::Manifest manifest;
    bool decided = false;
  };
  void decide(std::size_t index, store::Result<process::Manifest> manifest);
  void advance();
  void adopt(Candidate& candidate);
  void publish();

  process::PluginLoader& loader_;
  CatalogOptions options_;
  std::vector<Candidate> candidates_;  // by file name
  std::size_t adopted_ = 0;            // of candidates_, from the front
  std::map<store::TaskId, Task> tasks_;
  std::function<void()> done_;
  SnapshotPtr snapshot_ = std::make_shared<const Snapshot>();
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace perdure::catalog
