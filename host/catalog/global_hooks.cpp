// Global hooks: those of every version that serves stand around the tasks of all other plugins. See catalog.h.
#include <algorithm>
#include <utility>

#include "host/catalog/catalog.h"

namespace perdure::catalog {

// Whose global hooks belong around the version's tasks: by the names of their plugins, so that they always stand in
// the same order. A plugin has its own already, whichever version of it serves.
std::vector<store::VersionId> Catalog::surroundings_of(const store::VersionId& id) const {
  const PluginVersion& own = versions_.at(id).plugin;
  std::vector<const PluginVersion*> others;
  for (const auto& [path, file] : files_) {
    const auto serving = versions_.find(file.serving);
    if (serving == versions_.end() || file.serving == id || path == own.file) continue;
    const PluginVersion& other = serving->second.plugin;
    if (!other.global_hooks.empty() && other.name != own.name) others.push_back(&other);
  }
  std::ranges::sort(others, [](const PluginVersion* one, const PluginVersion* two) {
    return std::pair(one->name, one->id) < std::pair(two->name, two->id);
  });
  std::vector<store::VersionId> ids;
  for (const PluginVersion* other : others) ids.push_back(other->id);
  return ids;
}

// Whether a loaded version has around it what it is to have, as far as that can be had; else it is asked for.
bool Catalog::surround(const store::VersionId& id) {
  Version& version = versions_.at(id);
  std::vector<store::VersionId> wanted = surroundings_of(id);
  if (version.asked == wanted) return !version.asking;
  version.asked = std::move(wanted);
  version.asking = true;
  std::vector<process::Beside> plugins;
  for (const store::VersionId& other : version.asked) plugins.push_back({other, versions_.at(other).plugin.path});
  loader_.surround(id, std::move(plugins),
                   [this, id, asked = version.asked, alive = std::weak_ptr(alive_)](process::Surroundings around) {
                     if (alive.expired()) return;
                     const Version* still = known(id);
                     if (still != nullptr && still->asked == asked) surrounded(id, std::move(around));
                   });
  return false;
}

void Catalog::surround_all() {
  for (const auto& [id, version] : versions_) {
    if (version.zygote == Zygote::kUp) (void)surround(id);
  }
}

void Catalog::surrounded(const store::VersionId& id, process::Surroundings around) {
  Version& version = versions_.at(id);
  version.asking = false;
  version.around = std::move(around);
  version.plugin.isolation = version.around.isolation;
  version.plugin.isolation_reason = version.around.isolation_reason;
  version.plugin.surrounded_by.clear();
  process::HookSet hooks;
  for (const store::VersionId& other : version.around.in_force) {
    const Version* surrounding = known(other);
    if (surrounding == nullptr) continue;  // it has gone meanwhile; the next answer is under way
    version.plugin.surrounded_by.push_back(surrounding->plugin.name);
    hooks = hooks.either(surrounding->plugin.global_hooks);
  }
  version.tasks = version.own_tasks;
  if (!version.plugin.surrounded_by.empty()) {
    auto tasks = std::make_shared<Tasks>(*version.own_tasks);
    for (auto& [task_id, task] : *tasks) {
      task.around = task.around.either(hooks);
      task.surrounded_by = version.plugin.surrounded_by;
    }
    version.tasks = std::move(tasks);
  }
  settle();
}

// With a warning on both sides where a plugin could not be loaded beside another.
PluginVersion Catalog::shown(const store::VersionId& id, const Version& version) const {
  PluginVersion plugin = version.plugin;
  for (const process::Surroundings::LeftOut& left_out : version.around.left_out) {
    const auto other = versions_.find(left_out.version);
    const std::string name = other == versions_.end() ? "another plugin" : other->second.plugin.name;
    plugin.warnings.push_back("The global hooks of " + name + " do not stand around its tasks, because " + name +
                              " could not be loaded beside it: " + left_out.why);
  }
  for (const auto& [other_id, other] : versions_) {
    for (const process::Surroundings::LeftOut& left_out : other.around.left_out) {
      if (left_out.version != id) continue;
      plugin.warnings.push_back("Its global hooks do not stand around the tasks of " + other.plugin.name +
                                ", because it could not be loaded beside that plugin: " + left_out.why);
    }
  }
  return plugin;
}

}  // namespace perdure::catalog
