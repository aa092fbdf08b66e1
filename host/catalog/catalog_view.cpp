// What people and the engine are shown of the catalog. See catalog.h.
#include <algorithm>

#include "host/catalog/catalog.h"

namespace perdure::catalog {

void Catalog::publish() {
  auto snapshot = std::make_shared<Snapshot>();
  bool undecided = false;
  std::set<store::VersionId> done;
  const auto show = [&](PluginVersion plugin, VersionState state) {
    plugin.state = state;
    if (state != VersionState::kRefused) plugin.reason.clear();
    undecided = undecided || state == VersionState::kLoading;
    snapshot->plugins.push_back(std::move(plugin));
  };
  for (const auto& entry : files_) {
    const auto& [path, file] = entry;
    PluginVersion unread;
    unread.file = path;
    unread.name = std::filesystem::path(path).stem().string();
    if (const Version* serving = known(file.serving)) {
      done.insert(file.serving);
      show(shown(file.serving, *serving), VersionState::kServing);
      if (serving->tasks != nullptr) snapshot->tasks.insert(serving->tasks->begin(), serving->tasks->end());
    }
    if (!file.trouble.empty()) {
      unread.reason = file.trouble;
      show(unread, VersionState::kRefused);
      continue;
    }
    const store::VersionId want = wanted(entry);
    const Version* wanted = known(want);
    if (wanted != nullptr && want != file.serving) {
      done.insert(want);
      PluginVersion plugin = shown(want, *wanted);
      plugin.file = path;
      if (!file.conflict.empty()) plugin.reason = file.conflict;
      const bool refused = wanted->refused || !file.conflict.empty();
      show(plugin, refused ? VersionState::kRefused : VersionState::kLoading);
    }
    if (file.present != want && file.present != file.serving) {
      if (const Version* passed_over = known(file.present)) {
        done.insert(file.present);
        show(shown(file.present, *passed_over), passed_over->refused ? VersionState::kRefused : VersionState::kIdle);
      }
    }
  }
  for (const auto& [id, version] : versions_) {
    if (version.zygote == Zygote::kUp) snapshot->versions.emplace(id, version.tasks);
    if (done.contains(id)) continue;
    show(shown(id, version), version.refused                 ? VersionState::kRefused
                             : version.zygote == Zygote::kUp ? VersionState::kRetiring
                                                             : VersionState::kLoading);
  }
  std::ranges::stable_sort(snapshot->plugins, {}, &PluginVersion::file);
  snapshot->known = known_tasks_;
  all_decided_ = all_decided_ || (scanned_ && !undecided);
  snapshot->loaded = all_decided_;
  snapshot_ = std::move(snapshot);
  if (options_.changed) options_.changed(snapshot_);
}

}  // namespace perdure::catalog
