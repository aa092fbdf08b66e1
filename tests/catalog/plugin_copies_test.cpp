// Which private copies there are, and which of them may go.
#include "host/catalog/plugin_copies.h"

#include <gtest/gtest.h>

#include "host/catalog/plugin_cache.h"
#include "tests/catalog/plugin_directory.h"

namespace perdure::catalog {
namespace {

using namespace std::chrono_literals;

class PluginCopies : public testing::Test {
 protected:
  CachedPlugin cache(const std::string& name, const std::string& text) {
    auto cached = cache_plugin(here.put(name, text), here.cache());
    EXPECT_TRUE(cached) << cached.status().message();
    return *cached;
  }
  static store::Time wall_clock() {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }

  const PluginDirectory here;
};

TEST_F(PluginCopies, AreFoundByVersionAndPreferablyByName) {
  const CachedPlugin a = cache("a.so", "same");
  const CachedPlugin b = cache("b.so", "same");
  EXPECT_EQ(find_copy(here.cache(), a.version, "b.so"), b.path);
  EXPECT_EQ(find_copy(here.cache(), a.version, "renamed.so"), a.path);
  EXPECT_EQ(find_copy(here.cache(), store::VersionId("none"), "a.so"), std::nullopt);
}

TEST_F(PluginCopies, GoWhenNothingNeedsThem) {
  const CachedPlugin a = cache("a.so", "one"), b = cache("a.so", "two");
  std::ofstream(here.cache() / "versions.json") << "{}";
  std::filesystem::create_directory(here.cache() / "mine");
  const auto removable = removable_copies(here.cache(), {b.version}, wall_clock() - 1h);
  EXPECT_EQ(removable, std::vector{here.cache() / a.version.text()});
  ASSERT_TRUE(remove_copies(removable));
  EXPECT_FALSE(std::filesystem::exists(a.path));
  EXPECT_TRUE(std::filesystem::exists(b.path));
  EXPECT_TRUE(removable_copies(here.cache(), {b.version}, wall_clock() - 1h).empty());
}

TEST_F(PluginCopies, LeaveTemporariesThatAreStillWritten) {
  std::filesystem::create_directories(here.cache());
  std::ofstream(here.cache() / ".copy-abcdef") << "half";
  EXPECT_TRUE(removable_copies(here.cache(), {}, wall_clock() - 1h).empty());
  EXPECT_EQ(removable_copies(here.cache(), {}, wall_clock() + 1h), std::vector{here.cache() / ".copy-abcdef"});
}

TEST_F(PluginCopies, SayWhichCouldNotBeRemovedAndRemoveTheOthers) {
  const CachedPlugin a = cache("a.so", "one");
  const auto status = remove_copies({"/proc/version", here.cache() / a.version.text()});
  EXPECT_EQ(status.code(), store::Code::kIo);
  EXPECT_NE(status.message().find("/proc/version"), std::string::npos) << status.message();
  EXPECT_FALSE(std::filesystem::exists(a.path));
}

TEST_F(PluginCopies, AreNoneWhereThereIsNoCache) {
  EXPECT_TRUE(removable_copies(here.cache(), {}, wall_clock()).empty());
}

}  // namespace
}  // namespace perdure::catalog
