// What is in the plugin directory, what of it is loaded, and what serves. rollback.cpp has what people ask for,
// catalog_view.cpp what they are shown.
#include "host/catalog/catalog.h"

#include <algorithm>
#include <set>
#include <utility>

#include "host/catalog/plugin_copies.h"
#include "host/catalog/schema_changes.h"
#include "host/catalog/task_table.h"

namespace perdure::catalog {
namespace {

using std::chrono::milliseconds;

// Between attempts at loading what was refused: a missing library may have been installed, a crash may have had its
// cause outside. It costs one process each time.
constexpr milliseconds kFirstRetry{10'000};
constexpr milliseconds kLongestRetry{600'000};

}  // namespace

Catalog::Catalog(process::PluginLoader& loader, VersionRegister& known, CatalogOptions options)
    : loader_(loader),
      register_(known),
      options_(std::move(options)),
      known_tasks_(std::make_shared<const std::set<store::TaskId>>(known.tasks())) {}

Catalog::Version* Catalog::known(const store::VersionId& id) {
  const auto found = versions_.find(id);
  return found == versions_.end() ? nullptr : &found->second;
}

// The version of this content, entered if it was not known.
Catalog::Version& Catalog::version(const store::VersionId& id, const std::string& file,
                                   const std::filesystem::path& copy) {
  const auto [found, fresh] = versions_.try_emplace(id);
  Version& version = found->second;
  if (fresh) {
    const std::filesystem::path path(file);
    version.plugin.id = id;
    version.plugin.number = register_.number_of(id, path.filename().string(), options_.now());
    version.plugin.file = file;
    version.plugin.path = copy.string();
    version.plugin.name = path.stem().string();
  }
  return version;
}

void Catalog::keep(const store::VersionId& id) {
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(options_.cache / id.text(), failed)) {
    if (entry.path().extension() != ".so") continue;
    version(id, (options_.plugins / entry.path().filename()).string(), entry.path());
    return load(id);
  }
  Version& missing = version(id, (options_.plugins / "?.so").string(), {});
  refuse(missing, "Its private copy " + (options_.cache / id.text()).string() +
                      " is gone, and runs that began on it wait for it; put the same file into the plugin directory "
                      "again, or cancel them.");
  missing.retry_at.reset();
}

void Catalog::found(const std::vector<FoundPlugin>& plugins) {
  std::set<std::string> there;
  bool news = !scanned_;
  for (const FoundPlugin& plugin : plugins) {
    const std::string path = plugin.file.string();
    there.insert(path);
    File& file = files_[path];
    if (!plugin.copy || !plugin.changed) continue;
    news = true;
    const store::Result<CachedPlugin>& copy = *plugin.copy;
    if (!copy) {
      if (file.trouble != copy.status().message()) {
        file.trouble = copy.status().message();
        PluginVersion refused;
        refused.file = path;
        refused.name = plugin.file.stem().string();
        tell(CatalogEvent::Kind::kRefused, refused, file.trouble);
      }
      continue;
    }
    file.trouble.clear();
    file.present = copy->version;
    Version& present = version(copy->version, path, copy->path);
    if (!present.refused) continue;
    present.refused = false;  // the file was written again: that asks for another try
    present.failures = 0;
    present.retry_at.reset();
    present.plugin.path = copy->path.string();
  }
  for (auto file = files_.begin(); file != files_.end();) {
    if (there.contains(file->first)) {
      ++file;
      continue;
    }
    const store::VersionId& serving = file->second.serving;
    const bool renamed = std::ranges::any_of(
        files_, [&](const auto& other) { return there.contains(other.first) && other.second.present == serving; });
    const Version* served = known(serving);
    if (served != nullptr && !renamed) tell(CatalogEvent::Kind::kWithdrawn, served->plugin);
    register_.withdrawn(std::filesystem::path(file->first).filename().string(), options_.now());
    file = files_.erase(file);
    news = true;
  }
  scanned_ = true;
  if (news) settle();
}

store::VersionId Catalog::wanted(const Files::value_type& file) const {
  if (file.second.present.empty()) return {};
  const std::string name = std::filesystem::path(file.first).filename().string();
  const store::VersionId choice = register_.serving_choice(name, file.second.present);
  const auto chosen = versions_.find(choice);
  if (chosen == versions_.end() || !chosen->second.refused || !file.second.serving.empty()) return choice;
  // Refused, and nothing serves, as after a start: what served before the file changed.
  const std::optional<store::VersionId> before = register_.serving(name);
  return before && find_copy(options_.cache, *before, name) ? *before : choice;
}

const Catalog::Files::value_type* Catalog::owner(const store::VersionId& serving) const {
  const auto found = std::ranges::find_if(files_, [&](const auto& file) { return file.second.serving == serving; });
  return found == files_.end() ? nullptr : &*found;
}

void Catalog::load(const store::VersionId& id) {
  Version& loading = versions_.at(id);
  loading.zygote = Zygote::kLoading;
  loading.retry_at.reset();
  loading.asked.clear();
  loading.asking = false;
  loading.around = {};
  loader_.load(id, loading.plugin.path, std::filesystem::absolute(options_.plugins).string(),
               [this, id, alive = std::weak_ptr(alive_)](store::Result<process::Manifest> manifest) {
                 if (!alive.expired()) loaded(id, std::move(manifest));
               });
}

void Catalog::loaded(const store::VersionId& id, store::Result<process::Manifest> manifest) {
  Version& version = versions_.at(id);  // what is being loaded is not forgotten
  version.zygote = manifest ? Zygote::kUp : Zygote::kNone;
  if (!manifest) {
    refuse(version, manifest.status().message());
    return settle();
  }
  PluginVersion& plugin = version.plugin;
  plugin.name = manifest->plugin;
  plugin.version = manifest->version;
  plugin.isolation = manifest->isolation;
  plugin.isolation_reason = manifest->isolation_reason;
  plugin.warnings = manifest->warnings;
  plugin.loaded_at = options_.now();
  plugin.global_hooks = {};
  plugin.surrounded_by.clear();
  for (const process::Manifest::Hooks& each : manifest->hooks) {
    if (each.global) plugin.global_hooks = plugin.global_hooks.either(process::HookSet::named(each.hooks));
  }
  store::Result<std::vector<Task>> tasks = read_tasks(*manifest, id);
  if (!tasks) {
    loader_.unload(id);
    version.zygote = Zygote::kNone;
    refuse(version, tasks.status().message());
    return settle();
  }
  version.failures = 0;
  version.refused = false;
  plugin.reason.clear();
  auto table = std::make_shared<Tasks>();
  plugin.tasks.clear();
  for (Task& task : *tasks) {
    plugin.tasks.push_back(task.id.text());
    table->emplace(task.id, std::move(task));
  }
  version.own_tasks = std::move(table);
  version.tasks = version.own_tasks;
  register_.describe(id, plugin.name, plugin.version, plugin.tasks);
  known_tasks_ = std::make_shared<const std::set<store::TaskId>>(register_.tasks());
  settle();
}

void Catalog::refuse(Version& version, const std::string& why) {
  const milliseconds pause = std::min(kLongestRetry, kFirstRetry * (1 << std::min(version.failures, 10U)));
  version.retry_at = options_.now() + pause;
  ++version.failures;
  const bool news = !version.refused || version.plugin.reason != why;
  version.refused = true;
  version.plugin.reason = why;
  if (news) tell(CatalogEvent::Kind::kRefused, version.plugin, why);
}

// Brings what serves in line with what is there and loaded.
void Catalog::settle() {
  ask_for_wanted();
  std::vector<Claimant> claimants;
  std::vector<Files::value_type*> files;
  for (auto& file : files_) {
    const Version* serving = known(file.second.serving);
    const store::VersionId want = wanted(file);
    const Version* other = want == file.second.serving ? nullptr : known(want);
    const auto* twin = owner(want);
    Claimant claimant;
    claimant.serving = serving == nullptr ? nullptr : serving->tasks.get();
    if (other != nullptr && (twin == nullptr || twin == &file)) {
      claimant.wanted = other->refused ? nullptr : other->tasks.get();
      claimant.undecided = other->zygote == Zygote::kLoading && !other->refused;
    }
    claimants.push_back(claimant);
    files.push_back(&file);
  }
  const std::vector<Decision> decisions = decide(claimants);
  for (std::size_t i = 0; i < files.size(); ++i) {
    File& file = files[i]->second;
    const store::VersionId want = wanted(*files[i]);
    const std::string conflict_before = std::exchange(file.conflict, {});
    Version* version = known(want);
    if (version == nullptr) continue;
    if (decisions[i].conflict) {
      file.conflict = "It offers the task '" + decisions[i].conflict->task.text() + "', which " +
                      files[decisions[i].conflict->owner]->first +
                      " offers already; rename the task in one of the two.";
    } else if (const auto* twin = owner(want); twin != nullptr && twin != files[i]) {
      file.conflict = "It has the same content as " + twin->first + ", which is loaded already; remove one of the two.";
    }
    if (!file.conflict.empty() && file.conflict != conflict_before) {
      PluginVersion refused = version->plugin;
      refused.file = files[i]->first;
      tell(CatalogEvent::Kind::kRefused, refused, file.conflict);
    }
    if (!decisions[i].take) continue;
    if (version->zygote == Zygote::kUp) {
      if (surround(want)) take(*files[i], want);
    } else if (version->zygote == Zygote::kNone) {
      load(want);  // it was unloaded over a conflict that is gone
    }
  }
  retire();
  surround_all();
  save();
  publish();
}

void Catalog::save() {
  if (const store::Status saved = register_.save(); !saved) options_.unsaved(saved);
}

// Everything that a file has or is to serve is loaded once, to know what it offers.
void Catalog::ask_for_wanted() {
  std::vector<store::VersionId> ids;
  for (const auto& file : files_) {
    const store::VersionId want = wanted(file);
    if (want.empty()) continue;
    const Version& version =
        this->version(want, file.first, options_.cache / want.text() / std::filesystem::path(file.first).filename());
    if (version.zygote == Zygote::kNone && version.tasks == nullptr && !version.refused) ids.push_back(want);
  }
  for (const store::VersionId& id : ids) {
    if (versions_.at(id).zygote == Zygote::kNone) load(id);
  }
}

void Catalog::take(Files::value_type& file, const store::VersionId& wanted) {
  Version& version = versions_.at(wanted);
  const Version* before = known(file.second.serving);
  if (before != nullptr && before->tasks != nullptr) {
    for (std::string& change : narrowed(*before->tasks, *version.tasks)) {
      version.plugin.warnings.push_back(std::move(change));
    }
  }
  const bool first = before == nullptr;
  file.second.serving = wanted;
  version.has_served = true;
  version.plugin.file = file.first;
  register_.served(std::filesystem::path(file.first).filename().string(), wanted, file.second.present, options_.now());
  tell(first ? CatalogEvent::Kind::kLoaded : CatalogEvent::Kind::kReloaded, version.plugin);
}

// Ends what nobody needs any more, and forgets what nobody has.
void Catalog::retire() {
  std::set<store::VersionId> needed;   // keeps its zygote
  std::set<store::VersionId> present;  // stays known
  for (const auto& file : files_) {
    needed.insert(file.second.serving);
    present.insert(file.second.serving);
    present.insert(file.second.present);
    const store::VersionId want = wanted(file);
    present.insert(want);
    if (file.second.conflict.empty()) needed.insert(want);
  }
  for (auto each = versions_.begin(); each != versions_.end();) {
    Version& version = each->second;
    const bool locked = !needed.contains(each->first) && options_.locked(each->first) > 0;
    if (version.zygote == Zygote::kUp && !locked && !needed.contains(each->first)) {
      loader_.unload(each->first);
      version.zygote = Zygote::kNone;
      if (version.has_served) tell(CatalogEvent::Kind::kUnloaded, version.plugin);
      version.has_served = false;
    }
    const bool forget = version.zygote == Zygote::kNone && !locked && !present.contains(each->first);
    each = forget ? versions_.erase(each) : std::next(each);
  }
}

void Catalog::freed(const store::VersionId& id) {
  const Version* version = known(id);
  if (version == nullptr || owner(id) != nullptr) return;
  settle();
}

void Catalog::tell(CatalogEvent::Kind kind, const PluginVersion& version, std::string reason) {
  options_.event({kind, version, std::move(reason)});
}

}  // namespace perdure::catalog
