// Retrying inside an attempt.
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>

#include <perdure/task.hpp>

#include "tests/plugin-api/fake_host.h"

using namespace std::chrono_literals;

namespace perdure::test {
namespace {

int (*body)(Attempt&) = nullptr;
int calls = 0;
constexpr Retry kAtOnce{.max_attempts = 3, .min_timeout = 0ms, .max_timeout = 0ms};
constexpr Task<None, int> task{.id = "task", .run = [](None, Attempt& run) { return body(run); }};

class OnThrow : public testing::Test {
 protected:
  OnThrow() {
    calls = 0;
    EXPECT_EQ(host.load([](const perdure_registrar* registrar) {
      return perdure::detail::register_all<task>(registrar, "tests", "1");
    }),
              PERDURE_OK);
  }
  Outcome run(int (*what)(Attempt&)) {
    body = what;
    return host.run("task", {});
  }
  FakeHost host;
};

TEST_F(OnThrow, TriesUntilItWorks) {
  const Outcome outcome = run([](Attempt& run) {
    return retry::on_throw(run, kAtOnce, [](int attempt) {
      ++calls;
      if (attempt < 3) throw std::runtime_error("not yet");
      return attempt * 10;
    });
  });
  EXPECT_EQ(outcome.result, "30");
  EXPECT_EQ(calls, 3);
  ASSERT_EQ(outcome.log.size(), 2u);
  EXPECT_EQ(outcome.log[0].message, "attempt 1 of 3 failed, trying again");
}

TEST_F(OnThrow, LetsTheLastExceptionOut) {
  const Outcome outcome = run([](Attempt& run) {
    return retry::on_throw(run, kAtOnce, [](int attempt) -> int { throw std::out_of_range(std::to_string(attempt)); });
  });
  EXPECT_EQ(outcome.error_type, "std::out_of_range");
  EXPECT_EQ(outcome.error_message, "3");
}

TEST_F(OnThrow, DoesNotRetryAnAbort) {
  const Outcome outcome = run([](Attempt& run) {
    return retry::on_throw(run, kAtOnce, [](int) -> int {
      ++calls;
      throw Abort("never");
    });
  });
  EXPECT_EQ(outcome.status, PERDURE_ABORTED);
  EXPECT_EQ(calls, 1);
}

TEST_F(OnThrow, EndsItsSleepWhenTheAttemptMustStop) {
  host.cancel();
  const Outcome outcome = run([](Attempt& run) {
    return retry::on_throw(run, {.min_timeout = 1h, .max_timeout = 1h},
                           [](int) -> int { throw std::runtime_error("again"); });
  });
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
