// Which plugin version serves what, through every way in which files come, change and go. Nothing is executed or read:
// the test says what a scan found and how each load went. A file's content is its version's hash.
#include "host/catalog/catalog.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/catalog/catalog_scene.h"

namespace perdure::catalog {
namespace {

TEST_F(CatalogTest, OffersTheTasksOfAllPluginsOnceTheyAreLoaded) {
  files = {{"a.so", "A"}, {"b.so", "B"}};
  scan();
  EXPECT_FALSE(catalog.snapshot()->loaded);
  loader.offer("A", {"one", "two"});
  EXPECT_EQ(state("A"), "serving");
  EXPECT_EQ(state("B"), "loading");
  EXPECT_FALSE(catalog.snapshot()->loaded);
  loader.offer("B", {"three"});
  EXPECT_TRUE(catalog.snapshot()->loaded);
  EXPECT_EQ(owner("two"), "A");
  EXPECT_EQ(owner("three"), "B");
  EXPECT_TRUE(can_start("A", "one"));
  EXPECT_EQ(loader.path_of.at("A"), here.cache() / "A" / "a.so") << "from the private copy";
  EXPECT_EQ(loader.library_path_of.at("A"), here.plugins());
}

TEST_F(CatalogTest, IsLoadedAtOnceWhenThereAreNoPlugins) {
  scan();
  EXPECT_TRUE(catalog.snapshot()->loaded);
}

TEST_F(CatalogTest, GivesATaskToTheFirstFileByNameWhicheverLoadsFirst) {
  files = {{"a.so", "A"}, {"b.so", "B"}};
  scan();
  loader.offer("B", {"shared", "own"});
  EXPECT_EQ(owner("shared"), "nobody") << "a.so may still offer it";
  loader.offer("A", {"shared"});
  EXPECT_EQ(owner("shared"), "A");
  EXPECT_EQ(owner("own"), "nobody") << "a plugin is taken whole or not at all";
  EXPECT_EQ(state("B"), "refused");
  EXPECT_NE(reason("b.so").find("'shared', which " + (here.plugins() / "a.so").string()), std::string::npos);
  EXPECT_FALSE(loader.up.contains("B")) << "nobody needs its process";
}

TEST_F(CatalogTest, ServesWhatWasRefusedForATaskOfAnotherOnceThatIsGone) {
  serve("a.so", "A", {"shared"});
  files["b.so"] = "B";
  scan();
  loader.offer("B", {"shared"});
  EXPECT_EQ(state("B"), "refused");
  files.erase("a.so");
  scan();
  loader.offer("B", {"shared"});
  EXPECT_EQ(state("B"), "serving");
  EXPECT_EQ(owner("shared"), "B");
}

TEST_F(CatalogTest, ListsARefusedPluginWithItsReasonAndServesTheOthers) {
  files = {{"a.so", "A"}, {"b.so", "B"}, {"c.so", "unreadable"}};
  scan();
  loader.refuse("A", "It is text.");
  loader.offer("B", {"task"});
  EXPECT_EQ(state("A"), "refused");
  EXPECT_EQ(reason("a.so"), "It is text.");
  EXPECT_EQ(reason("c.so"), "It cannot be read.");
  EXPECT_EQ(owner("task"), "B");
  EXPECT_TRUE(catalog.snapshot()->loaded);
}

TEST_F(CatalogTest, RefusesAPluginWhoseOptionsAreWrongAndUnloadsIt) {
  files["a.so"] = "A";
  scan();
  loader.offer("A", {"task"}, R"({"retri":{}})");
  EXPECT_EQ(state("A"), "refused");
  EXPECT_NE(reason("a.so").find("retri"), std::string::npos);
  EXPECT_TRUE(loader.up.empty());
}

TEST_F(CatalogTest, AChangedFileTakesThePlaceOfTheVersionBeforeInOneStep) {
  serve("a.so", "A1", {"task"});
  files["a.so"] = "A2";
  scan();
  EXPECT_EQ(owner("task"), "A1") << "until the new one is loaded";
  EXPECT_EQ(state("A2"), "loading");
  EXPECT_TRUE(catalog.snapshot()->loaded) << "the host went on meanwhile";
  loader.offer("A2", {"task"});
  EXPECT_EQ(owner("task"), "A2");
  EXPECT_EQ(state("A1"), "unknown");
  EXPECT_FALSE(loader.up.contains("A1"));
  EXPECT_EQ(events, (std::vector<std::string>{"loaded A1", "reloaded A2", "unloaded A1"}));
}

TEST_F(CatalogTest, AVersionThatRunsAreLockedToRetiresAndIsUnloadedAfterTheLast) {
  serve("a.so", "A1", {"task"});
  locked["A1"] = 2;
  files["a.so"] = "A2";
  scan();
  loader.offer("A2", {"task"});
  EXPECT_EQ(state("A1"), "retiring");
  EXPECT_TRUE(can_start("A1", "task"));
  catalog.freed(store::VersionId("A1"));
  EXPECT_EQ(state("A1"), "retiring") << "a claim locked a run to it before that was heard";
  locked["A1"] = 0;
  catalog.freed(store::VersionId("A1"));
  EXPECT_EQ(state("A1"), "unknown");
  EXPECT_FALSE(can_start("A1", "task"));
  EXPECT_FALSE(loader.up.contains("A1"));
}

TEST_F(CatalogTest, AContentThatComesBackWhileItRetiresServesAgainWithoutLoading) {
  serve("a.so", "A1", {"task"});
  locked["A1"] = 1;
  serve("a.so", "A2", {"task"});
  files["a.so"] = "A1";
  scan();
  EXPECT_EQ(owner("task"), "A1");
  EXPECT_TRUE(loader.loading.empty());
  EXPECT_FALSE(loader.up.contains("A2"));
}

TEST_F(CatalogTest, AVersionThatFailsToLoadLeavesTheOneBeforeServing) {
  serve("a.so", "A1", {"task"});
  files["a.so"] = "A2";
  scan();
  loader.refuse("A2", "It crashed.");
  EXPECT_EQ(owner("task"), "A1");
  EXPECT_EQ(state("A1"), "serving");
  EXPECT_EQ(state("A2"), "refused");
  EXPECT_EQ(reason("a.so"), "It crashed.");
}

TEST_F(CatalogTest, AFileThatIsUnreadableOrHalfWrittenLeavesTheOneBeforeServing) {
  serve("a.so", "A1", {"task"});
  files["a.so"] = "unsettled";
  scan();
  EXPECT_EQ(state("A1"), "serving");
  files["a.so"] = "unreadable";
  scan();
  EXPECT_EQ(state("A1"), "serving");
  EXPECT_EQ(reason("a.so"), "It cannot be read.");
  files["a.so"] = "A2";
  scan();
  loader.offer("A2", {"task"});
  EXPECT_EQ(owner("task"), "A2");
  EXPECT_EQ(reason("a.so"), "");
}

TEST_F(CatalogTest, ARemovedFileOffersNothingAndItsTasksStayKnown) {
  serve("a.so", "A", {"task"});
  files.clear();
  scan();
  EXPECT_EQ(owner("task"), "nobody");
  EXPECT_TRUE(catalog.snapshot()->plugins.empty());
  EXPECT_TRUE(catalog.snapshot()->known->contains(store::TaskId("task")));
  EXPECT_TRUE(loader.up.empty());
  EXPECT_EQ(events, (std::vector<std::string>{"loaded A", "withdrawn A", "unloaded A"}));
}

TEST_F(CatalogTest, ARemovedFileWhoseRunsGoOnRetires) {
  serve("a.so", "A", {"task"});
  locked["A"] = 1;
  files.clear();
  scan();
  EXPECT_EQ(owner("task"), "nobody");
  EXPECT_EQ(state("A"), "retiring");
  EXPECT_TRUE(can_start("A", "task"));
}

TEST_F(CatalogTest, ARenamedFileServesOnWithoutBeingLoadedAgain) {
  serve("a.so", "A", {"task"});
  files = {{"z.so", "A"}};
  scan();
  EXPECT_EQ(owner("task"), "A");
  EXPECT_EQ(catalog.snapshot()->plugins.at(0).file, here.plugins() / "z.so");
  EXPECT_TRUE(loader.loading.empty());
}

TEST_F(CatalogTest, LoadsTheSameContentOnceAndTheSecondNameTakesOverWhenTheFirstGoes) {
  files = {{"a.so", "A"}, {"b.so", "A"}};
  scan();
  loader.offer("A", {"task"});
  EXPECT_EQ(owner("task"), "A");
  EXPECT_NE(reason("b.so").find((here.plugins() / "a.so").string()), std::string::npos) << reason("b.so");
  files.erase("a.so");
  scan();
  EXPECT_EQ(state("A"), "serving");
  EXPECT_EQ(catalog.snapshot()->plugins.at(0).file, here.plugins() / "b.so");
  EXPECT_TRUE(loader.loading.empty());
}

TEST_F(CatalogTest, AFileThatChangesWhileItIsLoadedIsLoadedOnceMore) {
  files["a.so"] = "A1";
  scan();
  files["a.so"] = "A2";
  scan();
  loader.offer("A1", {"task"});
  EXPECT_EQ(owner("task"), "nobody");
  EXPECT_FALSE(loader.up.contains("A1"));
  loader.offer("A2", {"task"});
  EXPECT_EQ(owner("task"), "A2");
}

TEST_F(CatalogTest, WarnsOfWhatANewVersionTakesAway) {
  serve("a.so", "A1", {"task", "other"});
  files["a.so"] = "A2";
  scan();
  loader.offer("A2", {"task"});
  ASSERT_EQ(catalog.snapshot()->plugins.at(0).warnings.size(), 1u);
  EXPECT_NE(catalog.snapshot()->plugins[0].warnings[0].find("'other' is gone"), std::string::npos);
}

TEST_F(CatalogTest, TriesAgainWhatWasRefusedAfterAGrowingPause) {
  files["a.so"] = "A";
  scan();
  loader.refuse("A", "A library is missing.");
  for (const int seconds : {10, 20, 40}) {
    ASSERT_EQ(catalog.next_retry(), now + std::chrono::seconds(seconds));
    catalog.retry_due();
    EXPECT_TRUE(loader.loading.empty()) << "not yet";
    now += std::chrono::seconds(seconds);
    catalog.retry_due();
    EXPECT_EQ(state("A"), "refused") << "while it is tried";
    loader.refuse("A", "A library is missing.");
  }
  EXPECT_EQ(events, std::vector<std::string>{"refused A"}) << "told once";
  now += std::chrono::seconds(80);
  catalog.retry_due();
  loader.offer("A", {"task"});
  EXPECT_EQ(state("A"), "serving");
  EXPECT_EQ(catalog.next_retry(), std::nullopt);
}

TEST_F(CatalogTest, TriesAgainAtOnceWhatWasRefusedWhenTheFileIsWrittenAgainOrSomebodyAsks) {
  files["a.so"] = "A";
  scan();
  loader.refuse("A", "It hangs.");
  scan();
  EXPECT_TRUE(loader.loading.empty()) << "another file's change is no reason";
  scan({"a.so"});
  loader.refuse("A", "It hangs.");
  EXPECT_TRUE(catalog.retry("a"));
  loader.offer("A", {"task"});
  EXPECT_EQ(state("A"), "serving");
  EXPECT_EQ(catalog.retry("nobody").code(), store::Code::kNotFound);
}

TEST_F(CatalogTest, ARollbackLetsTheVersionBeforeServeUntilTheFileChanges) {
  serve("a.so", "A1", {"task"});
  serve("a.so", "A2", {"task"});
  const auto back = catalog.roll_back("a", "");
  ASSERT_TRUE(back) << back.status().message();
  EXPECT_EQ(back->id.text(), "A1");
  EXPECT_EQ(owner("task"), "A2") << "until the other is loaded again";
  loader.offer("A1", {"task"});
  EXPECT_EQ(owner("task"), "A1");
  EXPECT_EQ(state("A2"), "idle");
  EXPECT_FALSE(loader.up.contains("A2"));
  scan();
  EXPECT_EQ(owner("task"), "A1");
  files["a.so"] = "A3";
  scan();
  loader.offer("A3", {"task"});
  EXPECT_EQ(owner("task"), "A3");
}

TEST_F(CatalogTest, ARollbackMayNameTheVersion) {
  serve("a.so", "AAAA1", {"task"});
  const std::string first = catalog.snapshot()->plugins.at(0).number;
  serve("a.so", "AAAA2", {"task"});
  serve("a.so", "AAAA3", {"task"});
  ASSERT_TRUE(catalog.roll_back("a.so", first));
  loader.offer("AAAA1", {"task"});
  EXPECT_EQ(owner("task"), "AAAA1");
  ASSERT_TRUE(catalog.roll_back("plugin", "AAAA3"));
  loader.offer("AAAA3", {"task"});
  EXPECT_EQ(owner("task"), "AAAA3") << "what the file has";
  const auto ambiguous = catalog.roll_back("a", "AAAA");
  EXPECT_EQ(ambiguous.status().code(), store::Code::kNotFound);
  EXPECT_NE(ambiguous.status().message().find(first), std::string::npos) << "names those there are";
}

TEST_F(CatalogTest, ARollbackWithoutAVersionBeforeSaysSo) {
  serve("a.so", "A", {"task"});
  EXPECT_EQ(catalog.roll_back("a", "").status().code(), store::Code::kNotFound);
  EXPECT_EQ(catalog.roll_back("b", "").status().code(), store::Code::kNotFound);
  EXPECT_EQ(owner("task"), "A");
}

TEST_F(CatalogTest, LoadsAtStartTheVersionsThatRunsAreLockedToFromTheirCopies) {
  copied("a.so", "A1");
  locked["A1"] = 1;
  catalog.keep(store::VersionId("A1"));
  EXPECT_EQ(loader.path_of.at("A1"), here.cache() / "A1" / "a.so");
  files["a.so"] = "A2";
  scan();
  loader.offer("A2", {"task"});
  EXPECT_FALSE(catalog.snapshot()->loaded) << "its runs must not be taken for runs without a plugin";
  loader.offer("A1", {"task"});
  EXPECT_TRUE(catalog.snapshot()->loaded);
  EXPECT_EQ(owner("task"), "A2");
  EXPECT_EQ(state("A1"), "retiring");
}

TEST_F(CatalogTest, SaysThatTheCopyOfAVersionThatRunsAreLockedToIsGone) {
  locked["A1"] = 1;
  catalog.keep(store::VersionId("A1"));
  scan();
  EXPECT_TRUE(catalog.snapshot()->loaded);
  EXPECT_EQ(state("A1"), "refused");
  EXPECT_EQ(events, std::vector<std::string>{"refused A1"});
}

TEST_F(CatalogTest, KnowsTheCopyOfAVersionThatIsNotLoadedAnyMoreUntilItIsGone) {
  serve("a.so", "A", {"one"});
  serve("a.so", "B", {"one"});
  EXPECT_EQ(state("A"), "unknown");
  const auto old = catalog.stored(store::VersionId("A"));
  ASSERT_TRUE(old) << old.status().message();
  EXPECT_EQ(old->path, here.cache() / "A" / "a.so");
  EXPECT_EQ(old->file, here.plugins() / "a.so");
  EXPECT_EQ(old->name, "plugin");
  EXPECT_EQ(catalog.stored(store::VersionId("B"))->path, here.cache() / "B" / "a.so");
  std::filesystem::remove_all(here.cache() / "A");
  EXPECT_EQ(catalog.stored(store::VersionId("A")).status().code(), store::Code::kNotFound);
  EXPECT_EQ(catalog.stored(store::VersionId("never")).status().code(), store::Code::kNotFound);
}

}  // namespace
}  // namespace perdure::catalog
