// The backtrace of a crash: taken while the child waits in its handler, by a process of its own.
#include <gtest/gtest.h>

#include "tests/process/supervised.h"

namespace perdure::process::test {
namespace {

using std::chrono::milliseconds;
using store::FailureKind;

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

class BacktraceTest : public testing::Test, public Supervised {
 protected:
  explicit BacktraceTest(const char* reader = PERDURE_TEST_BACKTRACE)
      : Supervised([reader](SupervisorOptions& adjusted) {
          adjusted.backtrace_executable = reader;
          adjusted.backtrace_timeout = milliseconds(3000);
        }) {
    load_behaviours();
  }
};

TEST_F(BacktraceTest, BeginsWithTheFunctionAndLineThatCrashed) {
  const Told& told = run("null_write");
  ASSERT_EQ(told.kind(), FailureKind::kCrashed);
  const std::string& stack = told.result.failure->stack;
  EXPECT_NE(first_line(stack).find("#0 "), std::string::npos) << stack;
  EXPECT_NE(first_line(stack).find("write_to_null(int) at behaviours.cpp:"), std::string::npos) << stack;
  EXPECT_NE(stack.find("#1 "), std::string::npos) << stack;
  EXPECT_NE(stack.find("null_write(perdure_attempt const*) at behaviours.cpp:"), std::string::npos) << stack;
}

TEST_F(BacktraceTest, NamesTheTaskThatAborted) {
  const std::string stack = run("raise_signal", "6").result.failure->stack;
  EXPECT_NE(stack.find("raise_signal(perdure_attempt const*) at behaviours.cpp:"), std::string::npos) << stack;
}

TEST_F(BacktraceTest, ShowsAStackOverflowShortened) {
  const Told& told = run("overflow_stack");
  ASSERT_EQ(told.kind(), FailureKind::kCrashed);
  const std::string& stack = told.result.failure->stack;
  EXPECT_NE(first_line(stack).find("descend(int)"), std::string::npos) << stack;
  EXPECT_NE(stack.find("more frames, so this may be an endless recursion"), std::string::npos) << stack;
  EXPECT_LT(stack.size(), 10'000u);
}

TEST_F(BacktraceTest, ShowsTheCrashedThreadAndTheOthersBriefly) {
  const std::string stack = run("crash_in_thread").result.failure->stack;
  EXPECT_NE(first_line(stack).find("write_to_null(int)"), std::string::npos) << stack;
  EXPECT_NE(stack.find("beside the crashed"), std::string::npos) << stack;
}

TEST_F(BacktraceTest, ManyCrashesAtOnceAllEnd) {
  std::vector<AttemptHandle> attempts;
  for (int i = 0; i < 12; i++) attempts.push_back(start("null_write"));
  for (const AttemptHandle each : attempts) EXPECT_EQ(released(each).kind(), FailureKind::kCrashed);
}

TEST_F(BacktraceTest, ACrashingAttemptCanBeCanceled) {
  const AttemptHandle attempt = start("null_write");
  until([&] { return of(attempt).started == 1; }, "the start");
  supervisor->stop(attempt, StopReason::kCanceled);
  EXPECT_EQ(released(attempt).kind(), FailureKind::kCanceled);
}

class NoReaderTest : public BacktraceTest {
 protected:
  NoReaderTest() : BacktraceTest("/nowhere/perdure") {}
};
TEST_F(NoReaderTest, WithoutABacktraceTheCrashIsToldAllTheSame) {
  const Told& told = run("null_write");
  ASSERT_EQ(told.kind(), FailureKind::kCrashed);
  EXPECT_EQ(told.result.failure->name, "SIGSEGV");
  EXPECT_EQ(told.result.failure->stack, "");
}

// `yes` talks without end.
class UselessReaderTest : public BacktraceTest {
 protected:
  UselessReaderTest() : BacktraceTest("/usr/bin/yes") {}
};
TEST_F(UselessReaderTest, AReaderWithoutEndIsKilled) {
  const Told& told = run("null_write");
  ASSERT_EQ(told.kind(), FailureKind::kCrashed);
  EXPECT_EQ(told.result.failure->stack, "");
}

}  // namespace
}  // namespace perdure::process::test
