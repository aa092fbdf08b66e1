// The window of a rate limit: never too many in any period, and no longer closed than need be.
#include "store/model/rate_window.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace perdure::store {
namespace {

Time at(std::int64_t milliseconds) { return Time{Duration{milliseconds}}; }

TEST(RateWindow, IsOpenUntilTheLimitIsReached) {
  RateWindow window;
  const RateLimit rate{3, Duration(1000)};
  for (const std::int64_t start : {0, 400, 700}) {
    EXPECT_FALSE(window.closed_until(at(start), rate));
    window.begin(at(start), rate);
  }
  EXPECT_EQ(window.closed_until(at(700), rate), at(1000));
  EXPECT_EQ(window.closed_until(at(999), rate), at(1000));
  EXPECT_FALSE(window.closed_until(at(1000), rate));
  window.begin(at(1000), rate);
  EXPECT_EQ(window.closed_until(at(1000), rate), at(1400));
}

TEST(RateWindow, KnowsWhenItMayBeForgotten) {
  RateWindow window;
  EXPECT_FALSE(window.forgotten_at(at(0)));
  window.begin(at(100), {3, Duration(1000)});
  window.begin(at(600), {3, Duration(1000)});
  EXPECT_EQ(window.forgotten_at(at(700)), at(1600));
  EXPECT_FALSE(window.forgotten_at(at(1600)));
}

TEST(RateWindow, AnotherLimitHoldsForTheStartsThatItKnows) {
  RateWindow window;
  for (const std::int64_t start : {0, 100, 200}) window.begin(at(start), {3, Duration(1000)});
  EXPECT_EQ(window.closed_until(at(200), {1, Duration(500)}), at(700));
  EXPECT_FALSE(window.closed_until(at(200), {4, Duration(1000)}));
}

TEST(RateWindow, AClockSetBackTakesItsStartsWithIt) {
  RateWindow window;
  const RateLimit rate{2, Duration(1000)};
  window.begin(at(50'000), rate);
  window.begin(at(50'300), rate);
  EXPECT_EQ(window.closed_until(at(100), rate), at(800));
  EXPECT_EQ(window.closed_until(at(500), rate), at(800)) << "and stays there as the clock goes on";
}

// Whatever the limit: no period has more starts, the window stays small, and who comes as soon as it is open waits at
// most a 64th of the period longer than the rule demands.
TEST(RateWindow, NoPeriodHasMoreStartsThanTheLimit) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 200; ++round) {
    const RateLimit rate{1 + random() % 300, Duration(1 + static_cast<std::int64_t>(random() % 20'000))};
    RateWindow window;
    std::vector<Time> starts;
    Time now = at(1'000'000);
    for (int step = 0; step < 600; ++step) {
      now += Duration(static_cast<std::int64_t>(random() % 2 * (random() % 40)));
      if (const std::optional<Time> until = window.closed_until(now, rate)) {
        ASSERT_GE(starts.size(), rate.limit);
        const Time due = starts[starts.size() - rate.limit] + rate.period;
        ASSERT_GE(*until, due);
        ASSERT_LE(*until, due + rate.period / 64);
        now = *until;
        ASSERT_FALSE(window.closed_until(now, rate));
      }
      window.begin(now, rate);
      starts.push_back(now);
      ASSERT_LE(window.starts().size(), 66u);
      if (starts.size() <= rate.limit) continue;
      ASSERT_GE(now - starts[starts.size() - 1 - rate.limit], rate.period);
    }
  }
}

}  // namespace
}  // namespace perdure::store
