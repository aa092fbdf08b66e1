#include "host/catalog/task_table.h"

#include <set>
#include <utility>

namespace perdure::catalog {

store::Result<std::vector<Task>> read_tasks(const process::Manifest& manifest, const store::VersionId& version) {
  std::vector<Task> tasks;
  process::HookSet of_all;
  for (const process::Manifest::Hooks& each : manifest.hooks) {
    of_all = of_all.either(process::HookSet::named(each.hooks));
  }
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
    task.around = of_all.either(process::HookSet::named(declared.hooks));
    auto options = store::parse_task_options(task.id, declared.options, manifest.newer_minor);
    if (!options) return options.status();
    task.options = std::move(*options);
    if (const std::string& text = task.options.payload_schema; !text.empty()) {
      auto compiled = schema::Schema::compile(text);
      if (!compiled) {
        return store::Status::invalid("task \"" + declared.id + "\": option " + compiled.status().message());
      }
      task.payload_schema = std::move(*compiled);
    }
    tasks.push_back(std::move(task));
  }
  if (tasks.empty() && !manifest.has_global_hooks()) {
    return store::Status::invalid("It registers no task, and no hook that is global.");
  }
  return tasks;
}

}  // namespace perdure::catalog
