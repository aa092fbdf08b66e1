#include "tests/kit/kit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

namespace perdure::kit {

namespace fs = std::filesystem;

Kit::Kit() {
  const auto* const test = testing::UnitTest::GetInstance()->current_test_info();
  std::string name = std::string(test->test_suite_name()) + "." + test->name();
  std::ranges::replace(name, '/', '_');
  directory_ = fs::path(PERDURE_TEST_BUILD_DIR "/tests/kit/work") / name;
  prefix_ = directory_ / "prefix";
  fs::remove_all(directory_);
  fs::create_directories(directory_);
  const Ended installed =
      e2e::run_program({PERDURE_TEST_CMAKE, "--install", PERDURE_TEST_BUILD_DIR, "--prefix", prefix_.string()});
  EXPECT_EQ(installed.exit_status, 0) << said(installed);
}

Kit::~Kit() {
  std::error_code ignored;
  if (!testing::Test::HasFailure()) fs::remove_all(directory_, ignored);
}

void Kit::move_to(const std::string& name) {
  fs::rename(prefix_, directory_ / name);
  prefix_ = directory_ / name;
}

Environment Kit::launchers() {
  const std::string ccache = PERDURE_TEST_CCACHE;
  if (ccache.empty()) return {};
  return {{"CMAKE_C_COMPILER_LAUNCHER", ccache}, {"CMAKE_CXX_COMPILER_LAUNCHER", ccache}};
}

Ended Kit::run(std::vector<std::string> command, const Environment& environment) const {
  Environment all = environment;
  all.merge(launchers());
  const char* const path = std::getenv("PATH");
  all.emplace("PATH", (prefix_ / "bin").string() + ":" + (path != nullptr ? path : "/usr/bin:/bin"));
  return e2e::run_program(command, all);
}

Ended Kit::perdure(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), (prefix_ / "bin/perdure").string());
  return run(std::move(arguments));
}

bool Kit::build(const fs::path& source, const fs::path& build, const std::vector<std::string>& options) const {
  std::vector<std::string> configure{PERDURE_TEST_CMAKE, "-S", source.string(), "-B", build.string(), "-G", "Ninja"};
  configure.insert(configure.end(), options.begin(), options.end());
  for (const auto& command : {configure, {PERDURE_TEST_CMAKE, "--build", build.string()}}) {
    const Ended ended = run(command);
    EXPECT_EQ(ended.exit_status, 0) << said(ended);
    if (ended.exit_status != 0) return false;
  }
  return true;
}

std::string said(const Ended& ended) {
  return "status " + std::to_string(ended.exit_status) + "\n" + ended.out + ended.err;
}

}  // namespace perdure::kit
