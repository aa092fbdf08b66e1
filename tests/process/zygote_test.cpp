// Loading plugins, zygotes that die, and children that are kept: spares and recycled ones.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <vector>

#include "host/os/process.h"
#include "host/os/process_tree.h"
#include "tests/process/supervised.h"

namespace perdure::process::test {
namespace {

using std::chrono::milliseconds;
using store::FailureKind;

class ZygoteTest : public testing::Test, public Supervised {
 protected:
  ZygoteTest() { load_behaviours(); }
  std::int32_t zygote() const {
    const auto pids = supervisor->zygote_pids(version);
    return pids.empty() ? 0 : pids.front();
  }
};

TEST_F(ZygoteTest, TheManifestIsKeptToTheLetter) {
  EXPECT_EQ(manifest.plugin, "behaviours");
  EXPECT_EQ(manifest.version, "1.2.3");
  EXPECT_EQ(manifest.isolation, "fork");
  ASSERT_FALSE(manifest.tasks.empty());
  EXPECT_EQ(manifest.tasks.front().id, "echo");
  EXPECT_EQ(manifest.tasks.front().options, R"({"retry": {"factor": 1.80}})");
}

TEST_F(ZygoteTest, AVersionIsNotLoadedTwice) {
  EXPECT_NE(load(fixture("behaviours")).find("loaded already"), std::string::npos);
}

TEST_F(ZygoteTest, ItsAttemptsAreLostWithIt) {
  const AttemptHandle attempt = start("daemonize_and_stay");
  logged(attempt);
  kill(zygote(), SIGKILL);
  const Told& told = released(attempt);
  ASSERT_EQ(told.kind(), FailureKind::kHostLost);
  EXPECT_NE(told.result.failure->message.find("SIGKILL"), std::string::npos);
  until([&] { return !is_alive(told.pid) && !is_alive(std::stoi(told.line(0))); }, "attempt and daemon to be gone");
}

TEST_F(ZygoteTest, NothingOfItsAttemptsIsLeftNotEvenTheDead) {
  // One that executes another program, one that is dead, and many that fork on.
  const AttemptHandle other = start("execute_and_stay");
  logged(other);
  const AttemptHandle bomb = start("fork_on");
  logged(bomb);
  const AttemptHandle dead = start("leave_a_zombie");
  logged(dead);
  kill(zygote(), SIGKILL);
  for (const AttemptHandle each : {other, bomb, dead}) EXPECT_EQ(released(each).kind(), FailureKind::kHostLost);
  until(
      [] {
        const std::vector<pid_t> children = os::children_of(getpid());
        return std::ranges::all_of(children, os::is_spawned);
      },
      "every process that was not started here to be gone");
}

TEST_F(ZygoteTest, AnotherTakesItsPlace) {
  const std::int32_t first = zygote();
  kill(first, SIGKILL);
  until([&] { return zygote() != first; }, "the dead zygote to be noticed");
  EXPECT_EQ(run("echo", "1").result.output, "1");
  EXPECT_NE(zygote(), first);
}

TEST_F(ZygoteTest, ItsDeathIsToldInASentenceUnlessItWasAskedToLeave) {
  std::vector<std::string> warnings;
  options.warn = [&](const std::string& message) { warnings.push_back(message); };
  supervisor = std::make_unique<Supervisor>(io, options);
  load_behaviours();
  kill(zygote(), SIGKILL);
  until([&] { return !warnings.empty(); }, "a warning");
  EXPECT_EQ(warnings[0], "the zygote of behaviours.so died: the plugin's process was ended by SIGKILL");
  EXPECT_EQ(run("echo", "1").result.output, "1");
  const std::int32_t next = zygote();
  supervisor->unload(version);
  until([&] { return !is_alive(next); }, "the zygote to leave");
  EXPECT_EQ(warnings.size(), 1u);
}

TEST_F(ZygoteTest, StartsWaitForTheNextOne) {
  kill(zygote(), SIGKILL);
  std::vector<AttemptHandle> attempts;
  for (int i = 0; i < 10; i++) attempts.push_back(start("echo", std::to_string(i)));
  int done = 0;
  for (const AttemptHandle each : attempts) done += released(each).result.failure ? 0 : 1;
  EXPECT_GE(done, 8);  // up to two had been given to spares, which died with it
}

TEST_F(ZygoteTest, ATaskThatKillsItHurtsItsOwnPluginOnly) {
  const Told& told = run("kill_parent");
  EXPECT_EQ(told.kind(), FailureKind::kHostLost);
  EXPECT_EQ(run("echo", "1").result.output, "1");
}

TEST_F(ZygoteTest, AStoppedOneIsReplaced) {
  options.leave_grace = milliseconds(200);
  options.start_timeout = milliseconds(1000);
  supervisor = std::make_unique<Supervisor>(io, options);
  load_behaviours();
  const std::int32_t first = zygote();
  const AttemptHandle attempt = start("sleep_forever");
  logged(attempt);
  kill(first, SIGSTOP);
  supervisor->stop(attempt, StopReason::kShutdown);
  EXPECT_EQ(released(attempt).kind(), FailureKind::kHostLost);
  EXPECT_EQ(run("echo", "1").result.output, "1");
  EXPECT_NE(zygote(), first);
}

TEST_F(ZygoteTest, ASlowOneKeepsItsAttempts) {
  options.spares = 0;
  options.start_timeout = milliseconds(500);
  supervisor = std::make_unique<Supervisor>(io, options);
  ASSERT_EQ(load(fixture("slow_fork")), "");
  const std::int32_t first = zygote();
  std::vector<AttemptHandle> attempts;
  for (int i = 0; i < 10; i++) attempts.push_back(start("wait"));  // the last is forked after three times that
  for (const AttemptHandle each : attempts) logged(each);
  EXPECT_EQ(zygote(), first);
  for (const AttemptHandle each : attempts) supervisor->stop(each, StopReason::kCanceled);
  for (const AttemptHandle each : attempts) EXPECT_EQ(released(each).result.output, "\"done\"");
}

TEST_F(ZygoteTest, OneThatNoLongerForksIsReplaced) {
  options.spares = 0;
  options.start_timeout = milliseconds(500);
  supervisor = std::make_unique<Supervisor>(io, options);
  load_behaviours();
  const std::int32_t first = zygote();
  kill(first, SIGSTOP);
  EXPECT_EQ(run("echo", "1").kind(), FailureKind::kHostLost);
  EXPECT_EQ(run("echo", "1").result.output, "1");
  EXPECT_NE(zygote(), first);
}

TEST_F(ZygoteTest, AnUnloadedVersionEndsWhenItsAttemptsHave) {
  const std::int32_t pid = zygote();
  const AttemptHandle attempt = start("succeed_when_cancelled");
  logged(attempt);
  supervisor->unload(version);
  EXPECT_EQ(run("echo", "1").kind(), FailureKind::kHostLost);
  EXPECT_TRUE(is_alive(pid));
  supervisor->stop(attempt, StopReason::kCanceled);
  EXPECT_EQ(released(attempt).result.output, "\"made it\"");
  until([&] { return !is_alive(pid); }, "the zygote to leave");
}

TEST_F(ZygoteTest, AnUnloadedVersionCanBeLoadedAgain) {
  supervisor->unload(version);
  load_behaviours();
  EXPECT_EQ(run("echo", "1").result.output, "1");
}

TEST_F(ZygoteTest, EveryAttemptHasAProcessOfItsOwn) {
  std::set<std::int32_t> pids;
  for (int i = 0; i < 10; i++) {
    const Told& told = run("count");
    EXPECT_EQ(told.result.output, "1");
    pids.insert(told.pid);
  }
  EXPECT_EQ(pids.size(), 10u);
}

TEST_F(ZygoteTest, ARecycledChildServesAsManyAttemptsAsItMay) {
  const auto recycling = [](AttemptSpec& spec) { spec.recycle_after = 3; };
  std::string outputs;
  for (int i = 0; i < 7; i++) outputs += run("count", "null", recycling).result.output;
  EXPECT_EQ(outputs, "1231231");
}

TEST_F(ZygoteTest, ARecycledChildServesOnlyThoseThatAcceptOne) {
  EXPECT_EQ(run("count", "null", [](AttemptSpec& spec) { spec.recycle_after = 3; }).result.output, "1");
  EXPECT_EQ(run("count").result.output, "1");
}

TEST_F(ZygoteTest, AnErrorDoesNotEndARecycledChild) {
  const auto recycling = [](AttemptSpec& spec) { spec.recycle_after = 10; };
  EXPECT_EQ(run("count_and_fail", "null", recycling).kind(), FailureKind::kTaskError);
  EXPECT_EQ(run("count", "null", recycling).result.output, "2");
}

TEST_F(ZygoteTest, ACrashedChildServesNoOther) {
  const auto recycling = [](AttemptSpec& spec) { spec.recycle_after = 10; };
  EXPECT_EQ(run("count", "null", recycling).result.output, "1");
  EXPECT_EQ(run("null_write", "null", recycling).kind(), FailureKind::kCrashed);
  EXPECT_EQ(run("count", "null", recycling).result.output, "1");
}

TEST_F(ZygoteTest, ARecycledChildThatDiesIdleIsForgotten) {
  const auto recycling = [](AttemptSpec& spec) { spec.recycle_after = 10; };
  const std::int32_t pid = run("count", "null", recycling).pid;
  kill(pid, SIGKILL);
  until([&] { return !is_alive(pid); }, "the child to die");
  EXPECT_EQ(run("count", "null", recycling).result.output, "1");
}

TEST_F(ZygoteTest, ARecycledChildThatNobodyUsesLeaves) {
  options.recycled_idle = milliseconds(50);
  supervisor = std::make_unique<Supervisor>(io, options);
  load_behaviours();
  const std::int32_t pid = run("count", "null", [](AttemptSpec& spec) { spec.recycle_after = 10; }).pid;
  until([&] { return !is_alive(pid); }, "the child to leave");
}

class SpareTest : public testing::Test, public Supervised {
 protected:
  SpareTest() : Supervised([](SupervisorOptions& adjusted) { adjusted.spares = 0; }) { load_behaviours(); }
};

TEST_F(SpareTest, WithoutSparesEveryChildIsForkedOnRequest) {
  for (int i = 0; i < 5; i++) EXPECT_EQ(run("echo", "1").result.output, "1");
}

TEST_F(SpareTest, AnAttemptCanceledBeforeItIsBornIsCanceled) {
  const AttemptHandle attempt = start("sleep_forever");
  supervisor->stop(attempt, StopReason::kShutdown);
  EXPECT_EQ(released(attempt).kind(), FailureKind::kHostLost);
  EXPECT_EQ(run("echo", "1").result.output, "1");
}

class LoadTest : public testing::Test, public Supervised {};

TEST_F(LoadTest, AMissingFileIsRefused) { EXPECT_NE(load("/nowhere/plugin.so"), ""); }

TEST_F(LoadTest, AMissingZygoteIsSaid) {
  options.zygote_executable = "/nowhere/perdure-zygote";
  supervisor = std::make_unique<Supervisor>(io, options);
  EXPECT_NE(load(fixture("behaviours")).find("/nowhere/perdure-zygote: No such file"), std::string::npos);
}

TEST(SupervisorEnd, TakesEveryProcessAlong) {
  std::int32_t zygote = 0, child = 0, daemon = 0;
  {
    Supervised supervised;
    supervised.load_behaviours();
    zygote = supervised.supervisor->zygote_pids(supervised.version).front();
    const AttemptHandle attempt = supervised.start("daemonize_and_stay");
    supervised.logged(attempt);
    child = supervised.of(attempt).pid;
    daemon = std::stoi(supervised.of(attempt).line(0));
    EXPECT_TRUE(is_alive(daemon));
  }
  EXPECT_FALSE(is_alive(zygote));
  EXPECT_FALSE(is_alive(child));
  EXPECT_FALSE(is_alive(daemon));
}

TEST(Descriptors, AreFlatOverManyAttempts) {
  Supervised supervised;
  supervised.load_behaviours();
  const auto rounds = [&](int count) {
    for (int round = 0; round < count; round++) {
      std::vector<AttemptHandle> attempts;
      for (int i = 0; i < 8; i++) {
        attempts.push_back(supervised.start(i == 7 ? "leave" : "echo", "1",
                                            [&](AttemptSpec& spec) { spec.recycle_after = i % 4 == 0 ? 5 : 1; }));
      }
      for (const AttemptHandle each : attempts) supervised.released(each);
    }
  };
  rounds(20);
  const std::size_t before = descriptor_count();
  rounds(100);
  // Spares and recycled children wait with three each.
  EXPECT_LE(descriptor_count(), before + std::size_t{3} * 6);
}

}  // namespace
}  // namespace perdure::process::test
