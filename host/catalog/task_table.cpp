#include "host/catalog/task_table.h"

#include <set>
#include <utility>

namespace perdure::catalog {

store::Result<std::vector<Task>> read_tasks(const process::Manifest& manifest, const store::VersionId& version) {
  std::vector<Task> tasks;
  std::set<std::string> seen;
  for (const process::Manifest::Task& declared : manifest.tasks) {
    if (!store::is_task_id(declared.id)) {
      return store::Status::invalid("Its task id '" + declared.id +
                                    "' is not 1 to 128 characters of A-Z a-z 0-9 _ . : / -.");
    }
    if (!seen.insert(declared.id).second) {
      return store::Status::invalid("It registers the task '" + declared.id + "' twice.");
    }
    Task task;
    task.id = store::TaskId(declared.id);
    task.version = version;
    task.plugin = manifest.plugin;
    task.hooks = declared.hooks;
    auto options = store::parse_task_options(task.id, declared.options, manifest.newer_minor);
    if (!options) return options.status();
    task.options = std::move(*options);
    tasks.push_back(std::move(task));
  }
  if (tasks.empty()) return store::Status::invalid("It registers no task.");
  return tasks;
}

}  // namespace perdure::catalog
