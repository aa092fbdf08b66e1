// A program outside of any host, written against an installed kit that was moved: perdure/client.hpp by find_package
// and by pkg-config, and the program in plugin-api/README.md.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "tests/guide/markdown.h"
#include "tests/kit/kit.h"

namespace perdure::kit {
namespace {

namespace fs = std::filesystem;

// The program that the README shows.
guide::Block program() {
  std::ifstream in(PERDURE_TEST_README);
  const std::string readme{std::istreambuf_iterator<char>(in), {}};
  for (const guide::Block& block : guide::fenced_blocks(readme)) {
    if (block.info == "cpp client") return block;
  }
  return {};
}

class ClientKit : public testing::Test {
 protected:
  ClientKit() {
    fs::create_directories(project);
    std::ofstream(project / "greet.cpp") << program().text;
    std::ofstream(project / "CMakeLists.txt")
        << "cmake_minimum_required(VERSION 3.22)\nproject(greet LANGUAGES CXX)\n"
           "find_package(Perdure 0.1 REQUIRED COMPONENTS client)\n"
           "add_executable(greet greet.cpp)\ntarget_link_libraries(greet PRIVATE Perdure::client)\n";
  }
  // Runs the program against a host with the shipped tasks.
  void expect_greets(const fs::path& executable) const {
    e2e::HostProcess host(
        {.executable = kit.prefix() / "bin/perdure", .plugins = kit.prefix() / "lib/perdure/plugins"});
    ASSERT_TRUE(host.start()) << host.log();
    const Ended greeted =
        kit.run({executable.string(), "Ada"}, {{"PERDURE_URL", host.url()}, {"PERDURE_DATA", host.data()}});
    EXPECT_EQ(greeted.exit_status, 0) << said(greeted);
    EXPECT_EQ(greeted.out, "Hello, Ada!\n") << said(greeted);
  }
  Kit kit;
  const fs::path project = kit.directory() / "project";
};

TEST_F(ClientKit, FindPackageBuildsTheProgramOfTheReadmeFromWhereThePrefixWasMoved) {
  kit.move_to("moved away");
  ASSERT_TRUE(kit.build(project, project / "build", {"-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror"}));
  expect_greets(project / "build/greet");
}

TEST_F(ClientKit, PkgConfigNamesWhatTheProgramNeeds) {
  kit.move_to("moved");
  const std::string object = project / "greet.o", executable = project / "greet";
  const Ended built =
      kit.run({"/bin/sh", "-c",
               std::string(PERDURE_TEST_CCACHE) + " g++ -std=c++20 -c " + (project / "greet.cpp").string() +
                   " $(pkg-config --cflags perdure-client) -o " + object + " && g++ " + object +
                   " $(pkg-config --libs perdure-client) -o " + executable},
              {{"PKG_CONFIG_PATH", kit.prefix() / "lib/pkgconfig"}});
  ASSERT_EQ(built.exit_status, 0) << said(built);
  expect_greets(executable);
}

TEST_F(ClientKit, WithoutLibcurlSaysWhatIsMissing) {
  const Ended refused = kit.run({PERDURE_TEST_CMAKE, "-S", project, "-B", project / "build", "-G", "Ninja",
                                 "-DCMAKE_DISABLE_FIND_PACKAGE_CURL=ON"});
  EXPECT_NE(refused.exit_status, 0);
  EXPECT_NE(refused.err.find("libcurl4-openssl-dev"), std::string::npos) << said(refused);
}

}  // namespace
}  // namespace perdure::kit
