// What people ask of the catalog: an earlier version, another try. See catalog.h.
#include <algorithm>

#include "host/catalog/catalog.h"
#include "host/catalog/plugin_copies.h"

namespace perdure::catalog {
namespace {

std::string no_such_plugin(const std::string& plugin) {
  return "There is no plugin '" + plugin + "' in the plugin directory; `perdure plugins list` shows those there are.";
}

}  // namespace

Catalog::Files::value_type* Catalog::named(const std::string& plugin) {
  for (auto& file : files_) {
    PluginVersion shown;
    if (const Version* serving = known(file.second.serving)) shown = serving->plugin;
    shown.file = file.first;
    if (shown.called(plugin)) return &file;
  }
  return nullptr;
}

store::Result<PluginVersion> Catalog::roll_back(const std::string& plugin, const std::string& to) {
  Files::value_type* file = named(plugin);
  if (file == nullptr) return store::Status::not_found(no_such_plugin(plugin));
  const std::string name = std::filesystem::path(file->first).filename().string();
  const store::Result<store::VersionId> chosen = to.empty() ? register_.roll_back(name, file->second.present)
                                                            : register_.roll_back_to(name, file->second.present, to);
  if (!chosen) return chosen.status();
  Version& version = this->version(*chosen, file->first, options_.cache / chosen->text() / name);
  version.refused = false;
  version.retry_at.reset();
  tell(CatalogEvent::Kind::kRolledBack, version.plugin);
  settle();
  const Version* now = known(*chosen);
  return now == nullptr ? PluginVersion{} : now->plugin;
}

store::Result<PluginVersion> Catalog::stored(const store::VersionId& id) {
  PluginVersion plugin;
  if (const Version* version = known(id)) {
    plugin = version->plugin;
  } else if (const VersionRecord* record = register_.find(id)) {
    plugin.id = id;
    plugin.number = record->number;
    plugin.file = (options_.plugins / record->file).string();
    plugin.name = record->plugin;
    plugin.version = record->version;
    plugin.tasks = record->tasks;
    plugin.state = VersionState::kIdle;
  } else {
    return store::Status::not_found("The plugin version " + id.text() + " is not remembered any more.");
  }
  const auto copy = find_copy(options_.cache, id, std::filesystem::path(plugin.file).filename().string());
  if (!copy) {
    return store::Status::not_found("The private copy of version " + plugin.number + " of " + plugin.file +
                                    " is gone: nothing needed it any more.");
  }
  plugin.path = copy->string();
  return plugin;
}

store::Status Catalog::retry(const std::string& plugin) {
  Files::value_type* file = named(plugin);
  if (file == nullptr) return store::Status::not_found(no_such_plugin(plugin));
  if (Version* version = known(wanted(*file)); version != nullptr && version->refused) {
    version->retry_at = options_.now();
    tell(CatalogEvent::Kind::kReleased, version->plugin);
    retry_due();
  }
  return {};
}

std::optional<store::Time> Catalog::next_retry() const {
  std::optional<store::Time> next;
  for (const auto& [id, version] : versions_) {
    if (version.retry_at && (!next || *version.retry_at < *next)) next = version.retry_at;
  }
  return next;
}

void Catalog::retry_due() {
  const store::Time now = options_.now();
  std::vector<store::VersionId> due;
  for (const auto& [id, version] : versions_) {
    if (version.retry_at && *version.retry_at <= now && version.zygote == Zygote::kNone) due.push_back(id);
  }
  for (const store::VersionId& id : due) load(id);
}

}  // namespace perdure::catalog
