// The catalog with a loader of the test's own: the test says what a scan found and how each load went. A file's content
// is its version's hash.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "host/catalog/catalog.h"
#include "tests/catalog/plugin_directory.h"

namespace perdure::catalog {

class FakeLoader : public process::PluginLoader {
 public:
  void load(const store::VersionId& version, const std::string& path, const std::string& library_path,
            std::function<void(store::Result<process::Manifest>)> done) override {
    EXPECT_FALSE(up.contains(version.text())) << version.text() << " is loaded already";
    EXPECT_FALSE(loading.contains(version.text())) << version.text() << " is being loaded already";
    loading[version.text()] = std::move(done);
    path_of[version.text()] = path;
    library_path_of[version.text()] = library_path;
  }
  void unload(const store::VersionId& version) override {
    EXPECT_EQ(up.erase(version.text()), 1u) << version.text() << " is not loaded";
  }

  void surround(const store::VersionId& version, std::vector<process::Beside> plugins,
                std::function<void(process::Surroundings)> changed) override {
    EXPECT_TRUE(up.contains(version.text())) << version.text() << " is not loaded";
    Around& around = asked[version.text()];
    around = {{}, std::move(changed)};
    for (const process::Beside& each : plugins) {
      around.plugins.push_back(each.version.text());
      EXPECT_EQ(each.path, path_of[each.version.text()]);
    }
  }

  /// The content was loaded and offers these tasks.
  void offer(const std::string& version, const std::vector<std::string>& tasks, const std::string& options = "{}") {
    process::Manifest manifest;
    manifest.plugin = "plugin";
    for (const std::string& task : tasks) manifest.tasks.push_back({task, options, {}});
    up.insert(version);
    take(version)(std::move(manifest));
  }
  /// The same, with hooks around all tasks of the host.
  void offer_hooks(const std::string& version, const std::string& plugin, const std::vector<std::string>& tasks,
                   const std::vector<std::string>& hooks) {
    process::Manifest manifest;
    manifest.plugin = plugin;
    for (const std::string& task : tasks) manifest.tasks.push_back({task, "{}", {}});
    manifest.hooks.push_back({true, hooks});
    up.insert(version);
    take(version)(std::move(manifest));
  }
  /// What was asked to stand around the version's tasks does, but for what is left out.
  void answer(const std::string& version, std::vector<process::Surroundings::LeftOut> left_out = {}) {
    process::Surroundings around{{}, left_out, "fork", {}};
    for (const std::string& each : asked.at(version).plugins) {
      const auto same = [&](const auto& one) { return one.version.text() == each; };
      if (std::ranges::none_of(left_out, same)) around.in_force.emplace_back(each);
    }
    const auto changed = asked.at(version).changed;
    changed(std::move(around));
  }
  void refuse(const std::string& version, const std::string& why) { take(version)(store::Status::invalid(why)); }

  std::map<std::string, std::function<void(store::Result<process::Manifest>)>> loading;
  std::map<std::string, std::string> path_of, library_path_of;
  std::set<std::string> up;
  struct Around {
    std::vector<std::string> plugins;
    std::function<void(process::Surroundings)> changed;
  };
  std::map<std::string, Around> asked;

 private:
  std::function<void(store::Result<process::Manifest>)> take(const std::string& version) {
    auto done = std::move(loading.at(version));
    loading.erase(version);
    return done;
  }
};

class CatalogTest : public testing::Test {
 protected:
  // A scan of the files there are now; those in `changed` were written since the last.
  void scan(const std::set<std::string>& changed = {}) {
    std::vector<FoundPlugin> found;
    for (const auto& [name, content] : files) {
      FoundPlugin plugin{.file = here.plugins() / name, .copy = {}, .changed = true};
      if (content != "unsettled") {
        plugin.copy = content == "unreadable" ? store::Result<CachedPlugin>(store::Status::io("It cannot be read."))
                                              : CachedPlugin{store::VersionId(content), here.cache() / content / name};
        plugin.changed = changed.contains(name) || seen[name] != content;
        seen[name] = content;
        if (*plugin.copy) copied(name, content);
      }
      found.push_back(std::move(plugin));
    }
    std::erase_if(seen, [this](const auto& each) { return !files.contains(each.first); });
    catalog.found(found);
  }
  void copied(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories(here.cache() / content);
    std::ofstream(here.cache() / content / name) << content;
  }
  // Puts a plugin that offers these tasks there, and has it loaded.
  void serve(const std::string& file, const std::string& content, const std::vector<std::string>& tasks) {
    files[file] = content;
    scan();
    loader.offer(content, tasks);
    ASSERT_EQ(state(content), "serving");
  }

  std::string state(const std::string& content) {
    for (const PluginVersion& plugin : catalog.snapshot()->plugins) {
      if (plugin.id.text() == content) return std::string(version_state_name(plugin.state));
    }
    return "unknown";
  }
  std::string reason(const std::string& file) {
    for (const PluginVersion& plugin : catalog.snapshot()->plugins) {
      if (plugin.file == here.plugins() / file && !plugin.reason.empty()) return plugin.reason;
    }
    return "";
  }
  std::string owner(const std::string& task) {
    const auto& tasks = catalog.snapshot()->tasks;
    const auto found = tasks.find(store::TaskId(task));
    return found == tasks.end() ? "nobody" : found->second.version.text();
  }
  bool can_start(const std::string& version, const std::string& task) {
    return catalog.snapshot()->find(store::VersionId(version), store::TaskId(task)) != nullptr;
  }

  const PluginDirectory here;
  FakeLoader loader;
  std::map<std::string, std::string> files;     // in the plugin directory: name, content
  std::map<std::string, std::string> seen;      // by the scan before
  std::map<std::string, std::uint64_t> locked;  // runs, by version
  std::vector<std::string> events;
  store::Time now{std::chrono::milliseconds(1'000)};
  VersionRegister known = *VersionRegister::open(here.cache());
  Catalog catalog{loader,
                  known,
                  {.plugins = here.plugins(),
                   .cache = here.cache(),
                   .now = [this] { return now; },
                   .locked = [this](const store::VersionId& version) { return locked[version.text()]; },
                   .changed = {},
                   .event =
                       [this](const CatalogEvent& event) {
                         static constexpr const char* kNames[] = {"loaded",      "reloaded", "refused", "withdrawn",
                                                                  "rolled back", "released", "unloaded"};
                         events.push_back(kNames[static_cast<int>(event.kind)] + (" " + event.version.id.text()));
                       },
                   .unsaved = [](const store::Status& status) { ADD_FAILURE() << status.message(); }}};
};

}  // namespace perdure::catalog
