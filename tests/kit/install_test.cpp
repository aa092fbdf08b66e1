// What `cmake --install` gives: a host that runs, and the ways to build against it, wherever it is and was moved to.
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <fstream>

#include "tests/kit/kit.h"

namespace perdure::kit {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPluginInC = R"(#include <perdure/plugin.h>
static perdure_status run(const perdure_attempt* attempt) {
  return attempt->services->set_result(attempt, PERDURE_STR("42"));
}
PERDURE_EXPORT perdure_status perdure_register_v1(const perdure_registrar* registrar) {
  perdure_plugin plugin = {.struct_size = sizeof plugin};
  plugin.name = PERDURE_STR("outside");
  perdure_status status = registrar->plugin(registrar, &plugin);
  if (status) return status;
  perdure_task task = {.struct_size = sizeof task, .run = run};
  task.id = PERDURE_STR("outside");
  return registrar->task(registrar, &task);
}
)";
constexpr const char* kPluginInCpp = R"(#include <perdure/task.hpp>
constexpr perdure::Task<int, int> outside{.id = "outside", .run = [](int in, perdure::Attempt&) { return in + 1; }};
PERDURE_PLUGIN("outside", "1", outside)
)";

class Installed : public testing::Test {
 protected:
  fs::path written(const std::string& name, const std::string& text) const {
    const fs::path path = kit.directory() / "project" / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.parent_path();
  }
  void expect_accepted(const fs::path& plugin) const {
    const Ended checked = kit.perdure({"plugins", "check", plugin});
    EXPECT_EQ(checked.exit_status, 0) << said(checked);
  }
  Kit kit;
};

TEST_F(Installed, TheHostServesTheShippedPlugins) {
  const fs::path plugins = kit.prefix() / "lib/perdure/plugins";
  const Ended shown = kit.perdure({"serve", "--print-config"});
  EXPECT_NE(shown.out.find("plugins = \"" + plugins.string() + "\""), std::string::npos) << said(shown);
  e2e::HostProcess host({.executable = kit.prefix() / "bin/perdure", .plugins = plugins});
  ASSERT_TRUE(host.start()) << host.log();
  e2e::Http http = host.client();
  for (const std::string task : {"hello-world", "hello-c"}) {
    const auto run = await_run(http, trigger(http, task, R"({"name":"Ada"})"));
    EXPECT_EQ(run.at("status").as_string(), "COMPLETED") << boost::json::serialize(run);
  }
  // A backtrace is made by the executable itself, from where it is installed.
  const auto crashed = await_run(http, trigger(http, "crash", "{}"));
  EXPECT_NE(boost::json::serialize(crashed).find("crash_task_dereferences_null"), std::string::npos);
}

TEST_F(Installed, FindPackageBuildsACPluginWithoutACppCompiler) {
  written("outside.c", kPluginInC);
  const fs::path project = written("CMakeLists.txt",
                                   "cmake_minimum_required(VERSION 3.22)\nproject(outside LANGUAGES C)\n"
                                   "find_package(Perdure 0.1 REQUIRED)\nperdure_add_plugin(outside outside.c)\n");
  kit.move_to("moved away");
  ASSERT_TRUE(kit.build(project, project / "build", {"-DCMAKE_CXX_COMPILER=/no/such/compiler"}));
  expect_accepted(project / "build/plugins/outside.so");
}

TEST_F(Installed, FindPackageBuildsACppPluginFromWhereThePrefixWasMoved) {
  written("outside.cpp", kPluginInCpp);
  const fs::path project = written("CMakeLists.txt",
                                   "cmake_minimum_required(VERSION 3.22)\nproject(outside LANGUAGES CXX)\n"
                                   "find_package(Perdure 0.1 REQUIRED)\nperdure_add_plugin(outside outside.cpp)\n"
                                   "if(NOT TARGET Perdure::json)\n  message(FATAL_ERROR \"compiles Boost.JSON\")\n"
                                   "endif()\n");
  kit.move_to("moved away");
  ASSERT_TRUE(kit.build(project, project / "build"));
  expect_accepted(project / "build/plugins/outside.so");
}

TEST_F(Installed, ACppSourceInAProjectWithoutCppIsExplained) {
  written("outside.cpp", kPluginInCpp);
  const fs::path project = written("CMakeLists.txt",
                                   "cmake_minimum_required(VERSION 3.22)\nproject(outside LANGUAGES C)\n"
                                   "find_package(Perdure REQUIRED)\nperdure_add_plugin(outside outside.cpp)\n");
  const Ended refused = kit.run({PERDURE_TEST_CMAKE, "-S", project, "-B", project / "build", "-G", "Ninja"});
  EXPECT_NE(refused.exit_status, 0);
  EXPECT_NE(refused.err.find("outside.cpp is C++"), std::string::npos) << said(refused);
}

TEST_F(Installed, PkgConfigNamesWhatACompilerNeeds) {
  const fs::path c = written("outside.c", kPluginInC) / "outside.c", cpp = c.parent_path() / "outside.cpp";
  written("outside.cpp", kPluginInCpp);
  kit.move_to("moved");
  const Environment here{{"PKG_CONFIG_PATH", kit.prefix() / "lib/pkgconfig"}};
  const auto built = [&](const std::string& command) { return kit.run({"/bin/sh", "-c", command}, here); };
  const std::string plugin = kit.directory() / "outside.so";
  const Ended in_c = built("cc -shared -fPIC " + c.string() + " $(pkg-config --cflags perdure) -o " + plugin);
  ASSERT_EQ(in_c.exit_status, 0) << said(in_c);
  expect_accepted(plugin);
  const Ended in_cpp = built(std::string(PERDURE_TEST_CCACHE) + " g++ -std=c++20 -c -fPIC -fvisibility=hidden " +
                             "-fno-gnu-unique " + cpp.string() + " $(pkg-config --cflags perdure) -o " + plugin +
                             ".o && g++ -shared " + plugin + ".o $(pkg-config --libs perdure) -Wl,--exclude-libs,ALL " +
                             "-Wl,--version-script=$(pkg-config --variable=version_script perdure) -o " + plugin);
  ASSERT_EQ(in_cpp.exit_status, 0) << said(in_cpp);
  expect_accepted(plugin);
}

}  // namespace
}  // namespace perdure::kit
