// The private copies of plugin files.
#include "host/catalog/plugin_cache.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/catalog/plugin_directory.h"

namespace perdure::catalog {
namespace {

// sha256sum of "abc": FIPS 180-2, appendix B.1.
constexpr const char* kSumOfAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(PluginCache, CopiesAFileUnderTheSumOfItsContent) {
  const PluginDirectory here;
  const auto cached = cache_plugin(here.put("a.so", "abc"), here.cache());
  ASSERT_TRUE(cached) << cached.status().message();
  EXPECT_EQ(cached->version.text(), kSumOfAbc);
  EXPECT_EQ(cached->path, here.cache() / kSumOfAbc / "a.so");
  EXPECT_EQ(content(cached->path), "abc");
  struct stat about {};
  ASSERT_EQ(::stat(cached->path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0444u);
}

TEST(PluginCache, KeepsTheCopyWhenTheFileIsOverwritten) {
  const PluginDirectory here;
  const auto before = cache_plugin(here.put("a.so", "one"), here.cache());
  const auto after = cache_plugin(here.put("a.so", "two"), here.cache());
  ASSERT_TRUE(before && after);
  EXPECT_NE(before->path, after->path);
  EXPECT_EQ(content(before->path), "one");
  EXPECT_EQ(content(after->path), "two");
}

TEST(PluginCache, CopiesTheSameContentOnce) {
  const PluginDirectory here;
  const auto file = here.put("a.so", "abc");
  const auto first = cache_plugin(file, here.cache());
  struct stat before {
  }, after{};
  ASSERT_EQ(::stat(first->path.c_str(), &before), 0);
  const auto second = cache_plugin(file, here.cache());
  ASSERT_EQ(::stat(second->path.c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(here.cache()), {}), 1) << "a temporary file was left";
}

TEST(PluginCache, ReplacesACopyThatIsDamaged) {
  const PluginDirectory here;
  const auto file = here.put("a.so", "abc");
  const auto first = cache_plugin(file, here.cache());
  std::filesystem::remove(first->path);
  std::ofstream(first->path) << "ab";  // as a power cut may leave it
  const auto second = cache_plugin(file, here.cache());
  ASSERT_TRUE(second) << second.status().message();
  EXPECT_EQ(content(second->path), "abc");
}

TEST(PluginCache, RefusesWhatIsNoFile) {
  const PluginDirectory here;
  std::filesystem::create_directory(here.plugins() / "folder.so");
  const auto folder = cache_plugin(here.plugins() / "folder.so", here.cache());
  EXPECT_EQ(folder.status().code(), store::Code::kInvalid);
  ASSERT_EQ(::mkfifo((here.plugins() / "pipe.so").c_str(), 0600), 0);
  const auto pipe = cache_plugin(here.plugins() / "pipe.so", here.cache());
  EXPECT_EQ(pipe.status().code(), store::Code::kInvalid);
  EXPECT_NE(pipe.status().message().find("pipe.so is not a regular file"), std::string::npos);
}

TEST(PluginCache, NamesTheFileThatIsNotThere) {
  const PluginDirectory here;
  const auto missing = cache_plugin(here.plugins() / "none.so", here.cache());
  EXPECT_EQ(missing.status().code(), store::Code::kIo);
  EXPECT_NE(missing.status().message().find("none.so: No such file"), std::string::npos);
}

}  // namespace
}  // namespace perdure::catalog
