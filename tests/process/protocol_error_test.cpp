// Attempts that say what they must not: each is ended, and nothing they do reaches beyond themselves.
#include <gtest/gtest.h>

#include "tests/process/supervised.h"

namespace perdure::process::test {
namespace {

using store::FailureKind;

class ProtocolErrorTest : public testing::TestWithParam<const char*>, public Supervised {
 protected:
  ProtocolErrorTest() {
    load_behaviours();
    answers = false;
  }
};

TEST_P(ProtocolErrorTest, EndsTheAttemptAndNoOther) {
  const AttemptHandle neighbour = start("until_cancelled");
  logged(neighbour);
  const Told& told = run(GetParam());
  ASSERT_EQ(told.kind(), FailureKind::kProtocolError);
  EXPECT_NE(told.result.failure->message.find("something it cannot accept"), std::string::npos);
  EXPECT_FALSE(is_alive(told.pid));
  EXPECT_EQ(run("echo", "1").result.output, "1");
  EXPECT_TRUE(is_alive(of(neighbour).pid));
  supervisor->stop(neighbour, StopReason::kCanceled);
  EXPECT_EQ(released(neighbour).kind(), FailureKind::kCanceled);
}

INSTANTIATE_TEST_SUITE_P(ProtocolErrorTest, ProtocolErrorTest,
                         testing::Values("write_garbage", "send_unknown_kind", "send_oversized", "send_bad_error",
                                         "send_short_usage", "send_outcome_of_another", "ask_unknown_kind",
                                         "ask_too_often", "ask_twice_by_one_number", "ask_with_much",
                                         "close_everything"),
                         [](const auto& each) { return std::string(each.param); });

class SecondOutcomeTest : public testing::Test, public Supervised {
 protected:
  SecondOutcomeTest() { load_behaviours(); }
};

TEST_F(SecondOutcomeTest, TheFirstOutcomeCountsAndTheProcessServesNoOther) {
  const auto recycling = [](AttemptSpec& spec) { spec.recycle_after = 100; };
  const Told& told = run("send_two_outcomes", "null", recycling);
  EXPECT_FALSE(told.result.failure);
  EXPECT_EQ(told.result.output, "\"a\" ");
  // The second outcome is heard before the process is given another attempt or while it runs that: never as its own.
  const Told next = run("count", "null", recycling);
  if (next.pid == told.pid) {
    EXPECT_EQ(next.kind(), FailureKind::kProtocolError);
    EXPECT_NE(run("count", "null", recycling).pid, told.pid);
  } else {
    EXPECT_EQ(next.result.output, "1");
  }
}

}  // namespace
}  // namespace perdure::process::test
