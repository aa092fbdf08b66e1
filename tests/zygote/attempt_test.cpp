// What an attempt in a forked child does, told by its frames and its exit.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "tests/zygote/behaviour_tasks.h"
#include "tests/zygote/zygote_process.h"

namespace perdure::zygote::test {
namespace {

using protocol::Kind;
using protocol::Outcome;

class AttemptTest : public testing::Test {
 protected:
  AttemptTest() : zygote_(fixture("behaviours")) { EXPECT_NE(zygote_.manifest(), ""); }
  ZygoteProcess zygote_;
};

TEST_F(AttemptTest, ReturnsTheResultOfItsTask) {
  const Attempt attempt = zygote_.fork();
  ASSERT_GT(attempt.pid, 0);
  ASSERT_TRUE(attempt.start(task::echo, R"({"text":"hello"})"));
  const auto outcome = attempt.next(Kind::kOutcome);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->arg, static_cast<std::uint32_t>(Outcome::kSuccess));
  EXPECT_EQ(outcome->raw, R"({"text":"hello"})");
  attempt.confirm();
  const auto exit = zygote_.exit_of(attempt.id);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->pid, attempt.pid);
  EXPECT_TRUE(WIFEXITED(exit->report.wait_status));
  EXPECT_EQ(WEXITSTATUS(exit->report.wait_status), 0);
}

}  // namespace
}  // namespace perdure::zygote::test
