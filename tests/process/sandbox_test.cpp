// What a task gives up by its option `sandbox`: real children that try it all the same.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cerrno>
#include <csignal>

#include "tests/process/supervised.h"

namespace perdure::process::test {
namespace {

namespace json = boost::json;
using store::FailureKind;
using store::Sandbox;

constexpr Sandbox kNoNetwork{.network = false};
constexpr Sandbox kNoExec{.exec = false};
constexpr Sandbox kNeither{.network = false, .exec = false};

class SandboxTest : public testing::TestWithParam<const char*>, public Supervised {
 protected:
  SandboxTest() { EXPECT_EQ(load(fixture(GetParam())), ""); }
  json::value in(const Sandbox& sandbox, const std::string& task = "tries", std::uint32_t recycle_after = 1) {
    const Told& told = run(task, "null", [&](AttemptSpec& spec) {
      spec.sandbox = sandbox;
      spec.recycle_after = recycle_after;
    });
    EXPECT_FALSE(told.result.failure) << told.result.failure->message;
    return told.result.output.empty() ? json::value() : json::parse(told.result.output);
  }
};
INSTANTIATE_TEST_SUITE_P(ForkedAndExecuted, SandboxTest, testing::Values("confined", "confined_executed"),
                         [](const auto& each) {
                           return std::string(each.param) == "confined" ? "Forked" : "Executed";
                         });

TEST_P(SandboxTest, WithoutOneATaskMayConnectAndExecute) {
  const json::value could = in({});
  for (const char* each : {"internet", "thread", "child", "local", "program", "descriptor"}) {
    EXPECT_EQ(could.at(each), 0) << each;
  }
}

TEST_P(SandboxTest, WithoutNetworkOnlyLocalSocketsCanBeMade) {
  const json::value could = in(kNoNetwork);
  for (const char* each : {"internet", "netlink", "thread", "child"}) EXPECT_EQ(could.at(each), EPERM) << each;
  for (const char* each : {"local", "program", "descriptor"}) EXPECT_EQ(could.at(each), 0) << each;
  EXPECT_EQ(in(kNoNetwork, "tries_ring"), EPERM);
}

TEST_P(SandboxTest, WithoutExecNoProgramCanBeExecuted) {
  const json::value could = in(kNoExec);
  for (const char* each : {"program", "descriptor"}) EXPECT_EQ(could.at(each), EPERM) << each;
  for (const char* each : {"internet", "local", "thread", "child"}) EXPECT_EQ(could.at(each), 0) << each;
}

TEST_P(SandboxTest, BothCanBeGivenUpAndNoOtherProcessCanBeMadeToDoIt) {
  const json::value could = in(kNeither);
  for (const char* each : {"internet", "program", "descriptor", "trace"}) EXPECT_EQ(could.at(each), EPERM) << each;
  EXPECT_EQ(could.at("local"), 0);
}

#if defined(__x86_64__)
TEST_P(SandboxTest, ASystemCallOfAnotherArchitectureEndsTheProcess) {
  const json::value without = in({}, "tries_foreign");
  if (without != 0) GTEST_SKIP() << "this kernel has no 32-bit system calls";
  EXPECT_EQ(in(kNoNetwork, "tries_foreign"), 1000 + SIGSYS);
  const Told& told = run("calls_foreign", "null", [](AttemptSpec& spec) { spec.sandbox = kNoNetwork; });
  ASSERT_EQ(told.kind(), FailureKind::kCrashed);
  EXPECT_NE(told.result.failure->message.find("SIGSYS"), std::string::npos) << told.result.failure->message;
}
#endif

TEST_P(SandboxTest, ARecycledProcessServesOnlyTasksWithTheSameSandbox) {
  constexpr std::uint32_t kOften = 1000;
  const json::value closed = in(kNeither, "tries", kOften);
  const json::value open = in({}, "tries", kOften);
  EXPECT_NE(open.at("pid"), closed.at("pid"));
  EXPECT_EQ(open.at("internet"), 0);
  EXPECT_EQ(in(kNeither, "tries", kOften).at("pid"), closed.at("pid"));
  EXPECT_EQ(in({}, "tries", kOften).at("pid"), open.at("pid"));
  const json::value half = in(kNoExec, "tries", kOften);
  EXPECT_NE(half.at("pid"), closed.at("pid"));
  EXPECT_NE(half.at("pid"), open.at("pid"));
  EXPECT_EQ(half.at("internet"), 0);
}

}  // namespace
}  // namespace perdure::process::test
