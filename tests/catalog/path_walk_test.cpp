// Which names are looked up when a path is followed.
#include "host/os/path_walk.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "tests/catalog/plugin_directory.h"

namespace perdure::os {
namespace {

namespace fs = std::filesystem;

class PathWalkTest : public testing::Test {
 protected:
  /// The lookups below the test's directory: "dir:name", with a ! after the last ones.
  std::string lookups(const fs::path& path) {
    walk = walk_path(path.string());
    std::string text;
    for (const Lookup& lookup : walk.lookups) {
      if (!lookup.directory.starts_with(root.string())) continue;
      text += (text.empty() ? "" : " ") + lookup.directory.substr(root.string().size()) + ":" + lookup.name +
              (lookup.last ? "!" : "");
    }
    return text;
  }

  const catalog::PluginDirectory here;
  const fs::path root = fs::canonical(here.plugins().parent_path());
  PathWalk walk;
};

TEST_F(PathWalkTest, NamesEveryDirectoryOnTheWay) {
  here.put("a.so", "text");
  EXPECT_EQ(lookups(root / "plugins" / "." / "a.so"), ":plugins /plugins:a.so!");
  EXPECT_EQ(walk.end, (root / "plugins" / "a.so").string());
  EXPECT_EQ(walk.lookups.front().directory, "/");
}

TEST_F(PathWalkTest, FollowsLinksInTheMiddleAndAtTheEnd) {
  fs::create_directory(root / "releases");
  fs::create_directory(root / "releases" / "1");
  fs::create_symlink("releases/1", root / "current");
  fs::create_symlink(root / "plugins" / "a.so", root / "releases" / "1" / "link.so");
  here.put("a.so", "text");
  EXPECT_EQ(lookups(root / "current" / "link.so"),
            ":current :releases /releases:1 /releases/1:link.so! :plugins /plugins:a.so!");
  EXPECT_EQ(walk.end, (root / "plugins" / "a.so").string());
}

TEST_F(PathWalkTest, GoesUpFromWhereALinkLed) {
  fs::create_directories(root / "far" / "away");
  fs::create_symlink("far/away", root / "near");
  EXPECT_EQ(lookups(root / "near" / ".." / "x"), ":near :far /far:away /far:x!");
  EXPECT_EQ(walk.error, ENOENT);
  EXPECT_TRUE(walk.end.empty());
}

TEST_F(PathWalkTest, StopsAtWhatIsMissing) {
  EXPECT_EQ(lookups(root / "no" / "such" / "file"), ":no");
  EXPECT_EQ(walk.error, ENOENT);
}

TEST_F(PathWalkTest, StopsInACircle) {
  fs::create_symlink("two", root / "one");
  fs::create_symlink("one", root / "two");
  lookups(root / "one");
  EXPECT_EQ(walk.error, ELOOP);
  EXPECT_LT(walk.lookups.size(), 100u);
}

TEST_F(PathWalkTest, BeginsAtTheWorkingDirectory) {
  const fs::path before = fs::current_path();
  fs::current_path(root);
  EXPECT_EQ(lookups("plugins"), ":plugins!");
  fs::current_path(before);
}

}  // namespace
}  // namespace perdure::os
