// The stacks of an attempt that executes: read by a process of its own, and nothing of the attempt is changed by it.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "tests/process/supervised.h"

namespace perdure::process::test {
namespace {

using store::FailureKind;

class StacksTest : public testing::Test, public Supervised {
 protected:
  StacksTest()
      : Supervised([](SupervisorOptions& adjusted) { adjusted.backtrace_executable = PERDURE_TEST_BACKTRACE; }) {
    std::string name = (std::filesystem::temp_directory_path() / "perdure-stacks-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    directory = name;
    EXPECT_EQ(load(fixture("stacks")), "");
  }
  ~StacksTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
  }

  // An attempt that has come as far as it says.
  AttemptHandle begun(const std::string& task) {
    const AttemptHandle attempt = start(task, '"' + file() + '"');
    logged(attempt);
    return attempt;
  }
  [[nodiscard]] std::string file() const { return (directory / "end").string(); }
  void let_end() const { std::ofstream(file()) << ""; }

  store::Result<AttemptStacks> stacks(AttemptHandle attempt) {
    std::optional<store::Result<AttemptStacks>> answer;
    supervisor->stacks(attempt, [&answer](const store::Result<AttemptStacks>& told) { answer = told; });
    until([&] { return answer.has_value(); }, "the stacks");
    return answer ? *answer : store::Status::unavailable("no answer");
  }
  // … once a thread is in this function: an attempt is on its way there still when its log line is heard.
  store::Result<AttemptStacks> stacks_in(AttemptHandle attempt, const std::string& function) {
    auto told = stacks(attempt);
    for (int tries = 0; tries < 200 && told && told->text.find(function) == std::string::npos; ++tries) {
      told = stacks(attempt);
    }
    return told;
  }
  // The state of a process as the system has it: 'S', 'T', ...
  static char state(std::int32_t pid) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string text;
    std::getline(stat, text);
    const auto end = text.rfind(')');
    return end == std::string::npos ? '?' : text[end + 2];
  }

  std::filesystem::path directory;
};

void expect_in(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << part << " is not in\n" << text;
}

TEST_F(StacksTest, OfAllThreadsHaveTheirFunctionsAndLinesAndTheAttemptCompletes) {
  const AttemptHandle attempt = begun("wait_in_threads");
  const auto told = stacks_in(attempt, "await_file");
  ASSERT_TRUE(told) << told.status().message();
  EXPECT_EQ(told->pid, of(attempt).pid);
  expect_in(told->text, "thread " + std::to_string(told->pid) + " (");
  expect_in(told->text, "await_file(perdure_attempt const*) at stacks.cpp:");
  expect_in(told->text, "wait_in_threads(perdure_attempt const*) at stacks.cpp:");
  expect_in(told->text, "wait_for_condition() at stacks.cpp:");
  expect_in(told->text, "wait_in_poll(int) at stacks.cpp:");
  expect_in(told->text, "(bad \xef\xbf\xbd name):");
  expect_in(told->threads, "\"function\":");
  let_end();
  EXPECT_EQ(released(attempt).result.output, "0");
}

TEST_F(StacksTest, OfAnEndlessLoopSayWhereItLoops) {
  const AttemptHandle attempt = begun("loop");
  const auto told = stacks_in(attempt, "turn_in_circles");
  ASSERT_TRUE(told) << told.status().message();
  const std::string first = told->text.substr(told->text.find('\n') + 1);
  EXPECT_TRUE(first.starts_with("#0 ")) << told->text;
  expect_in(first.substr(0, first.find('\n')), "turn_in_circles() at stacks.cpp:");
}

TEST_F(StacksTest, TwentyTimesInARowHarmNothing) {
  const AttemptHandle attempt = begun("wait_in_threads");
  for (int i = 0; i < 20; i++) {
    const auto told = stacks(attempt);
    ASSERT_TRUE(told) << i << ": " << told.status().message();
    expect_in(told->text, "wait_in_poll(int)");
  }
  let_end();
  const Told& end = released(attempt);
  EXPECT_FALSE(end.result.failure.has_value());
  EXPECT_EQ(end.result.output, "0");
}

TEST_F(StacksTest, OfAStoppedProcessLeaveItStoppedUntilItIsLetGoOn) {
  const AttemptHandle attempt = begun("stop_itself");
  until([&] { return state(of(attempt).pid) == 'T'; }, "the stop");
  const auto told = stacks(attempt);
  ASSERT_TRUE(told) << told.status().message();
  expect_in(told->text, "stop_itself(perdure_attempt const*) at stacks.cpp:");
  until([&] { return state(of(attempt).pid) == 'T'; }, "it to be stopped still");
  let_end();
  kill(of(attempt).pid, SIGCONT);
  EXPECT_EQ(released(attempt).result.output, "\"went on\"");
}

TEST_F(StacksTest, OfAProcessThatDiesMeanwhileAreRefusedOrToldAndTheAttemptEnds) {
  for (int i = 0; i < 10; i++) {
    const AttemptHandle attempt = begun("loop");
    std::optional<store::Result<AttemptStacks>> answer;
    supervisor->stacks(attempt, [&answer](const store::Result<AttemptStacks>& told) { answer = told; });
    kill(of(attempt).pid, SIGKILL);
    EXPECT_EQ(released(attempt).kind(), FailureKind::kCrashed);
    until([&] { return answer.has_value(); }, "an answer");
    if (!*answer) {
      EXPECT_EQ(answer->status().code(), store::Code::kConflict) << answer->status().message();
    }
  }
}

TEST_F(StacksTest, OfAnAttemptThatHasEndedAreRefused) {
  EXPECT_EQ(stacks(4711).status().code(), store::Code::kConflict);
}

TEST_F(StacksTest, OfAProcessInADebuggerAreRefusedAndTheDebuggerIsNamed) {
  const AttemptHandle attempt = begun("loop");
  const std::int32_t pid = of(attempt).pid;
  if (ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) != 0) GTEST_SKIP() << "may not trace processes here";
  const auto told = stacks(attempt);
  EXPECT_EQ(told.status().code(), store::Code::kUnavailable);
  expect_in(told.status().message(),
            "looked at by another process already, such as a debugger: process " + std::to_string(::getpid()));
  ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr);
  int status = 0;
  waitpid(pid, &status, __WALL);
  ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
}

}  // namespace
}  // namespace perdure::process::test
