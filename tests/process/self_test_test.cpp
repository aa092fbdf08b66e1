// The self test of a plugin, as the host sees it: it refuses what fails it, in a sentence, and asks for it once.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>

#include "tests/process/supervised.h"

namespace perdure::process::test {
namespace {

using std::chrono::milliseconds;

class SelfTest : public testing::Test, public Supervised {
 protected:
  SelfTest()
      : Supervised([](SupervisorOptions& adjusted) {
          adjusted.backtrace_executable = PERDURE_TEST_BACKTRACE;
          adjusted.environment.insert(adjusted.environment.end(), {"PERDURE_SELF_TEST", "PERDURE_SELF_TEST_MARK"});
        }) {}
  ~SelfTest() override {
    unsetenv("PERDURE_SELF_TEST");
    unsetenv("PERDURE_SELF_TEST_MARK");
    std::filesystem::remove(mark_);
  }
  std::string load_when(const std::string& what) {
    setenv("PERDURE_SELF_TEST", what.c_str(), 1);
    setenv("PERDURE_SELF_TEST_MARK", mark_.c_str(), 1);
    return load(fixture("self_test"));
  }
  // How often it was executed.
  std::uintmax_t times() const {
    std::error_code missing;
    const auto size = std::filesystem::file_size(mark_, missing);
    return missing ? 0 : size;
  }
  void limit_to(milliseconds limit) {
    options.self_test_timeout = limit;
    supervisor = std::make_unique<Supervisor>(io, options);
  }

 private:
  std::string mark_ = testing::TempDir() + "perdure-self-test-" + std::to_string(getpid());
};

TEST_F(SelfTest, ThatPassesIsExecutedOnceForAVersion) {
  ASSERT_EQ(load_when("pass"), "");
  EXPECT_EQ(times(), 1u);
  const std::int32_t first = supervisor->zygote_pids(version).front();
  kill(first, SIGKILL);
  until(
      [&] {
        const auto pids = supervisor->zygote_pids(version);
        return !pids.empty() && pids.front() != first;
      },
      "another zygote");
  EXPECT_EQ(run("null").result.output, "null");
  EXPECT_EQ(times(), 1u) << "its second zygote has tested it again";
}

TEST_F(SelfTest, ThatFailsRefusesThePluginInItsWords) {
  EXPECT_EQ(load_when("fail"), "its self test failed: no model\ninfo: looked; its last words: printed by the test");
  EXPECT_EQ(load_when("pass"), "") << "the same version, once it passes";
}

TEST_F(SelfTest, ThatCrashesRefusesThePluginWithItsBacktrace) {
  const std::string refusal = load_when("crash");
  EXPECT_EQ(refusal.find("its self test crashed: SIGSEGV\n"), 0u) << refusal;
  EXPECT_NE(refusal.find("write_to_null"), std::string::npos) << refusal;
}

TEST_F(SelfTest, ThatExitsRefusesThePlugin) {
  EXPECT_EQ(load_when("exit"), "its self test ended its process with exit code 3 instead of returning");
}

TEST_F(SelfTest, ThatHangsRefusesThePluginAfterItsTime) {
  limit_to(milliseconds(200));
  EXPECT_EQ(load_when("hang"), "its self test did not finish within 200 ms");
}

TEST_F(SelfTest, MayTakeLongerThanLoading) {
  options.load_timeout = milliseconds(1000);
  limit_to(milliseconds(1200));
  EXPECT_EQ(load_when("hang"), "its self test did not finish within 1200 ms");
}

TEST_F(SelfTest, IsNotAskedForWithoutATime) {
  limit_to(milliseconds(0));
  EXPECT_EQ(load_when("fail"), "");
  EXPECT_EQ(times(), 0u);
}

}  // namespace
}  // namespace perdure::process::test
