// Attempts that are ended: canceled, timed out, stalled. And what they leave behind, which is nothing.
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/process/supervised.h"

namespace perdure::process::test {
namespace {

using std::chrono::milliseconds;
using store::FailureKind;

void be_quick(SupervisorOptions& options) {
  options.cancel_grace = milliseconds(100);
  options.timeout_grace = milliseconds(100);
  options.term_grace = milliseconds(100);
  options.heartbeat_interval = milliseconds(50);
}

class EndingTest : public testing::Test, public Supervised {
 protected:
  EndingTest() : Supervised(be_quick) { load_behaviours(); }

  static void for_200_ms(AttemptSpec& spec) { spec.max_duration = store::Duration(200); }
};

TEST_F(EndingTest, ACanceledAttemptThatListensEndsByItself) {
  options.cancel_grace = kPatience;
  supervisor = std::make_unique<Supervisor>(io, options);
  load_behaviours();
  const AttemptHandle attempt = start("until_cancelled");
  logged(attempt);
  supervisor->stop(attempt, StopReason::kCanceled);
  const Told& told = released(attempt);
  ASSERT_EQ(told.kind(), FailureKind::kCanceled);
  EXPECT_LT(told.result.usage.duration, kPatience);
}

TEST_F(EndingTest, ACanceledAttemptThatStillSucceedsHasSucceeded) {
  const AttemptHandle attempt = start("succeed_when_cancelled");
  logged(attempt);
  supervisor->stop(attempt, StopReason::kCanceled);
  EXPECT_EQ(released(attempt).result.output, "\"made it\"");
}

TEST_F(EndingTest, ACanceledAttemptThatDoesNotListenIsTerminated) {
  const AttemptHandle attempt = start("sleep_forever");
  logged(attempt);
  supervisor->stop(attempt, StopReason::kCanceled);
  EXPECT_EQ(released(attempt).kind(), FailureKind::kCanceled);
}

TEST_F(EndingTest, AnAttemptThatIgnoresSigtermIsKilled) {
  const AttemptHandle attempt = start("ignore_sigterm");
  logged(attempt);
  supervisor->stop(attempt, StopReason::kCanceled);
  const Told& told = released(attempt);
  EXPECT_EQ(told.kind(), FailureKind::kCanceled);
  EXPECT_FALSE(is_alive(told.pid));
}

TEST_F(EndingTest, AStoppedProcessIsCanceledToo) {
  const AttemptHandle attempt = start("stop_itself");
  logged(attempt);
  supervisor->stop(attempt, StopReason::kCanceled);
  EXPECT_EQ(released(attempt).kind(), FailureKind::kCanceled);
}

TEST_F(EndingTest, AnAttemptCanceledAtOnceIsCanceled) {
  const AttemptHandle attempt = start("sleep_forever");
  supervisor->stop(attempt, StopReason::kCanceled);
  EXPECT_EQ(released(attempt).kind(), FailureKind::kCanceled);
}

TEST_F(EndingTest, AnAttemptOverItsMaximumDurationIsTimedOut) {
  const Told& told = run("sleep_forever", "null", for_200_ms);
  ASSERT_EQ(told.kind(), FailureKind::kMaxDurationExceeded);
  EXPECT_EQ(told.result.failure->message, "The attempt took longer than its maximum duration of 0.2 s and was ended");
  EXPECT_GE(told.result.usage.duration, milliseconds(200));
}

TEST_F(EndingTest, AResultAfterTheMaximumDurationDoesNotCount) {
  EXPECT_EQ(run("succeed_when_cancelled", "null", for_200_ms).kind(), FailureKind::kMaxDurationExceeded);
}

TEST_F(EndingTest, AShutdownLosesTheAttemptForTheHost) {
  const AttemptHandle attempt = start("sleep_forever");
  logged(attempt);
  supervisor->stop(attempt, StopReason::kShutdown);
  EXPECT_EQ(released(attempt).kind(), FailureKind::kHostLost);
}

TEST_F(EndingTest, ADaemonDiesWithAnAttemptThatReturned) {
  const Told& told = run("daemonize_and_return");
  EXPECT_FALSE(told.result.failure);
  EXPECT_FALSE(is_alive(std::stoi(told.line(0))));
}

TEST_F(EndingTest, ADaemonDiesWithAnAttemptThatWasCanceled) {
  const AttemptHandle attempt = start("daemonize_and_stay");
  logged(attempt);
  const int daemon = std::stoi(of(attempt).line(0));
  EXPECT_TRUE(is_alive(daemon));
  supervisor->stop(attempt, StopReason::kCanceled);
  EXPECT_EQ(released(attempt).kind(), FailureKind::kCanceled);
  EXPECT_FALSE(is_alive(daemon));
}

class StallTest : public testing::Test, public Supervised {
 protected:
  StallTest()
      : Supervised([](SupervisorOptions& adjusted) {
          adjusted.heartbeat_interval = milliseconds(50);
          adjusted.stall_after = milliseconds(500);
        }) {
    load_behaviours();
  }
};

TEST_F(StallTest, AStoppedProcessIsStalled) {
  const Told& told = run("stop_itself");
  ASSERT_EQ(told.kind(), FailureKind::kStalled);
  EXPECT_NE(told.result.failure->message.find("no sign of life for 0.5"), std::string::npos)
      << told.result.failure->message;
  EXPECT_FALSE(is_alive(told.pid));
}

TEST_F(StallTest, ASilentButLivingAttemptIsNot) { EXPECT_FALSE(run("sleep_ms", "1500").result.failure); }

}  // namespace
}  // namespace perdure::process::test
