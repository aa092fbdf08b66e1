#include "host/catalog/catalog.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "host/catalog/plugin_cache.h"
#include "host/catalog/task_table.h"

namespace perdure::catalog {

Catalog::Catalog(process::PluginLoader& loader, CatalogOptions options)
    : loader_(loader), options_(std::move(options)) {}

store::Status Catalog::scan(std::function<void()> done) {
  done_ = std::move(done);
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (std::filesystem::directory_iterator it(options_.plugins, error), end; !error && it != end; it.increment(error)) {
    const bool hidden = it->path().filename().string().starts_with('.');  // such as one that is being copied in
    if (it->path().extension() == ".so" && !hidden) files.push_back(it->path());
  }
  if (error) {
    return store::Status::io("Could not read the plugin directory " + options_.plugins.string() + ": " +
                             error.message() + ". Make it, or name another with --plugins.");
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    Candidate& candidate = candidates_.emplace_back();
    candidate.plugin.file = file.string();
    candidate.plugin.name = file.stem().string();
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    const store::Result<CachedPlugin> cached = cache_plugin(files[i], options_.cache);
    if (!cached) {
      decide(i, cached.status());
      continue;
    }
    PluginVersion& plugin = candidates_[i].plugin;
    plugin.id = cached->version;
    const auto twin = std::find_if(candidates_.begin(), candidates_.begin() + static_cast<std::ptrdiff_t>(i),
                                   [&](const Candidate& other) { return other.plugin.id == plugin.id; });
    if (twin != candidates_.begin() + static_cast<std::ptrdiff_t>(i)) {
      decide(i, store::Status::conflict("It has the same content as " + twin->plugin.file +
                                        ", which is loaded already; remove one of the two."));
      continue;
    }
    const std::filesystem::path library_path = std::filesystem::absolute(options_.plugins);
    loader_.load(cached->version, cached->path.string(), library_path.string(),
                 [this, i, alive = std::weak_ptr(alive_)](store::Result<process::Manifest> manifest) {
                   if (!alive.expired()) decide(i, std::move(manifest));
                 });
  }
  advance();
  return {};
}

void Catalog::decide(std::size_t index, store::Result<process::Manifest> manifest) {
  Candidate& candidate = candidates_[index];
  candidate.decided = true;
  if (manifest) {
    candidate.manifest = std::move(*manifest);
    candidate.plugin.state = VersionState::kServing;
  } else {
    candidate.plugin.state = VersionState::kRefused;
    candidate.plugin.reason = manifest.status().message();
  }
  advance();
}

void Catalog::advance() {
  bool changed = false;
  while (adopted_ < candidates_.size() && candidates_[adopted_].decided) {
    adopt(candidates_[adopted_++]);
    changed = true;
  }
  const bool all = adopted_ == candidates_.size();
  if (!changed && !(all && done_)) return;
  publish();
  if (all && done_) std::exchange(done_, nullptr)();
}

void Catalog::adopt(Candidate& candidate) {
  PluginVersion& plugin = candidate.plugin;
  if (plugin.state == VersionState::kRefused) return;
  plugin.name = candidate.manifest.plugin;
  plugin.version = candidate.manifest.version;
  plugin.isolation = candidate.manifest.isolation;
  plugin.isolation_reason = candidate.manifest.isolation_reason;
  plugin.warnings = candidate.manifest.warnings;
  plugin.loaded_at = options_.now();
  store::Result<std::vector<Task>> tasks = read_tasks(candidate.manifest, plugin.id);
  store::Status status = tasks.status();
  if (tasks) {
    for (const Task& task : *tasks) {
      const auto other = tasks_.find(task.id);
      if (other == tasks_.end()) continue;
      const auto owner = std::find_if(candidates_.begin(), candidates_.end(), [&](const Candidate& each) {
        return each.plugin.id == other->second.version && each.plugin.state == VersionState::kServing;
      });
      status = store::Status::conflict("It offers the task '" + task.id.text() + "', which " + owner->plugin.file +
                                       " offers already; rename the task in one of the two.");
      break;
    }
  }
  if (!status) {
    plugin.state = VersionState::kRefused;
    plugin.reason = status.message();
    return loader_.unload(plugin.id);
  }
  for (Task& task : *tasks) {
    plugin.tasks.push_back(task.id.text());
    tasks_.emplace(task.id, std::move(task));
  }
}

void Catalog::publish() {
  auto snapshot = std::make_shared<Snapshot>();
  for (const Candidate& candidate : candidates_) snapshot->plugins.push_back(candidate.plugin);
  // A plugin that waits for one before it is still loading, as far as anyone can tell.
  for (std::size_t i = adopted_; i < candidates_.size(); ++i) snapshot->plugins[i].state = VersionState::kLoading;
  snapshot->tasks = tasks_;
  snapshot->loaded = adopted_ == candidates_.size();
  snapshot_ = std::move(snapshot);
  if (options_.changed) options_.changed(snapshot_);
}

}  // namespace perdure::catalog
