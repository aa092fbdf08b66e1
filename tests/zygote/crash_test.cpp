// A crash is reported by the dying process, which then waits to be looked at and dies of the true signal.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "tests/zygote/behaviour_tasks.h"
#include "tests/zygote/zygote_process.h"

namespace perdure::zygote::test {
namespace {

using protocol::CrashReport;
using protocol::Kind;

class Crash : public testing::Test {
 protected:
  Crash() : zygote_(fixture("behaviours")) { EXPECT_NE(zygote_.manifest(), ""); }

  // Starts the task, expects a report of `signal`, resumes, and expects the child to die of it.
  CrashReport expect_crash(std::uint32_t task, int signal, std::string_view payload = "null") {
    const Attempt attempt = zygote_.fork();
    EXPECT_TRUE(attempt.start(task, payload));
    const CrashReport report = report_of(attempt);
    EXPECT_EQ(report.signal, signal);
    EXPECT_EQ(report.pid, attempt.pid);
    attempt.resume();
    const auto exit = zygote_.exit_of(attempt.id);
    EXPECT_TRUE(exit);
    if (exit) {
      EXPECT_TRUE(WIFSIGNALED(exit->report.wait_status));
      EXPECT_EQ(WTERMSIG(exit->report.wait_status), signal);
    }
    return report;
  }
  static CrashReport report_of(const Attempt& attempt) {
    CrashReport report{};
    const auto frame = attempt.next(Kind::kCrash);
    EXPECT_TRUE(frame) << "no crash report";
    if (frame && frame->raw.size() == sizeof report) std::memcpy(&report, frame->raw.data(), sizeof report);
    return report;
  }

  ZygoteProcess zygote_;
};

TEST_F(Crash, OfEverySignalIsReportedAndIsTheWaitStatus) {
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) {
    SCOPED_TRACE(strsignal(signal));
    expect_crash(task::raise_signal, signal, std::to_string(signal));
  }
}

TEST_F(Crash, ByANullPointerTellsTheAddressAndTheContext) {
  const CrashReport report = expect_crash(task::null_write, SIGSEGV);
  EXPECT_EQ(report.address, 0u);
  EXPECT_EQ(report.code, SEGV_MAPERR);
  EXPECT_NE(report.context, 0u);
  EXPECT_EQ(report.tid, report.pid);
}

TEST_F(Crash, ByStackOverflowIsReported) { expect_crash(task::overflow_stack, SIGSEGV); }

TEST_F(Crash, ByStackOverflowInAThreadOfTheTaskIsReported) {
  if (kThreadSanitizer) GTEST_SKIP() << "threads have no signal stack of ours";
  const CrashReport report = expect_crash(task::overflow_thread_stack, SIGSEGV);
  EXPECT_NE(report.tid, report.pid);
}

TEST_F(Crash, ByTerminateIsAnAbort) { expect_crash(task::terminate, SIGABRT); }

TEST_F(Crash, WaitsToBeTracedUntilResumed) {
  const Attempt attempt = zygote_.fork();
  ASSERT_TRUE(attempt.start(task::null_write, "null"));
  const CrashReport report = report_of(attempt);
  // This process is no ancestor by fork of the attempt, so only the child's permission lets it in where that is
  // restricted.
  EXPECT_EQ(ptrace(PTRACE_SEIZE, report.tid, nullptr, nullptr), 0) << strerror(errno);
  EXPECT_EQ(ptrace(PTRACE_INTERRUPT, report.tid, nullptr, nullptr), 0);
  int status = 0;
  EXPECT_EQ(waitpid(report.tid, &status, __WALL), report.tid);
  EXPECT_TRUE(WIFSTOPPED(status));
  EXPECT_EQ(ptrace(PTRACE_DETACH, report.tid, nullptr, nullptr), 0);
  EXPECT_FALSE(zygote_.exit_of(attempt.id, std::chrono::milliseconds(50)));
  attempt.resume();
  EXPECT_TRUE(zygote_.exit_of(attempt.id));
}

TEST_F(Crash, DiesAtOnceWhenTheHostIsGone) {
  Attempt attempt = zygote_.fork();
  ASSERT_TRUE(attempt.start(task::null_write, "null"));
  report_of(attempt);
  attempt.link.reset();
  const auto exit = zygote_.exit_of(attempt.id, std::chrono::seconds(5));
  ASSERT_TRUE(exit);
  EXPECT_EQ(WTERMSIG(exit->report.wait_status), SIGSEGV);
}

TEST_F(Crash, OfAProcessTheTaskForkedIsNotTheAttempts) {
  const Attempt attempt = zygote_.fork();
  ASSERT_TRUE(attempt.start(task::child_crashes, "null"));
  auto frame = attempt.next_frame();
  if (frame && frame->kind == Kind::kUsage) frame = attempt.next_frame();  // when it took a moment
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->kind, Kind::kOutcome);
  EXPECT_EQ(frame->raw, "\"still here\"");
}

TEST_F(Crash, LeavesTheZygoteServing) {
  expect_crash(task::null_write, SIGSEGV);
  const Attempt attempt = zygote_.fork();
  ASSERT_TRUE(attempt.start(task::echo, "1"));
  EXPECT_TRUE(attempt.next(Kind::kOutcome));
}

}  // namespace
}  // namespace perdure::zygote::test
