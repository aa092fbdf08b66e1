// What `perdure dev` takes for a change of the sources, and for a plugin that was built.
#include <gtest/gtest.h>
#include <poll.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "host/cli/dev_build.h"
#include "host/cli/dev_sources.h"

namespace perdure::cli {
namespace {

namespace fs = std::filesystem;

class DevProjectTest : public testing::Test {
 protected:
  DevProjectTest() {
    std::string name = (fs::temp_directory_path() / "perdure-dev-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    root = name;
  }
  ~DevProjectTest() override {
    std::error_code ignored;
    fs::remove_all(root, ignored);
  }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((root / name).parent_path());
    std::ofstream(root / name) << text;
  }

  fs::path root;
};
using DevSourcesTest = DevProjectTest;
using DevBuildTest = DevProjectTest;

TEST_F(DevSourcesTest, ChangeWhenAFileComesGoesOrHasAnotherContent) {
  write("a.cpp", "1");
  DevSources sources(root);
  EXPECT_TRUE(sources.look()) << "at first";
  EXPECT_FALSE(sources.look());
  write("inner/deep/b.h", "1");
  EXPECT_TRUE(sources.look());
  write("inner/deep/b.h", "2");
  EXPECT_TRUE(sources.look());
  fs::remove(root / "a.cpp");
  EXPECT_TRUE(sources.look());
  EXPECT_FALSE(sources.look());
}

TEST_F(DevSourcesTest, AreTheSameWhenTheSameIsWrittenAgain) {
  write("generated.h", "1");
  DevSources sources(root);
  sources.look();
  fs::remove(root / "generated.h");
  write("generated.h", "1");
  fs::last_write_time(root / "generated.h", fs::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_FALSE(sources.look());
}

TEST_F(DevSourcesTest, AreNotWhatABuildOrAHostMakesAndNotHidden) {
  write("a.cpp", "1");
  DevSources sources(root);
  sources.look();
  write("a.o", "object");
  write("tool", "\177ELF and so on");
  write("libx.a", "!<arch>\n");
  write(".hidden", "1");
  write("a.cpp~", "1");
  write("build/half/configured", "1");
  write("out/CMakeCache.txt", "");
  write("target/CACHEDIR.TAG", "");
  write("target/debug/x.d", "");
  write("data/secret", "");
  write("data/store/LOG", "");
  EXPECT_FALSE(sources.look());
  write("src/build/real.cpp", "1");
  EXPECT_TRUE(sources.look());
}

TEST_F(DevSourcesTest, TellWhenToLookAlsoInDirectoriesThatCameLater) {
  DevSources sources(root);
  sources.look();
  ASSERT_GE(sources.fd(), 0);
  const auto told = [&] {
    pollfd readable{sources.fd(), POLLIN, 0};
    return ::poll(&readable, 1, 10'000) == 1;
  };
  fs::create_directory(root / "new");
  EXPECT_TRUE(told());
  sources.look();
  write("new/a.cpp", "1");
  EXPECT_TRUE(told());
  EXPECT_TRUE(sources.look());
}

TEST_F(DevBuildTest, OfAPluginIsEveryLibraryWithTheEntryPointTheNewestOfAName) {
  write("build/old/a.so", "perdure_register_v1 old");
  fs::last_write_time(root / "build/old/a.so", fs::file_time_type::clock::now() - std::chrono::hours(1));
  write("build/new/a.so", "perdure_register_v1 new");
  write("build/library.so", "something else");
  write(".perdure/plugins/b.so", "perdure_register_v1");
  write("b.txt", "perdure_register_v1");
  EXPECT_EQ(built_plugins(root), std::vector{root / "build/new/a.so"});
}

TEST_F(DevBuildTest, IsPutIntoThePluginDirectoryOnceAndLeavesNothingBeside) {
  write("a.so", "content");
  const auto first = put_plugin(root / "a.so", root / "plugins");
  ASSERT_TRUE(first) << first.status().message();
  EXPECT_TRUE(first->changed);
  EXPECT_EQ(first->file, root / "plugins/a.so");
  EXPECT_EQ(fs::file_size(first->file), 7u);
  const auto again = put_plugin(root / "a.so", root / "plugins");
  EXPECT_FALSE(again->changed);
  EXPECT_EQ(again->version, first->version);
  EXPECT_EQ(std::distance(fs::directory_iterator(root / "plugins"), fs::directory_iterator()), 1);
}

TEST_F(DevBuildTest, IsCMakesUnlessSaidOtherwiseAndNeedsOneOfThem) {
  std::istringstream in;
  std::ostringstream out, err;
  const Console console{
      .in = in, .out = out, .err = err, .environment = [](const std::string&) { return std::nullopt; }};
  EXPECT_EQ(build_command(root, "", console).status().code(), store::Code::kNotFound);
  EXPECT_EQ(build_command(root, "make", console)->arguments.back(), "make");
  write("CMakeLists.txt", "");
  EXPECT_NE(build_command(root, "", console)->arguments.back().find("cmake --build build"), std::string::npos);
}

}  // namespace
}  // namespace perdure::cli
