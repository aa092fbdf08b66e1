// What attempts find around them, whichever way their process was made: descriptors, environment, privileges and a
// directory for temporary files, which is gone afterwards however they end.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <set>

#include "tests/process/supervised.h"

namespace perdure::process::test {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using store::FailureKind;

// A directory of the test's own, below which everything can be removed.
class Scratch {
 public:
  Scratch() {
    if (mkdtemp(path_) == nullptr) ADD_FAILURE() << "no directory for the test";
    chmod(path_, 0711);
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string path() const { return path_; }
  [[nodiscard]] std::string temporary() const { return path() + "/tmp"; }

 private:
  char path_[32] = "/tmp/perdure-test.XXXXXX";
};

enum class Way : std::uint8_t { kSpare, kForked, kExecuted };

std::string name_of(const testing::TestParamInfo<Way>& each) {
  const char* const names[] = {"Spare", "Forked", "Executed"};
  return names[static_cast<std::size_t>(each.param)];
}

// Scratch first: it outlives the supervisor.
class Confined : protected Scratch, public Supervised {
 protected:
  explicit Confined(Way way, const std::function<void(SupervisorOptions&)>& adjust = {})
      : Supervised([&](SupervisorOptions& adjusted) {
          adjusted.temporary = temporary();
          adjusted.spares = way == Way::kSpare ? 2 : 0;
          adjusted.warn = [this](const std::string& message) { warnings_.push_back(message); };
          if (adjust) adjust(adjusted);
        }) {
    EXPECT_EQ(load(fixture(way == Way::kExecuted ? "confined_executed" : "confined")), "");
    EXPECT_EQ(manifest.isolation, way == Way::kExecuted ? "spawn" : "fork");
  }
  json::value output(const std::string& task, const std::string& payload = "null",
                     const std::function<void(AttemptSpec&)>& adjust = {}) {
    const Told& told = run(task, payload, adjust);
    EXPECT_FALSE(told.result.failure) << told.result.failure->message;
    return told.result.output.empty() ? json::value() : json::parse(told.result.output);
  }
  // Entries below the supervisor's directory that are no directories waiting for the next attempt.
  std::size_t left_behind() const {
    std::size_t count = 0;
    std::error_code ignored;
    for (const auto& zygote : fs::directory_iterator(temporary(), ignored)) {
      for (const auto& each : fs::directory_iterator(zygote.path(), ignored)) {
        const bool idle =
            zygote.path().filename() != "left" && each.is_directory() && fs::is_empty(each.path(), ignored);
        count += idle ? 0 : 1;
      }
    }
    return count;
  }
  void nothing_left() {
    until([this] { return left_behind() == 0; }, "what attempts left to be removed");
  }
  std::vector<std::string> warnings_;
};

class ConfinementTest : public testing::TestWithParam<Way>, public Confined {
 protected:
  ConfinementTest() : Confined(GetParam()) {}
};
INSTANTIATE_TEST_SUITE_P(EveryWay, ConfinementTest, testing::Values(Way::kSpare, Way::kForked, Way::kExecuted),
                         name_of);

TEST_P(ConfinementTest, AnAttemptHasItsThreeStreamsAndItsLinkOpenAndNothingElse) {
  for (int i = 0; i < 3; i++) EXPECT_EQ(output("descriptors"), json::parse("[0,1,2,3]"));
}

TEST_P(ConfinementTest, ItLeadsASessionDumpsNoCoreAndCannotGainPrivileges) {
  const json::value is = output("privileges");
  EXPECT_EQ(is.at("noNewPrivileges"), 1);
  EXPECT_EQ(is.at("leadsSession"), true);
  EXPECT_EQ(is.at("core"), 0);
  EXPECT_EQ(is.at("coreMost"), 0);
}

TEST_P(ConfinementTest, ItsTemporaryDirectoryIsEmptyAndItsOwn) {
  std::set<std::string> paths;
  std::vector<AttemptHandle> attempts;
  for (int i = 0; i < 8; i++) attempts.push_back(start("temporary"));
  for (const AttemptHandle each : attempts) {
    const std::string path = released(each).result.output;
    EXPECT_TRUE(path.starts_with('"' + temporary())) << path;
  }
  // Held at the same time, no two have the same.
  std::vector<AttemptHandle> staying;
  for (int i = 0; i < 4; i++) staying.push_back(start("leave_files", "\"stay\""));
  for (const AttemptHandle each : staying) logged(each);
  std::size_t filled = 0;
  for (const auto& zygote : fs::directory_iterator(temporary())) {
    for (const auto& each : fs::directory_iterator(zygote.path())) filled += fs::exists(each.path() / "file") ? 1 : 0;
  }
  EXPECT_EQ(filled, 4u);
  for (const AttemptHandle each : staying) kill(of(each).pid, SIGKILL);
  for (const AttemptHandle each : staying) released(each);
  nothing_left();
}

TEST_P(ConfinementTest, WhatAnAttemptLeavesThereIsRemovedHoweverItEnds) {
  for (const char* how : {"\"return\"", "\"crash\"", "\"return\""}) run("leave_files", how);
  for (int i = 0; i < 6; i++) EXPECT_TRUE(output("temporary").as_string().starts_with(temporary()));
  nothing_left();
  EXPECT_TRUE(warnings_.empty()) << warnings_.front();
  EXPECT_TRUE(fs::exists("/etc/passwd"));  // the link to / was not followed
}

TEST_P(ConfinementTest, ADirectoryThatWasMovedReplacedOrClosedIsNotGivenToAnother) {
  for (const char* how : {"\"hide\"", "\"replace\""}) run("leave_files", how);
  run("close_directory");
  for (int i = 0; i < 6; i++) EXPECT_TRUE(output("temporary").as_string().starts_with(temporary()));
}

TEST_P(ConfinementTest, AnAttemptInTheSameProcessFindsNothingOfTheOneBefore) {
  const auto recycled = [](AttemptSpec& spec) { spec.recycle_after = 100; };
  const Told& first = run("leave_files", "\"return\"", recycled);
  const std::int32_t pid = first.pid;
  const json::value again = output("temporary", "null", recycled);
  EXPECT_EQ(of(2).pid, pid);
  EXPECT_EQ(json::serialize(again), first.result.output);
  EXPECT_EQ(output("temporary", "null", recycled), again);
}

class AttemptEnvironment : public testing::Test, public Confined {
 protected:
  AttemptEnvironment()
      : Confined(Way::kSpare, [](SupervisorOptions& adjusted) {
          setenv("PERDURE_TEST_SECRET", "secret", 1);
          setenv("PERDURE_TEST_PASSED", "passed", 1);
          setenv("TMPDIR", "/nowhere", 1);
          adjusted.environment = {"PATH", "TMPDIR", "PERDURE_TEST_PASSED", "PERDURE_TEST_ABSENT"};
          adjusted.further_environment = {"HOME=/somewhere"};
        }) {}
  ~AttemptEnvironment() override {
    for (const char* name : {"PERDURE_TEST_SECRET", "PERDURE_TEST_PASSED", "TMPDIR"}) unsetenv(name);
  }
};

TEST_F(AttemptEnvironment, HoldsWhatIsNamedAndNothingElse) {
  const json::value has = output("environment");
  std::set<std::string> names;
  for (const auto& each : has.as_object()) names.insert(each.key());
  EXPECT_EQ(names, (std::set<std::string>{"HOME", "PATH", "PERDURE_TEST_PASSED", "TMPDIR"}));
  EXPECT_EQ(has.at("PERDURE_TEST_PASSED"), "passed");
  EXPECT_EQ(has.at("HOME"), "/somewhere");
  EXPECT_TRUE(has.at("TMPDIR").as_string().starts_with(temporary()));
}

TEST(TemporaryFilesTest, WhatAHostBeforeLeftIsRemovedByTheNext) {
  const Scratch scratch;
  fs::create_directories(scratch.temporary() + "/z7/3/d/e/f");
  fs::create_directories(scratch.temporary() + "/left/z6.1/d");
  std::ofstream(scratch.temporary() + "/left/z6.1/d/file") << "text";
  Supervised supervised([&](SupervisorOptions& adjusted) { adjusted.temporary = scratch.temporary(); });
  supervised.until(
      [&] { return fs::is_empty(scratch.temporary() + "/left") && !fs::exists(scratch.temporary() + "/z7"); },
      "an earlier host's files to be removed");
}

TEST(TemporaryFilesTest, AZygoteThatDiesLeavesNothing) {
  const Scratch scratch;
  Supervised supervised([&](SupervisorOptions& adjusted) { adjusted.temporary = scratch.temporary(); });
  ASSERT_EQ(supervised.load(fixture("confined")), "");
  const AttemptHandle attempt = supervised.start("leave_files", "\"stay\"");
  supervised.logged(attempt);
  ASSERT_TRUE(fs::exists(scratch.temporary() + "/z1"));
  kill(supervised.supervisor->zygote_pids(supervised.version).front(), SIGKILL);
  supervised.released(attempt);
  supervised.until(
      [&] { return fs::is_empty(scratch.temporary() + "/left") && !fs::exists(scratch.temporary() + "/z1"); },
      "the dead zygote's files to be removed");
}

TEST(TemporaryFilesTest, NothingIsLeftOnceTheSupervisorHasEnded) {
  const Scratch scratch;
  {
    Supervised supervised([&](SupervisorOptions& adjusted) { adjusted.temporary = scratch.temporary(); });
    ASSERT_EQ(supervised.load(fixture("confined")), "");
    const AttemptHandle attempt = supervised.start("leave_files", "\"stay\"");
    supervised.logged(attempt);
  }
  EXPECT_TRUE(fs::is_empty(scratch.temporary()));
}

TEST(CoreDumps, AreLeftToTheHostsLimitWhenAskedFor) {
  Supervised supervised([](SupervisorOptions& adjusted) { adjusted.core_dumps = true; });
  ASSERT_EQ(supervised.load(fixture("confined")), "");
  rlimit own{};
  getrlimit(RLIMIT_CORE, &own);
  const json::value is = json::parse(supervised.run("privileges").result.output);
  EXPECT_EQ(is.at("coreMost").to_number<rlim_t>(), own.rlim_max);
}

// The user that every Debian has for those who own nothing.
constexpr uid_t kNobody = 65534;

class OtherUser : public testing::TestWithParam<Way>, public Confined {
 protected:
  OtherUser()
      : Confined(GetParam(), [](SupervisorOptions& adjusted) {
          if (geteuid() == 0) adjusted.user = {kNobody, kNobody};
        }) {}
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can run attempts as another user";
  }
};
INSTANTIATE_TEST_SUITE_P(EveryWay, OtherUser, testing::Values(Way::kSpare, Way::kForked, Way::kExecuted), name_of);

TEST_P(OtherUser, IsWhomAttemptsRunAsForGood) {
  const json::value is = output("privileges");
  EXPECT_EQ(is.at("uid").to_number<uid_t>(), kNobody);
  EXPECT_EQ(is.at("gid").to_number<gid_t>(), kNobody);
  EXPECT_EQ(is.at("groups"), 0);
  EXPECT_EQ(is.at("canBecomeRoot"), false);
}

TEST_P(OtherUser, HasATemporaryDirectoryOfItsOwnWhichIsCleared) {
  EXPECT_TRUE(output("temporary").as_string().starts_with(temporary()));
  run("leave_files", "\"return\"");
  run("leave_files", "\"crash\"");
  EXPECT_TRUE(output("temporary").as_string().starts_with(temporary()));
  nothing_left();
}

TEST_P(OtherUser, EndsWithItsZygote) {
  const AttemptHandle staying = start("leave_files", "\"stay\"");
  logged(staying);
  kill(supervisor->zygote_pids(version).front(), SIGKILL);
  EXPECT_EQ(released(staying).kind(), FailureKind::kHostLost);
  until([&] { return !is_alive(of(staying).pid); }, "the attempt to end");
  nothing_left();
}

TEST_P(OtherUser, CanBeStoppedAndItsCrashIsSeen) {
  const AttemptHandle staying = start("leave_files", "\"stay\"");
  logged(staying);
  supervisor->stop(staying, StopReason::kShutdown);
  EXPECT_EQ(released(staying).kind(), FailureKind::kHostLost);
  EXPECT_FALSE(is_alive(of(staying).pid));
  EXPECT_EQ(run("leave_files", "\"crash\"").kind(), FailureKind::kCrashed);
}

}  // namespace
}  // namespace perdure::process::test
