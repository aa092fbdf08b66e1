// Which plugins there are and which task is whose, whatever the order in which they load.
#include "host/catalog/catalog.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/catalog/plugin_directory.h"

namespace perdure::catalog {
namespace {

// Loads nothing; the test says how each load went.
class FakeLoader : public process::PluginLoader {
 public:
  struct Asked {
    store::VersionId version;
    std::string path, library_path;
    std::function<void(store::Result<process::Manifest>)> done;
  };
  void load(const store::VersionId& version, const std::string& path, const std::string& library_path,
            std::function<void(store::Result<process::Manifest>)> done) override {
    asked[std::filesystem::path(path).filename()] = {version, path, library_path, std::move(done)};
  }
  void unload(const store::VersionId& version) override { unloaded.push_back(version); }

  /// The plugin of this file offers these tasks.
  void offer(const std::string& file, const std::vector<std::string>& tasks) {
    process::Manifest manifest;
    manifest.plugin = std::filesystem::path(file).stem();
    for (const std::string& task : tasks) manifest.tasks.push_back({task, "{}", {}});
    asked.at(file).done(std::move(manifest));
  }
  void refuse(const std::string& file, const std::string& why) { asked.at(file).done(store::Status::invalid(why)); }

  std::map<std::string, Asked> asked;  // by file name
  std::vector<store::VersionId> unloaded;
};

class CatalogTest : public testing::Test {
 protected:
  void scan() {
    const store::Status status = catalog.scan([this] { ++times_done; });
    ASSERT_TRUE(status) << status.message();
  }
  const PluginVersion& plugin(std::size_t index) { return catalog.snapshot()->plugins.at(index); }
  std::string owner(const std::string& task) {
    const auto& tasks = catalog.snapshot()->tasks;
    const auto found = tasks.find(store::TaskId(task));
    return found == tasks.end() ? "nobody" : found->second.plugin;
  }

  const PluginDirectory here;
  FakeLoader loader;
  int snapshots = 0, times_done = 0;
  Catalog catalog{loader,
                  {.plugins = here.plugins(),
                   .cache = here.cache(),
                   .now = [] { return store::Time(std::chrono::milliseconds(1000)); },
                   .changed = [this](const SnapshotPtr&) { ++snapshots; }}};
};

TEST_F(CatalogTest, OffersTheTasksOfAllPluginsOnceTheyAreLoaded) {
  here.put("a.so", "a");
  here.put("b.so", "b");
  scan();
  EXPECT_FALSE(catalog.snapshot()->loaded);
  loader.offer("a.so", {"one", "two"});
  EXPECT_EQ(plugin(0).state, VersionState::kServing);
  EXPECT_EQ(plugin(1).state, VersionState::kLoading);
  EXPECT_EQ(times_done, 0);
  loader.offer("b.so", {"three"});
  EXPECT_TRUE(catalog.snapshot()->loaded);
  EXPECT_EQ(times_done, 1);
  EXPECT_EQ(owner("two"), "a");
  EXPECT_EQ(owner("three"), "b");
  EXPECT_EQ(plugin(0).tasks, (std::vector<std::string>{"one", "two"}));
}

TEST_F(CatalogTest, LoadsFromAPrivateCopyAndTellsWhereTheFileWas) {
  here.put("a.so", "content");
  scan();
  const auto& asked = loader.asked.at("a.so");
  EXPECT_EQ(asked.path, here.cache() / asked.version.text() / "a.so");
  EXPECT_EQ(content(asked.path), "content");
  EXPECT_EQ(asked.library_path, here.plugins());
}

TEST_F(CatalogTest, GivesATaskToTheFirstFileByNameWhicheverLoadsFirst) {
  here.put("a.so", "a");
  here.put("b.so", "b");
  scan();
  loader.offer("b.so", {"shared", "own"});
  EXPECT_EQ(owner("shared"), "nobody") << "a.so may still offer it";
  loader.offer("a.so", {"shared"});
  EXPECT_EQ(owner("shared"), "a");
  EXPECT_EQ(owner("own"), "nobody") << "a plugin is taken whole or not at all";
  EXPECT_EQ(plugin(1).state, VersionState::kRefused);
  EXPECT_NE(plugin(1).reason.find("'shared', which " + (here.plugins() / "a.so").string()), std::string::npos);
  ASSERT_EQ(loader.unloaded.size(), 1u);
  EXPECT_EQ(loader.unloaded[0], plugin(1).id);
}

TEST_F(CatalogTest, ListsARefusedPluginWithItsReasonAndServesTheOthers) {
  here.put("a.so", "a");
  here.put("b.so", "b");
  scan();
  loader.refuse("a.so", "It is text.");
  loader.offer("b.so", {"task"});
  EXPECT_EQ(plugin(0).state, VersionState::kRefused);
  EXPECT_EQ(plugin(0).reason, "It is text.");
  EXPECT_EQ(owner("task"), "b");
  EXPECT_EQ(times_done, 1);
}

TEST_F(CatalogTest, LoadsTheSameContentOnceAndSaysWhichFileHasItToo) {
  here.put("a.so", "same");
  here.put("b.so", "same");
  scan();
  EXPECT_FALSE(loader.asked.contains("b.so"));
  loader.offer("a.so", {"task"});
  EXPECT_EQ(plugin(1).state, VersionState::kRefused);
  EXPECT_NE(plugin(1).reason.find((here.plugins() / "a.so").string()), std::string::npos) << plugin(1).reason;
  EXPECT_EQ(owner("task"), "a");
}

TEST_F(CatalogTest, LooksAtSharedObjectsOnly) {
  here.put("README.txt", "text");
  here.put("a.so.tmp", "half");
  here.put(".so", "no name");
  here.put(".a.so", "hidden");
  scan();
  EXPECT_TRUE(loader.asked.empty());
  EXPECT_TRUE(catalog.snapshot()->plugins.empty());
}

TEST_F(CatalogTest, IsDoneAtOnceWhenThereAreNoPlugins) {
  scan();
  EXPECT_TRUE(catalog.snapshot()->loaded);
  EXPECT_EQ(times_done, 1);
  EXPECT_EQ(snapshots, 1);
}

TEST_F(CatalogTest, RefusesADirectoryThatIsCalledLikeAPlugin) {
  std::filesystem::create_directory(here.plugins() / "folder.so");
  scan();
  EXPECT_EQ(plugin(0).state, VersionState::kRefused);
  EXPECT_NE(plugin(0).reason.find("not a regular file"), std::string::npos);
  EXPECT_EQ(times_done, 1);
}

TEST_F(CatalogTest, SaysWhatToDoAboutAPluginDirectoryThatIsNotThere) {
  std::filesystem::remove(here.plugins());
  const store::Status status = catalog.scan([this] { ++times_done; });
  EXPECT_EQ(status.code(), store::Code::kIo);
  EXPECT_NE(std::string(status.message()).find("--plugins"), std::string::npos);
  EXPECT_EQ(times_done, 0);
}

}  // namespace
}  // namespace perdure::catalog
