// Plugins built with another compiler, C++ library or string layout than the host's: they load, run, log, and their
// exceptions are caught and named, each beside the others in one host.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "tests/kit/kit.h"

namespace perdure::kit {
namespace {

namespace fs = std::filesystem;

std::string text(const boost::json::value& value) { return std::string(value.as_string()); }

struct Toolchain {
  const char* name;
  const char* compiler;
  const char* flags;
  const char* library;
};

std::ostream& operator<<(std::ostream& out, const Toolchain& toolchain) { return out << toolchain.name; }

class Foreign : public testing::TestWithParam<Toolchain> {};

TEST_P(Foreign, PluginsLoadRunLogAndHaveTheirExceptionsCaught) {
  const Toolchain& toolchain = GetParam();
  if (std::string(toolchain.compiler).empty()) GTEST_SKIP() << "there is no clang++";
  const Kit kit;
  const fs::path build = kit.directory() / "build";
  const std::string name = toolchain.name;
  ASSERT_TRUE(kit.build(PERDURE_TEST_FOREIGN_DIR, build,
                        {"-DNAME=" + name, std::string("-DCMAKE_CXX_COMPILER=") + toolchain.compiler,
                         std::string("-DCMAKE_CXX_FLAGS=") + toolchain.flags}));
  fs::copy_file(kit.prefix() / "lib/perdure/plugins/playground.so", build / "plugins/playground.so");
  e2e::HostProcess host({.executable = kit.prefix() / "bin/perdure", .plugins = build / "plugins"});
  ASSERT_TRUE(host.start()) << host.log();
  e2e::Http http = host.client();

  const auto counted = await_run(http, trigger(http, name + ":count", R"({"words":["a","b","a"]})"));
  ASSERT_EQ(text(counted.at("status")), "COMPLETED") << boost::json::serialize(counted);
  EXPECT_EQ(boost::json::serialize(counted.at("output")),
            R"({"counts":{"a":2,"b":1},"library":")" + std::string(toolchain.library) + "\"}");
  const Answer logs = http.get("/perdure/v1/runs/" + text(counted.at("id")) + "/logs");
  EXPECT_NE(logs.body.find("counted"), std::string::npos) << logs.body;

  const auto thrown = [&](const std::string& what, const std::string& status = "FAILED") {
    const auto run = await_run(http, trigger(http, name + ":throws", "\"" + what + "\""));
    EXPECT_EQ(text(run.at("status")), status) << boost::json::serialize(run);
    const Answer said = http.get("/perdure/v1/runs/" + text(run.at("id")) + "/logs");
    EXPECT_NE(said.body.find("unwound"), std::string::npos) << what << ": " << said.body;
    return run.at("error").as_object();
  };
  const auto error = thrown("runtime_error");
  EXPECT_EQ(text(error.at("name")), "std::runtime_error");
  EXPECT_EQ(text(error.at("message")), "a message that is longer than any string keeps in itself");
  EXPECT_EQ(text(thrown("system_error").at("name")), "std::system_error");
  EXPECT_EQ(text(thrown("out_of_range").at("name")), "std::out_of_range");
  EXPECT_EQ(text(thrown("own").at("name")), "OwnError");
  EXPECT_EQ(text(thrown("abort").at("message")), "no more");
  EXPECT_EQ(text(thrown("error").at("name")), "CardDeclined");
  EXPECT_EQ(text(thrown("int").at("name")), "int");
  EXPECT_EQ(text(thrown("bad_alloc", "CRASHED").at("code")), "OUT_OF_MEMORY");

  const auto neighbour = await_run(http, trigger(http, "hello-world", R"({"name":"Ada"})"));
  EXPECT_EQ(text(neighbour.at("status")), "COMPLETED");
}

INSTANTIATE_TEST_SUITE_P(From, Foreign,
                         testing::Values(Toolchain{"clang-libcxx", PERDURE_TEST_CLANGXX, "-stdlib=libc++", "libc++"},
                                         Toolchain{"clang", PERDURE_TEST_CLANGXX, "", "libstdc++"},
                                         Toolchain{"older-strings", "g++", "-D_GLIBCXX_USE_CXX11_ABI=0",
                                                   "libstdc++, its older strings"}),
                         [](const auto& instance) {
                           std::string name = instance.param.name;
                           name.erase(std::remove(name.begin(), name.end(), '-'), name.end());
                           return name;
                         });

}  // namespace
}  // namespace perdure::kit
