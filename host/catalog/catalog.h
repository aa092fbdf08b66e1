// The catalog: which plugin versions there are, which of them serve, and which tasks they offer. It is told what is in
// the plugin directory, has every content loaded from its private copy, and decides:
//
//  - A file's new content takes the place of the old one once it is loaded, in one step. Until then, and when it is
//    refused, the version before it goes on serving.
//  - The version before it retires: it stays loaded while runs are locked to it, and is unloaded after the last of
//  them.
//  - A file that is gone offers nothing any more; its version retires likewise.
//  - The global hooks of every version that serves stand around the tasks of all others: these serve with the new ones
//    once their zygotes have loaded them beside.
//  - What was refused is tried again after a growing pause, when its file changes, and on request.
//
// Core thread only; what snapshot() says is immutable and may be read anywhere.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/catalog/catalog_event.h"
#include "host/catalog/claims.h"
#include "host/catalog/control.h"
#include "host/catalog/found_plugin.h"
#include "host/catalog/snapshot.h"
#include "host/catalog/version_register.h"
#include "host/process/plugin_loader.h"
#include "store/model/status.h"

namespace perdure::catalog {

struct CatalogOptions {
  std::filesystem::path plugins;  // where people drop plugins
  std::filesystem::path cache;    // DATA/plugins
  /// The wall clock.
  std::function<store::Time()> now;
  /// How many unfinished runs are locked to the version.
  std::function<std::uint64_t(const store::VersionId&)> locked = [](const store::VersionId&) { return 0; };
  /// Called with every new snapshot.
  std::function<void(SnapshotPtr)> changed;
  /// Called with everything that an operator may want to know later.
  std::function<void(const CatalogEvent&)> event = [](const CatalogEvent&) {};
  /// What is remembered of versions could not be written.
  std::function<void(const store::Status&)> unsaved = [](const store::Status&) {};
};

class Catalog final : public Control {
 public:
  /// `loader` and `known` outlive the catalog; `loader` calls nothing of it once it is gone.
  Catalog(process::PluginLoader& loader, VersionRegister& known, CatalogOptions options);

  /// Loads a version that runs are locked to from its private copy, whatever is in the plugin directory now. Before the
  /// first found().
  void keep(const store::VersionId& version);

  /// All that is in the plugin directory now, by file name. snapshot()->loaded after the first call and once everything
  /// it told of is decided.
  void found(const std::vector<FoundPlugin>& plugins);

  /// No unfinished run is locked to the version any more, as far as the caller knows.
  void freed(const store::VersionId& version);

  store::Result<PluginVersion> roll_back(const std::string& plugin, const std::string& to) override;
  store::Result<PluginVersion> stored(const store::VersionId& version) override;
  store::Status retry(const std::string& plugin) override;
  /// When retry_due() next has something to do.
  [[nodiscard]] std::optional<store::Time> next_retry() const;
  void retry_due();

  [[nodiscard]] SnapshotPtr snapshot() const { return snapshot_; }

 private:
  enum class Zygote : std::uint8_t { kNone, kLoading, kUp };
  /// One content. It is here while a file has it, serves it, or runs are locked to it.
  struct Version {
    PluginVersion plugin;  // as shown, but for its state
    Zygote zygote = Zygote::kNone;
    std::shared_ptr<const Tasks> own_tasks;  // once its manifest was read, with the hooks that it has itself
    std::shared_ptr<const Tasks> tasks;      // the same with those of other plugins that are in force
    std::vector<store::VersionId> asked;     // whose global hooks are to stand around its tasks
    bool asking = false;                     // … which is not answered yet
    process::Surroundings around;            // … as it was answered
    bool refused = false;                    // for plugin.reason
    bool has_served = false;
    std::uint32_t failures = 0;
    std::optional<store::Time> retry_at;
  };
  struct File {
    store::VersionId present;  // of its content; empty: not read yet
    store::VersionId serving;  // whose tasks it offers; empty: none
    std::string trouble;       // why its content could not be read or is not trusted
    std::string conflict;      // why what it wants to serve does not, though it could be loaded
  };
  using Files = std::map<std::string, File>;

  Version& version(const store::VersionId& id, const std::string& file, const std::filesystem::path& copy);
  Version* known(const store::VersionId& id);
  [[nodiscard]] store::VersionId wanted(const Files::value_type& file) const;
  [[nodiscard]] const Files::value_type* owner(const store::VersionId& serving) const;
  [[nodiscard]] Files::value_type* named(const std::string& plugin);
  void load(const store::VersionId& id);
  void loaded(const store::VersionId& id, store::Result<process::Manifest> manifest);
  void refuse(Version& version, const std::string& why);
  void settle();
  void ask_for_wanted();
  void take(Files::value_type& file, const store::VersionId& wanted);
  // global_hooks.cpp
  [[nodiscard]] std::vector<store::VersionId> surroundings_of(const store::VersionId& id) const;
  bool surround(const store::VersionId& id);
  void surround_all();
  void surrounded(const store::VersionId& id, process::Surroundings around);
  [[nodiscard]] PluginVersion shown(const store::VersionId& id, const Version& version) const;
  void retire();
  void publish();
  void save();
  void tell(CatalogEvent::Kind kind, const PluginVersion& version, std::string reason = {});

  process::PluginLoader& loader_;
  VersionRegister& register_;
  CatalogOptions options_;
  Files files_;  // by path
  std::map<store::VersionId, Version> versions_;
  std::shared_ptr<const std::set<store::TaskId>> known_tasks_ = std::make_shared<const std::set<store::TaskId>>();
  bool scanned_ = false;
  bool all_decided_ = false;
  SnapshotPtr snapshot_ = std::make_shared<const Snapshot>();
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace perdure::catalog
