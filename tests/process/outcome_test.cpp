// Attempts that reach an end of their own: what the engine is told, and in which order.
#include <gtest/gtest.h>
#include <signal.h>

#include "host/os/signal_name.h"
#include "tests/process/supervised.h"

namespace perdure::process::test {
namespace {

using store::FailureKind;

class OutcomeTest : public testing::Test, public Supervised {
 protected:
  OutcomeTest() { load_behaviours(); }
};

TEST_F(OutcomeTest, ASuccessfulAttemptGivesItsOutput) {
  const Told& told = run("echo", R"({"text":"hello"})");
  EXPECT_EQ(told.started, 1);
  EXPECT_GT(told.pid, 0);
  EXPECT_FALSE(told.result.failure);
  EXPECT_EQ(told.result.output, R"({"text":"hello"})");
}

TEST_F(OutcomeTest, ALargePayloadComesBackWhole) {
  const std::string payload = '"' + std::string(3'000'000, 'p') + '"';
  EXPECT_EQ(run("echo", payload).result.output, payload);
}

TEST_F(OutcomeTest, ATaskErrorCarriesItsNameMessageDetailsAndRetryTime) {
  const Told& told = run("fail");
  ASSERT_TRUE(told.result.failure);
  EXPECT_EQ(told.kind(), FailureKind::kTaskError);
  EXPECT_EQ(told.result.failure->name, "FixtureError");
  EXPECT_EQ(told.result.failure->message, "boom");
  EXPECT_EQ(told.result.failure->details, R"({"code":7})");
  EXPECT_EQ(told.result.retry_at, store::Time(std::chrono::milliseconds(1234567890123)));
}

TEST_F(OutcomeTest, AnAbortIsToldApartFromAnError) { EXPECT_EQ(run("forbid_retries").kind(), FailureKind::kAborted); }

TEST_F(OutcomeTest, MemoryThatRanOutIsToldApartFromAnError) {
  EXPECT_EQ(run("out_of_memory").kind(), FailureKind::kOutOfMemory);
}

TEST_F(OutcomeTest, ATaskThatCancelsItselfHasFailed) {
  const Told& told = run("end_as_cancelled");
  EXPECT_EQ(told.kind(), FailureKind::kTaskError);
  EXPECT_NE(told.result.failure->message.find("nobody had canceled it"), std::string::npos);
}

TEST_F(OutcomeTest, AnOutputOverTheLimitIsTooLarge) {
  const Told& told = run("large_result", "11000000");
  ASSERT_EQ(told.kind(), FailureKind::kOutputTooLarge);
  EXPECT_EQ(told.result.failure->details, R"({"size":11000000,"limit":10485760})");
  EXPECT_EQ(told.result.output, "");
}

TEST_F(OutcomeTest, AnOutputJustUnderTheLimitIsKept) {
  EXPECT_EQ(run("large_result", "10485760").result.output.size(), 10485760u);
}

struct BadOutput {
  const char* name;
  const char* task;
  const char* payload;
};
class BadOutputTest : public OutcomeTest, public testing::WithParamInterface<BadOutput> {};

TEST_P(BadOutputTest, IsInvalid) {
  const Told& told = run(GetParam().task, GetParam().payload);
  ASSERT_EQ(told.kind(), FailureKind::kOutputInvalid);
  EXPECT_NE(told.result.failure->message.find("output"), std::string::npos) << told.result.failure->message;
}

INSTANTIATE_TEST_SUITE_P(
    OutcomeTest, BadOutputTest,
    testing::Values(BadOutput{"Text", "raw_result", "\"hello\""}, BadOutput{"CutOff", "raw_result", "\"[1,2\""},
                    BadOutput{"TwoValues", "raw_result", "\"1 2\""},
                    BadOutput{"NotUtf8", "raw_result", "\"%22%ff%22\""},
                    BadOutput{"NotFinite", "raw_result", "\"1e400\""}, BadOutput{"NotANumber", "raw_result", "\"NaN\""},
                    BadOutput{"TooDeep", "deep_result", "129"}, BadOutput{"FarTooDeep", "deep_result", "1000000"}),
    [](const auto& each) { return each.param.name; });

TEST_F(OutcomeTest, AnOutputOf128LevelsIsKept) { EXPECT_FALSE(run("deep_result", "128").result.failure); }

TEST_F(OutcomeTest, AnExitWithoutResultNamesItsCode) {
  for (const char* task : {"leave", "leave_at_once"}) {
    for (const char* code : {"0", "3"}) {
      const Told& told = run(task, code);
      ASSERT_EQ(told.kind(), FailureKind::kExitedWithoutResult) << task << code;
      EXPECT_EQ(told.result.failure->details, std::string("{\"exit_code\":") + code + '}');
    }
  }
}

class SignalTest : public OutcomeTest, public testing::WithParamInterface<int> {};

TEST_P(SignalTest, IsACrashThatNamesIt) {
  const int signal = GetParam();
  const Told& told = run("raise_signal", std::to_string(signal));
  ASSERT_EQ(told.kind(), FailureKind::kCrashed);
  EXPECT_EQ(told.result.failure->name, os::signal_name(signal));
  EXPECT_NE(told.result.failure->message.find("was ended by " + os::signal_name(signal) + " ("), std::string::npos);
  EXPECT_NE(told.result.failure->details.find("{\"signal\":" + std::to_string(signal)), std::string::npos);
  EXPECT_GT(told.result.usage.peak_memory, 0u);
}

INSTANTIATE_TEST_SUITE_P(OutcomeTest, SignalTest,
                         testing::Values(SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGKILL,
                                         SIGUSR1, SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGXCPU, SIGXFSZ,
                                         SIGVTALRM, SIGPROF, SIGIO, SIGSYS, SIGRTMIN + 3),
                         [](const auto& each) { return "Signal" + std::to_string(each.param); });

TEST_F(OutcomeTest, ASegmentationFaultSaysWhere) {
  const Told& told = run("null_write");
  ASSERT_EQ(told.kind(), FailureKind::kCrashed);
  EXPECT_EQ(told.result.failure->message,
            "The attempt's process was ended by SIGSEGV (invalid memory access at address 0x0)");
}

TEST_F(OutcomeTest, AStackOverflowIsACrash) { EXPECT_EQ(run("overflow_stack").kind(), FailureKind::kCrashed); }

TEST_F(OutcomeTest, ACrashInAThreadIsTheAttempts) { EXPECT_EQ(run("crash_in_thread").result.failure->name, "SIGSEGV"); }

TEST_F(OutcomeTest, AnUnknownTaskIsToldWithoutAProcess) {
  const Told& told = run("no_such_task");
  EXPECT_EQ(told.started, 0);
  EXPECT_EQ(told.kind(), FailureKind::kHostLost);
}

TEST_F(OutcomeTest, AnUnknownVersionIsToldWithoutAProcess) {
  const Told& told = run("echo", "1", [](AttemptSpec& spec) { spec.version = store::VersionId("other"); });
  EXPECT_EQ(told.started, 0);
  EXPECT_EQ(told.kind(), FailureKind::kHostLost);
}

TEST_F(OutcomeTest, AChildStaysUntilItsResultIsConfirmed) {
  confirms = false;
  const AttemptHandle attempt = start("echo", "1");
  until([&] { return of(attempt).results == 1; }, "the result");
  until([n = 0]() mutable { return ++n > 3; }, "a few turns");
  EXPECT_TRUE(is_alive(of(attempt).pid));
  EXPECT_EQ(of(attempt).released, 0);
  supervisor->confirm(attempt);
  EXPECT_FALSE(is_alive(released(attempt).pid));
}

TEST_F(OutcomeTest, AChildThatDiesBeforeItsResultIsConfirmedChangesNothing) {
  confirms = false;
  const AttemptHandle attempt = start("echo", "1");
  until([&] { return of(attempt).results == 1; }, "the result");
  kill(of(attempt).pid, SIGKILL);
  EXPECT_FALSE(released(attempt).result.failure);
  supervisor->confirm(attempt);
  confirms = true;
  EXPECT_EQ(run("echo", "2").result.output, "2");
}

TEST_F(OutcomeTest, ManyAttemptsAtOnceAllEnd) {
  std::vector<AttemptHandle> attempts;
  for (int i = 0; i < 200; i++) attempts.push_back(start("echo", std::to_string(i)));
  for (int i = 0; i < 200; i++)
    EXPECT_EQ(released(attempts[static_cast<std::size_t>(i)]).result.output, std::to_string(i));
}

}  // namespace
}  // namespace perdure::process::test
