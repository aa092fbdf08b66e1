// Retrying inside an attempt.
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>

#include <perdure/testing.hpp>

using namespace std::chrono_literals;

namespace perdure::test {
namespace {

using perdure::testing::Options;
using perdure::testing::Result;

int (*body)(Attempt&) = nullptr;
int calls = 0;
constexpr Retry kAtOnce{.max_attempts = 3, .min_timeout = 0ms, .max_timeout = 0ms};
constexpr Task<None, int> task{.id = "task", .run = [](None, Attempt& run) { return body(run); }};

class OnThrow : public ::testing::Test {
 protected:
  Result run(int (*what)(Attempt&), const Options& options = {}) {
    body = what;
    calls = 0;
    return perdure::testing::run<task>({}, options);
  }
};

TEST_F(OnThrow, TriesUntilItWorks) {
  const Result outcome = run([](Attempt& run) {
    return retry::on_throw(run, kAtOnce, [](int attempt) {
      ++calls;
      if (attempt < 3) throw std::runtime_error("not yet");
      return attempt * 10;
    });
  });
  EXPECT_EQ(outcome.output_text, "30");
  EXPECT_EQ(calls, 3);
  ASSERT_EQ(outcome.logs.size(), 2u);
  EXPECT_EQ(outcome.logs[0].message, "attempt 1 of 3 failed, trying again");
}

TEST_F(OnThrow, LetsTheLastExceptionOut) {
  const Result outcome = run([](Attempt& run) {
    return retry::on_throw(run, kAtOnce, [](int attempt) -> int { throw std::out_of_range(std::to_string(attempt)); });
  });
  EXPECT_EQ(outcome.error().name, "std::out_of_range");
  EXPECT_EQ(outcome.error().message, "3");
}

TEST_F(OnThrow, DoesNotRetryAnAbort) {
  const Result outcome = run([](Attempt& run) {
    return retry::on_throw(run, kAtOnce, [](int) -> int {
      ++calls;
      throw Abort("never");
    });
  });
  EXPECT_EQ(outcome.status, PERDURE_ABORTED);
  EXPECT_EQ(calls, 1);
}

TEST_F(OnThrow, EndsItsSleepWhenTheAttemptMustStop) {
  const Result outcome = run(
      [](Attempt& run) {
        return retry::on_throw(run, {.min_timeout = 1h, .max_timeout = 1h},
                               [](int) -> int { throw std::runtime_error("again"); });
      },
      {.cancelled = true});
  EXPECT_EQ(outcome.status, PERDURE_CANCELLED);
}

TEST(RetryDelay, GrowsByTheFactorUpToTheMost) {
  const Retry options{.factor = 3, .min_timeout = 100ms, .max_timeout = 1s, .randomize = false};
  EXPECT_EQ(retry::delay(options, 1, 0.5), 100ms);
  EXPECT_EQ(retry::delay(options, 2, 0.5), 300ms);
  EXPECT_EQ(retry::delay(options, 3, 0.5), 900ms);
  EXPECT_EQ(retry::delay(options, 4, 0.5), 1000ms);
  EXPECT_EQ(retry::delay(options, 10000, 0.5), 1000ms);
}

TEST(RetryDelay, IsSpreadOverOnceToTwice) {
  const Retry options{.min_timeout = 100ms};
  EXPECT_EQ(retry::delay(options, 1, 0), 100ms);
  EXPECT_EQ(retry::delay(options, 1, 0.99), 199ms);
}

}  // namespace
}  // namespace perdure::test
