// Attempts that reach an end of their own: what the engine is told, and in which order.
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace perdure::process::test
