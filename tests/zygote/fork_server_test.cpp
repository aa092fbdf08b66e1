// The zygote itself: starting children, spares, signals to whole trees, and leaving nobody behind.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "host/zygote/descendants.h"
#include "tests/zygote/behaviour_tasks.h"
#include "tests/zygote/zygote_process.h"

namespace perdure::zygote::test {
namespace {

using protocol::Kind;

class ForkServerTest : public testing::Test {
 protected:
  ForkServerTest() : zygote_(fixture("behaviours")) { EXPECT_NE(zygote_.manifest(), ""); }

  // An attempt of this task that has begun to execute.
  Attempt running(std::uint32_t task) {
    Attempt attempt = zygote_.fork();
    EXPECT_TRUE(attempt.start(task, "null"));
    EXPECT_TRUE(attempt.next(Kind::kLog));
    return attempt;
  }
  static bool alive(pid_t pid) { return kill(pid, 0) == 0; }
  // A value of the zygote's memory, in kilobytes.
  long memory(const std::string& what) const {
    std::ifstream in("/proc/" + std::to_string(zygote_.pid()) + "/smaps_rollup");
    std::string line;
    while (std::getline(in, line)) {
      if (line.starts_with(what + ":")) return std::stol(line.substr(what.size() + 1));
    }
    return -1;
  }

  ZygoteProcess zygote_;
};

TEST_F(ForkServerTest, HasLessThanThreeMegabytesOfItsOwnMemory) {
#if defined(PERDURE_SANITIZE_ADDRESS_UNDEFINED) || defined(PERDURE_SANITIZE_THREAD)
  GTEST_SKIP() << "sanitizers bring their own memory";
#endif
  const Attempt attempt = zygote_.fork();  // so that the loop has been through everything once
  ASSERT_GT(memory("Private_Dirty"), 0);
  EXPECT_LT(memory("Private_Dirty") + memory("Shared_Dirty"), 3 * 1024);
}

TEST_F(ForkServerTest, RunsManyAttemptsAtOnce) {
  std::vector<Attempt> attempts;
  for (int i = 0; i < 100; i++) attempts.push_back(zygote_.fork());
  for (int i = 0; i < 100; i++) attempts[static_cast<std::size_t>(i)].start(task::echo, std::to_string(i));
  for (int i = 0; i < 100; i++) {
    const auto outcome = attempts[static_cast<std::size_t>(i)].next(Kind::kOutcome);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->raw, std::to_string(i));
    attempts[static_cast<std::size_t>(i)].confirm();
  }
  for (const Attempt& attempt : attempts) EXPECT_TRUE(zygote_.exit_of(attempt.id));
  EXPECT_TRUE(children_of(zygote_.pid()).empty());
}

TEST_F(ForkServerTest, KeepsNoDescriptorOfItsChildren) {
  const auto count = [this] {
    return std::distance(std::filesystem::directory_iterator("/proc/" + std::to_string(zygote_.pid()) + "/fd"), {});
  };
  Attempt attempt = zygote_.fork();
  attempt.link.reset();
  ASSERT_TRUE(zygote_.exit_of(attempt.id));
  const auto before = count();
  const Attempt other = zygote_.fork();
  EXPECT_EQ(count(), before);
}

TEST_F(ForkServerTest, SaysWhyAChildCouldNotBeStarted) {
  const int fds[] = {0, 1};
  zygote_.send_fork(77, fds, 2);
  const auto failed = zygote_.next(Kind::kForkFailed);
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->id, 77u);
  EXPECT_EQ(member(failed->json, "error"), "no process could be started: Invalid argument");
}

TEST_F(ForkServerTest, ReportsWhatAChildUsed) {
  const Attempt attempt = zygote_.fork();
  attempt.start(task::large_result, "9000000");
  ASSERT_TRUE(attempt.next(Kind::kOutcome));
  attempt.confirm();
  const auto exit = zygote_.exit_of(attempt.id);
  ASSERT_TRUE(exit);
  EXPECT_GT(exit->report.usage.cpu_microseconds, 100u);
  EXPECT_GT(exit->report.usage.peak_memory, 9'000'000u);
}

TEST_F(ForkServerTest, KeepsSparesForkedAheadAndReplacesThem) {
  zygote_.send(Kind::kSpares, 0, 2);
  const Attempt first = zygote_.next_spare();
  const Attempt second = zygote_.next_spare();
  ASSERT_GT(first.pid, 0);
  ASSERT_GT(second.pid, 0);
  EXPECT_NE(first.id, second.id);
  EXPECT_NE(first.id >> 63, 0u);
  ASSERT_TRUE(first.start(task::echo, "5"));
  zygote_.send(Kind::kTaken, first.id, 0);
  const Attempt third = zygote_.next_spare();  // before the first has ended
  ASSERT_GT(third.pid, 0);
  const auto outcome = first.next(Kind::kOutcome);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->raw, "5");
  first.confirm();
  EXPECT_TRUE(zygote_.exit_of(first.id));
  EXPECT_FALSE(zygote_.next(Kind::kSpare, std::chrono::milliseconds(100)));
  kill(second.pid, SIGKILL);
  EXPECT_TRUE(zygote_.exit_of(second.id));
  EXPECT_GT(zygote_.next_spare().pid, 0);
}

TEST_F(ForkServerTest, ReplacesASpareAtItsExitWhenNobodySaidItWasTaken) {
  zygote_.send(Kind::kSpares, 0, 1);
  const Attempt first = zygote_.next_spare();
  ASSERT_TRUE(first.start(task::echo, "5"));
  ASSERT_TRUE(first.next(Kind::kOutcome));
  first.confirm();
  EXPECT_GT(zygote_.next_spare().pid, 0);
}

TEST_F(ForkServerTest, CapturesTheOutputOfASpare) {
  zygote_.send(Kind::kSpares, 0, 1);
  const Attempt spare = zygote_.next_spare();
  ASSERT_TRUE(spare.start(task::print, "null"));
  ASSERT_TRUE(spare.next(Kind::kOutcome));
  spare.confirm();
  EXPECT_EQ(spare.read_output(), "to stdout");
}

TEST_F(ForkServerTest, PassesSignalsOn) {
  const Attempt attempt = running(task::sleep_forever);
  zygote_.send(Kind::kSignal, attempt.id, SIGTERM);
  const auto exit = zygote_.exit_of(attempt.id);
  ASSERT_TRUE(exit);
  EXPECT_EQ(WTERMSIG(exit->report.wait_status), SIGTERM);
}

TEST_F(ForkServerTest, KillsWhatIgnoresATerminate) {
  const Attempt attempt = running(task::ignore_sigterm);
  zygote_.send(Kind::kSignal, attempt.id, SIGTERM);
  EXPECT_FALSE(zygote_.exit_of(attempt.id, std::chrono::milliseconds(100)));
  zygote_.send(Kind::kSignal, attempt.id, SIGKILL);
  const auto exit = zygote_.exit_of(attempt.id);
  ASSERT_TRUE(exit);
  EXPECT_EQ(WTERMSIG(exit->report.wait_status), SIGKILL);
}

TEST_F(ForkServerTest, WakesAStoppedAttemptToTerminateIt) {
  const Attempt attempt = running(task::stop_itself);
  zygote_.send(Kind::kSignal, attempt.id, SIGTERM);
  const auto exit = zygote_.exit_of(attempt.id);
  ASSERT_TRUE(exit);
  EXPECT_EQ(WTERMSIG(exit->report.wait_status), SIGTERM);
}

TEST_F(ForkServerTest, TellsAnExitOnlyWhenNoDescendantIsLeft) {
  const Attempt attempt = zygote_.fork();
  ASSERT_TRUE(attempt.start(task::daemonize, "null"));
  const auto outcome = attempt.next(Kind::kOutcome);
  ASSERT_TRUE(outcome);
  const auto daemon = static_cast<pid_t>(std::stol(std::string(outcome->raw)));
  EXPECT_TRUE(alive(daemon));
  attempt.confirm();
  ASSERT_TRUE(zygote_.exit_of(attempt.id));
  EXPECT_FALSE(alive(daemon));
}

TEST_F(ForkServerTest, TellsAnExitAfterAWhileThoughADescendantCannotEnd) {
  const Attempt attempt = running(task::daemonize_and_stay);
  const std::vector<pid_t> tree = tree_of(attempt.pid);
  ASSERT_GE(tree.size(), 2u);
  // A traced process stays, dead, until its tracer has heard of it.
  if (ptrace(PTRACE_SEIZE, tree.back(), nullptr, nullptr) != 0) GTEST_SKIP() << "tracing is not permitted here";
  zygote_.send(Kind::kSignal, attempt.id, SIGKILL);
  EXPECT_FALSE(zygote_.exit_of(attempt.id, std::chrono::milliseconds(500)));
  EXPECT_TRUE(zygote_.exit_of(attempt.id));
  EXPECT_EQ(waitpid(tree.back(), nullptr, __WALL), tree.back());
}

TEST_F(ForkServerTest, SignalsDaemonsThatAnAttemptStarted) {
  const Attempt attempt = running(task::daemonize_and_stay);
  const std::vector<pid_t> tree = tree_of(attempt.pid);
  ASSERT_GE(tree.size(), 2u);
  zygote_.send(Kind::kSignal, attempt.id, SIGTERM);
  ASSERT_TRUE(zygote_.exit_of(attempt.id));
  for (const pid_t pid : tree) EXPECT_FALSE(alive(pid));
}

TEST_F(ForkServerTest, LeavesAnotherAttemptsDescendantsAlone) {
  const Attempt other = running(task::daemonize_and_stay);
  const std::vector<pid_t> tree = tree_of(other.pid);
  ASSERT_GE(tree.size(), 2u);
  const Attempt attempt = running(task::sleep_forever);
  zygote_.send(Kind::kSignal, attempt.id, SIGKILL);
  ASSERT_TRUE(zygote_.exit_of(attempt.id));
  for (const pid_t pid : tree) EXPECT_TRUE(alive(pid));
}

TEST_F(ForkServerTest, TakesEverybodyAlongWhenTheHostIsGone) {
  const Attempt attempt = running(task::daemonize_and_stay);
  const std::vector<pid_t> tree = tree_of(attempt.pid);
  zygote_.hang_up();
  EXPECT_EQ(zygote_.wait(), std::optional<int>(0));
  for (const pid_t pid : tree) EXPECT_FALSE(alive(pid));
}

TEST_F(ForkServerTest, TakesEverybodyAlongWhenToldToQuit) {
  const Attempt attempt = running(task::ignore_sigterm);
  zygote_.send(Kind::kQuit, 0, 0);
  EXPECT_EQ(zygote_.wait(), std::optional<int>(0));
  EXPECT_FALSE(alive(attempt.pid));
}

TEST_F(ForkServerTest, IsNotEndedByWhatATaskSendsIt) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGALRM, SIGPIPE}) kill(zygote_.pid(), signal);
  const Attempt attempt = zygote_.fork();
  EXPECT_GT(attempt.pid, 0);
}

TEST_F(ForkServerTest, LeavesWhenTheHostTalksNonsense) {
  ASSERT_GT(::send(zygote_.control(), "nonsense", 8, 0), 0);
  EXPECT_TRUE(zygote_.wait());
}

TEST_F(ForkServerTest, IgnoresFramesOfALaterProtocol) {
  zygote_.send(static_cast<Kind>(9999), 1, 2);
  zygote_.send(Kind::kSignal, 4711, SIGKILL);  // nobody has this id
  EXPECT_GT(zygote_.fork().pid, 0);
}

}  // namespace
}  // namespace perdure::zygote::test
