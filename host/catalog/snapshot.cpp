#include "host/catalog/snapshot.h"

#include <filesystem>

namespace perdure::catalog {

std::string_view version_state_name(VersionState state) {
  switch (state) {
    case VersionState::kLoading:
      return "loading";
    case VersionState::kServing:
      return "serving";
    case VersionState::kRetiring:
      return "retiring";
    case VersionState::kIdle:
      return "idle";
    case VersionState::kRefused:
      return "refused";
  }
  return "unknown";
}

bool PluginVersion::called(std::string_view plugin) const {
  const std::filesystem::path users(file);
  return name == plugin || users.filename() == plugin || users.stem() == plugin;
}

const Task* Snapshot::find(const store::VersionId& version, const store::TaskId& task) const {
  const auto at = versions.find(version);
  if (at == versions.end()) return nullptr;
  const auto found = at->second->find(task);
  return found == at->second->end() ? nullptr : &found->second;
}

const Task* Snapshot::task_of(const store::Run& run) const {
  if (const Task* own = run.version.empty() ? nullptr : find(run.version, run.task)) return own;
  const auto offered = tasks.find(run.task);
  return offered == tasks.end() ? nullptr : &offered->second;
}

}  // namespace perdure::catalog
