// The self test of a plugin: when it is executed, in which words it refuses the plugin, and that nothing of it is left.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "host/zygote/descendants.h"
#include "tests/zygote/behaviour_tasks.h"
#include "tests/zygote/zygote_process.h"

namespace perdure::zygote::test {
namespace {

using protocol::Kind;
using std::chrono::milliseconds;

constexpr milliseconds kEnough{10'000};
constexpr milliseconds kShort{200};

// A zygote that is asked for the self test of the fixture that does `what`.
class Rehearsed : public ZygoteProcess {
 public:
  explicit Rehearsed(const std::string& what, milliseconds limit = kEnough)
      : ZygoteProcess(fixture("self_test"), {"PERDURE_FIXTURE=" + what}, limit) {}
  // Why the plugin is refused, after which the zygote must have left.
  std::string reason() {
    const std::string json = refusal();
    EXPECT_TRUE(wait()) << "the zygote stays";
    return member(json, "reason");
  }
};

bool is_gone(pid_t pid) { return kill(pid, 0) != 0; }

// Each in a child forked from the zygote, and executed anew.
class SelfTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (kThreadSanitizer && !GetParam().empty()) GTEST_SKIP() << "its own thread is counted too";
  }
  std::string with(const std::string& what) const { return GetParam() + what; }
};
INSTANTIATE_TEST_SUITE_P(Isolation, SelfTest, testing::Values("", "thread-"),
                         [](const auto& test) { return test.param.empty() ? "Fork" : "Spawn"; });

TEST_P(SelfTest, ThatPassesLetsThePluginServe) {
  Rehearsed zygote(with("pass"));
  EXPECT_TRUE(zygote.next(Kind::kTesting));
  EXPECT_EQ(member(zygote.manifest(), "plugin"), "self-test");
  EXPECT_TRUE(eventually([&] { return children_of(zygote.pid()).empty(); })) << "its process is left";
}

TEST_P(SelfTest, HasAProcessOfItsOwn) {
  Rehearsed zygote(with("pass"));
  ASSERT_NE(zygote.manifest(), "");
  const Attempt attempt = zygote.fork();
  attempt.start(0, "null");
  const auto outcome = attempt.next(Kind::kOutcome);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->raw, "0");
}

TEST_P(SelfTest, HasNoTaskAndNoRun) { EXPECT_NE(Rehearsed(with("environment")).manifest(), ""); }

TEST_P(SelfTest, ThatFailsSaysWhyAndWhatItLogged) {
  EXPECT_EQ(Rehearsed(with("fail")).reason(),
            R"(its self test failed: NoModel: the \"model\" is missing\u000ainfo: looking {\"n\":1})");
  EXPECT_EQ(Rehearsed(with("status")).reason(), "its self test failed: it returned status 2 and set no error");
}

TEST_P(SelfTest, ThatCrashesIsToldBeforeItDiesSoThatTheHostCanLookIntoIt) {
  if (kThreadSanitizer) GTEST_SKIP() << "the signal is held back";
  Rehearsed zygote(with("crash"));
  EXPECT_EQ(member(zygote.refusal(), "reason"), "its self test crashed: SIGSEGV");
  const auto crash = zygote.next(Kind::kCrash);
  ASSERT_TRUE(crash);
  protocol::CrashReport report{};
  ASSERT_EQ(crash->raw.size(), sizeof report);
  crash->raw.copy(reinterpret_cast<char*>(&report), sizeof report);
  EXPECT_NE(report.pid, zygote.pid());
  EXPECT_FALSE(is_gone(report.pid));
  zygote.send(Kind::kResume, 0, 0);
  EXPECT_TRUE(zygote.wait());
  EXPECT_TRUE(is_gone(report.pid));
}

TEST_P(SelfTest, ThatExitsOrIsKilledIsRefused) {
  EXPECT_EQ(Rehearsed(with("exit")).reason(), "its self test ended its process with exit code 3 instead of returning");
  EXPECT_EQ(Rehearsed(with("kill")).reason(), "its self test was ended by SIGKILL");
}

TEST_P(SelfTest, ThatHangsIsEndedAfterItsTime) {
  EXPECT_EQ(Rehearsed(with("hang"), kShort).reason(), "its self test did not finish within 200 ms");
}

TEST_P(SelfTest, LeavesNoProcessBehind) {
  Rehearsed passes(with("leave"));
  const std::string warnings = member(passes.manifest(), "warnings");
  const auto at = warnings.find("its self test says: ");
  ASSERT_NE(at, std::string::npos) << warnings;
  const pid_t left = std::stoi(warnings.substr(at + 20));
  EXPECT_TRUE(is_gone(left));

  const std::string reason = Rehearsed(with("leave-and-hang"), kShort).reason();
  const auto line = reason.find("warn: ");
  ASSERT_NE(line, std::string::npos) << reason;
  EXPECT_TRUE(is_gone(std::stoi(reason.substr(line + 6))));
}

TEST(SelfTestLog, BecomesWarningsOfThePluginFromThatLevelOn) {
  EXPECT_EQ(member(Rehearsed("warn").manifest(), "warnings"), R"(["its self test says: the cache is cold {\"n\":1}"])");
}

TEST(SelfTestOfAZygote, IsExecutedOnlyWhenItIsAskedFor) {
  ZygoteProcess zygote(fixture("self_test"), {"PERDURE_FIXTURE=fail"});
  EXPECT_EQ(member(zygote.manifest(), "plugin"), "self-test");
}

TEST(SelfTestOfAZygote, IsNotMissedInAPluginWithoutOne) {
  ZygoteProcess zygote(fixture("behaviours"), {}, kEnough);
  EXPECT_EQ(member(zygote.manifest(), "plugin"), "behaviours");
}

TEST(SelfTestOfAZygote, EndsWithTheHost) {
  pid_t zygote_pid = 0;
  std::vector<pid_t> children;
  {
    Rehearsed zygote("hang");
    ASSERT_TRUE(zygote.next(Kind::kTesting));
    zygote_pid = zygote.pid();
    ASSERT_TRUE(eventually([&] { return !(children = children_of(zygote_pid)).empty(); }));
  }
  for (const pid_t child : children) EXPECT_TRUE(eventually([&] { return is_gone(child); }));
}

}  // namespace
}  // namespace perdure::zygote::test
