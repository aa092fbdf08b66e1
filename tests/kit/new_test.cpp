// perdure new: what it writes builds, passes its own test and loads, in every language; and what it refuses.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "tests/kit/kit.h"

namespace perdure::kit {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Spoken {
  const char* name;
  std::vector<std::string> flags;
  const char* source;
};

std::ostream& operator<<(std::ostream& out, const Spoken& language) { return out << language.name; }

class New : public testing::TestWithParam<Spoken> {
 protected:
  Kit kit;
};

TEST_P(New, WritesAProjectThatBuildsPassesItsTestAndLoads) {
  if (std::string(GetParam().name) == "Rust" && std::string(PERDURE_TEST_RUSTC).empty()) {
    GTEST_SKIP() << "there is no rustc";
  }
  const fs::path project = kit.directory() / "my-plugin", build = project / "build";
  std::vector<std::string> command{"new", "my-plugin", "--directory", project};
  command.insert(command.end(), GetParam().flags.begin(), GetParam().flags.end());
  const Ended made = kit.perdure(command);
  ASSERT_EQ(made.exit_status, 0) << said(made);
  EXPECT_EQ(made.err, "");

  const std::string readme = read(project / "README.md");
  EXPECT_NE(readme.find("export PATH=" + kit.prefix().string() + "/bin:"), std::string::npos) << readme;
  EXPECT_NE(readme.find("`" + std::string(GetParam().source) + "` is the task"), std::string::npos) << readme;
  for (const auto& file : fs::directory_iterator(project)) {
    if (!file.is_regular_file()) continue;
    EXPECT_NE(made.out.find(file.path().filename()), std::string::npos) << file << " is not announced";
    EXPECT_EQ(read(file.path()).find("{{name}}"), std::string::npos) << file;
  }

  ASSERT_TRUE(kit.build(
      project, build,
      {"-DCMAKE_C_FLAGS=-Wall -Wextra -Wpedantic -Werror", "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Werror"}));
  const auto test = [&] { return kit.run({PERDURE_TEST_CTEST, "--test-dir", build, "--output-on-failure"}); };
  const Ended tested = test();
  EXPECT_EQ(tested.exit_status, 0) << said(tested);
  EXPECT_NE(tested.out.find("100% tests passed, 0 tests failed out of 2"), std::string::npos) << said(tested);
  const Ended checked = kit.perdure({"plugins", "check", build / "plugins/my-plugin.so"});
  EXPECT_EQ(checked.exit_status, 0) << said(checked);
  EXPECT_NE(checked.out.find("my-plugin 0.1.0 is accepted: 1 task, isolation fork"), std::string::npos)
      << said(checked);

  // The test it came with is one that can fail.
  const fs::path source = project / GetParam().source;
  std::string text = read(source);
  const auto greeting = text.find("ello");
  ASSERT_NE(greeting, std::string::npos) << text;
  for (auto at = greeting; at != std::string::npos; at = text.find("ello", at)) text.replace(at, 4, "allo");
  std::ofstream(source) << text;
  const Ended rebuilt = kit.run({PERDURE_TEST_CMAKE, "--build", build});
  ASSERT_EQ(rebuilt.exit_status, 0) << said(rebuilt);
  const Ended failed = test();
  EXPECT_NE(failed.exit_status, 0);
  EXPECT_NE(failed.out.find("it is not so that who is named is greeted"), std::string::npos) << said(failed);
}

INSTANTIATE_TEST_SUITE_P(In, New,
                         testing::Values(Spoken{"Cpp", {}, "my-plugin.cpp"}, Spoken{"C", {"--c"}, "my-plugin.c"},
                                         Spoken{"Rust", {"--rust"}, "my-plugin.rs"}),
                         [](const auto& language) { return std::string(language.param.name); });

Ended perdure_new(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {PERDURE_TEST_BIN_DIR "/perdure", "new"});
  return e2e::run_program(arguments);
}

TEST(NewRefuses, ANameThatCannotBeAPlugins) {
  const e2e::TemporaryDirectory here;
  const fs::path project = here.path() / "project";
  for (const std::string name : {"1st", "-x", "a b", "a/b", "a.b", "a:b", "ä", "test", "all", "install"}) {
    const Ended refused = perdure_new({"--directory", project, "--", name});
    EXPECT_EQ(refused.exit_status, 2) << name << ": " << said(refused);
    EXPECT_NE(refused.err.find("\"" + name + "\" cannot be a plugin's name"), std::string::npos) << said(refused);
    EXPECT_FALSE(fs::exists(project)) << name;
  }
  EXPECT_EQ(perdure_new({std::string(129, 'a'), "--directory", project}).exit_status, 2);
  EXPECT_EQ(perdure_new({std::string(128, 'a'), "--directory", project}).exit_status, 0);
}

TEST(NewRefuses, ADirectoryWithSomethingInIt) {
  const e2e::TemporaryDirectory here;
  std::ofstream(here.path() / ".hidden") << "mine";
  const Ended refused = perdure_new({"my-plugin", "--directory", here.path()});
  EXPECT_EQ(refused.exit_status, 1);
  EXPECT_NE(refused.err.find(here.path().string() + " is not empty"), std::string::npos) << said(refused);
  EXPECT_FALSE(fs::exists(here.path() / "CMakeLists.txt"));

  const Ended file = perdure_new({"my-plugin", "--directory", here.path() / ".hidden"});
  EXPECT_EQ(file.exit_status, 1);
  EXPECT_NE(file.err.find("is there and is no directory"), std::string::npos) << said(file);
  EXPECT_EQ(read(here.path() / ".hidden"), "mine");

  fs::create_directory(here.path() / "empty");
  EXPECT_EQ(perdure_new({"my-plugin", "--directory", here.path() / "empty"}).exit_status, 0);
}

TEST(NewRefuses, TwoLanguagesAtOnce) {
  const e2e::TemporaryDirectory here;
  EXPECT_EQ(perdure_new({"my-plugin", "--c", "--rust", "--directory", here.path()}).exit_status, 2);
}

TEST(NewSays, ThatAProjectNeedsAnInstalledPerdure) {
  const e2e::TemporaryDirectory here;
  const Ended made = perdure_new({"my-plugin", "--directory", here.path()});
  EXPECT_EQ(made.exit_status, 0);
  EXPECT_NE(made.err.find("cmake --install"), std::string::npos) << said(made);
}

}  // namespace
}  // namespace perdure::kit
