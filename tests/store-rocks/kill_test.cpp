// The host is killed with SIGKILL while it works on the store. What it was told is recorded must be there, and also
// what was only written, since the machine lives.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "tests/store-rocks/harness.h"
#include "tests/store-rocks/history_checker.h"

namespace perdure::store::rocks {
namespace {

constexpr int kFactsDescriptor = 9;

// One line a fact: "c <run>" created, "a <run>" claimed, "e <run>" ended.
void tell(int pipe, char what, const RunId& run) {
  const std::string line = std::string(1, what) + " " + run.text() + "\n";
  if (::write(pipe, line.data(), line.size()) < 0) ::_exit(3);
}

[[noreturn]] void be_killed(const std::string& directory, int pipe) {
  const std::unique_ptr<Store> store = open_or_die(options_for(directory));
  (void)recover(*store, kStart);
  for (Time now = kStart;; now += Duration(1)) {
    const NewRun run = new_run(now);
    if (enqueue(*store, run)) tell(pipe, 'c', run.id);
    for (const Claim& each : claim(*store, 1, now)) {
      tell(pipe, 'a', each.run.id);
      if (now.time_since_epoch().count() % 3 == 0) continue;  // executes for ever
      if (finish(*store, success_of(each, now))) tell(pipe, 'e', each.run.id);
    }
  }
}

// The child: this program again, so that it starts without the threads of this one. Ends by being killed.
TEST(Kill, DISABLED_Child) {
  const char* directory = std::getenv("PERDURE_TEST_DIRECTORY");
  ASSERT_NE(directory, nullptr) << "is started by the other tests";
  be_killed(directory, kFactsDescriptor);
}

pid_t start_child(const std::string& directory, int facts) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, facts, kFactsDescriptor);
  ::setenv("PERDURE_TEST_DIRECTORY", directory.c_str(), 1);
  std::string program = "/proc/self/exe", filter = "--gtest_filter=Kill.DISABLED_Child",
              disabled = "--gtest_also_run_disabled_tests";
  char* arguments[] = {program.data(), filter.data(), disabled.data(), nullptr};
  pid_t child = -1;
  EXPECT_EQ(::posix_spawn(&child, program.c_str(), &actions, nullptr, arguments, environ), 0);
  ::posix_spawn_file_actions_destroy(&actions);
  return child;
}

// Reads facts until `enough` lines came, then kills the child and reads the rest.
std::vector<std::string> kill_after(int enough, const std::string& directory) {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const pid_t child = start_child(directory, ends[1]);
  ::close(ends[1]);
  FILE* facts = ::fdopen(ends[0], "r");
  std::vector<std::string> lines;
  char line[128];
  while (std::fgets(line, sizeof line, facts) != nullptr) {
    lines.emplace_back(line);
    if (static_cast<int>(lines.size()) == enough) ::kill(child, SIGKILL);
  }
  std::fclose(facts);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the child ended by itself: " << status;
  return lines;
}

TEST(Kill, LosesNothingRecordedOrWritten) {
  const TempDirectory directory;
  HistoryChecker checker;
  for (int kill = 0; kill < 10; ++kill) {
    std::vector<RunId> executing;
    for (std::string line : kill_after(20 + 37 * kill, directory.path())) {
      if (line.back() != '\n') continue;  // torn by the kill
      line.pop_back();
      const RunId run(line.substr(2));
      if (line[0] == 'c') checker.note_created(run);
      if (line[0] == 'a') executing.push_back(run);
      if (line[0] == 'e') {
        std::erase(executing, run);
        checker.note_status(run, RunStatus::kCompleted);
      }
    }
    const std::unique_ptr<Store> store = open_or_die(options_for(directory.path()));
    for (const std::string& wrong : checker.check(*store)) ADD_FAILURE() << wrong;
    for (const RunId& run : executing) {
      const auto stored = store->run(run);
      ASSERT_TRUE(stored) << run.text();
      EXPECT_NE(stored->status, RunStatus::kQueued) << "its claim was answered, and is gone";
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(checker.created(), 50u);
}

TEST(Kill, RunsThatExecutedAreQueuedAgainByRecover) {
  const TempDirectory directory;
  (void)kill_after(60, directory.path());
  const std::unique_ptr<Store> store = open_or_die(options_for(directory.path()));
  const std::uint64_t executing = store->counts()[RunStatus::kExecuting];
  ASSERT_GT(executing, 0u);
  const Result<std::size_t> recovered = recover(*store, kStart + std::chrono::hours(1));
  ASSERT_TRUE(recovered);
  EXPECT_EQ(*recovered, executing);
  EXPECT_EQ(store->counts()[RunStatus::kExecuting], 0u);
}

}  // namespace
}  // namespace perdure::store::rocks
