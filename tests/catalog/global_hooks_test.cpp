// Global hooks: whose stand around whose tasks as plugins come, change and go.
#include <gtest/gtest.h>

#include "tests/catalog/catalog_scene.h"

namespace perdure::catalog {
namespace {

using process::Hook;
using process::HookSet;
using Plugins = std::vector<std::string>;

class GlobalHooksTest : public CatalogTest {
 protected:
  // "a" has a global hook, "b" has none.
  void a_around_b() {
    serve("b.so", "B", {"two"});
    files["a.so"] = "A";
    scan();
    loader.offer_hooks("A", "audit", {"one"}, {"on_complete"});
    ASSERT_EQ(state("A"), "serving");
  }
  const PluginVersion& plugin(const std::string& content) {
    for (const PluginVersion& each : catalog.snapshot()->plugins) {
      if (each.id.text() == content) return each;
    }
    ADD_FAILURE() << "no " << content;
    static const PluginVersion none;
    return none;
  }
  const Task& task(const std::string& id) { return catalog.snapshot()->tasks.at(store::TaskId(id)); }
  static bool warns(const PluginVersion& plugin, const std::string& of) {
    return std::ranges::any_of(plugin.warnings,
                               [&](const std::string& each) { return each.find(of) != std::string::npos; });
  }
};

TEST_F(GlobalHooksTest, WithoutAnyNobodyIsAskedForAnything) {
  serve("a.so", "A", {"one"});
  serve("b.so", "B", {"two"});
  EXPECT_TRUE(loader.asked.empty());
}

TEST_F(GlobalHooksTest, TheyStandAroundTheTasksOfOthersOnceTheseHaveLoadedThem) {
  a_around_b();
  EXPECT_EQ(loader.asked.at("B").plugins, Plugins{"A"});
  EXPECT_FALSE(loader.asked.contains("A")) << "it has its own";
  EXPECT_TRUE(task("two").around.empty());
  loader.answer("B");
  EXPECT_EQ(task("two").around, HookSet{Hook::kOnComplete});
  EXPECT_EQ(task("two").surrounded_by, Plugins{"audit"});
  EXPECT_EQ(plugin("B").surrounded_by, Plugins{"audit"});
  EXPECT_EQ(plugin("A").global_hooks, HookSet{Hook::kOnComplete});
  EXPECT_EQ(task("one").around, HookSet{Hook::kOnComplete});
  EXPECT_TRUE(plugin("A").surrounded_by.empty());
}

TEST_F(GlobalHooksTest, APluginThatComesLaterServesOnlyOnceItHasThem) {
  a_around_b();
  loader.answer("B");
  files["c.so"] = "C";
  scan();
  loader.offer("C", {"three"});
  EXPECT_EQ(state("C"), "loading");
  EXPECT_EQ(owner("three"), "nobody");
  EXPECT_EQ(loader.asked.at("C").plugins, Plugins{"A"});
  loader.answer("C");
  EXPECT_EQ(state("C"), "serving");
  EXPECT_EQ(task("three").around, HookSet{Hook::kOnComplete});
}

TEST_F(GlobalHooksTest, TheyStandInTheOrderOfTheirPluginsNames) {
  a_around_b();
  files["z.so"] = "Z";
  scan();
  loader.offer_hooks("Z", "aardvark", {}, {"middleware"});
  loader.answer("Z");
  EXPECT_EQ(loader.asked.at("B").plugins, (Plugins{"Z", "A"}));
  loader.answer("B");
  EXPECT_EQ(task("two").around, (HookSet{Hook::kMiddleware, Hook::kOnComplete}));
  EXPECT_EQ(task("two").surrounded_by, (Plugins{"aardvark", "audit"}));
}

TEST_F(GlobalHooksTest, ANewVersionOfThePluginTakesThePlaceOfTheOld) {
  a_around_b();
  loader.answer("B");
  files["a.so"] = "A2";
  scan();
  loader.offer_hooks("A2", "audit", {"one"}, {"catch_error"});
  EXPECT_EQ(state("A2"), "serving");
  EXPECT_EQ(loader.asked.at("B").plugins, Plugins{"A2"});
  EXPECT_EQ(task("two").around, HookSet{Hook::kOnComplete}) << "until the new ones are there";
  loader.answer("B");
  EXPECT_EQ(task("two").around, HookSet{Hook::kCatchError});
}

TEST_F(GlobalHooksTest, TheyGoWithTheirPlugin) {
  a_around_b();
  loader.answer("B");
  files.erase("a.so");
  scan();
  EXPECT_EQ(loader.asked.at("B").plugins, Plugins{});
  loader.answer("B");
  EXPECT_TRUE(task("two").around.empty());
  EXPECT_TRUE(plugin("B").surrounded_by.empty());
}

TEST_F(GlobalHooksTest, ARetiringVersionHasThemToo) {
  a_around_b();
  loader.answer("B");
  locked["B"] = 1;
  files["b.so"] = "B2";
  scan();
  loader.offer("B2", {"two"});
  loader.answer("B2");
  EXPECT_EQ(state("B"), "retiring");
  files.erase("a.so");
  scan();
  EXPECT_EQ(loader.asked.at("B").plugins, Plugins{});
}

TEST_F(GlobalHooksTest, OneThatCannotBeLoadedBesideAnotherIsLeftOutWithAWarningOnBoth) {
  a_around_b();
  loader.answer("B", {{store::VersionId("A"), "the plugin crashed while loading: SIGSEGV"}});
  EXPECT_EQ(state("B"), "serving");
  EXPECT_TRUE(task("two").around.empty());
  EXPECT_TRUE(plugin("B").surrounded_by.empty());
  EXPECT_TRUE(warns(plugin("B"), "audit could not be loaded beside it: the plugin crashed while loading: SIGSEGV"));
  EXPECT_TRUE(warns(plugin("A"), "do not stand around the tasks of plugin, because"));
  files["a.so"] = "A2";
  scan();
  loader.offer_hooks("A2", "audit", {"one"}, {"on_complete"});
  loader.answer("B");
  EXPECT_EQ(task("two").around, HookSet{Hook::kOnComplete}) << "another version may get on with it";
  EXPECT_FALSE(warns(plugin("B"), "could not be loaded"));
}

TEST_F(GlobalHooksTest, ALateAnswerToWhatWasAskedBeforeDoesNotCount) {
  a_around_b();
  const auto late = loader.asked.at("B").changed;
  files.erase("a.so");
  scan();
  loader.answer("B");
  late({{store::VersionId("A")}, {}, "fork", {}});
  EXPECT_TRUE(task("two").around.empty());
}

TEST_F(GlobalHooksTest, APluginMayHaveNothingButThem) {
  files["a.so"] = "A";
  scan();
  loader.offer_hooks("A", "audit", {}, {"on_complete"});
  EXPECT_EQ(state("A"), "serving");
  EXPECT_TRUE(catalog.snapshot()->loaded);
}

}  // namespace
}  // namespace perdure::catalog
