// Order, fairness and limits of the index that says which run is claimed next.
#include "store/rocks/ready_index.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace perdure::store::rocks {
namespace {

const QueueName kQueue("q");
Time at(std::int64_t milliseconds) { return Time{Duration{milliseconds}}; }
PackedId id(std::uint64_t n) { return {0, n}; }
QueueSettings limited(std::optional<std::size_t> limit) {
  return {.declared = QueueLimits{limit, std::nullopt}, .triggered = {}, .override_to = {}, .overridden_at = {}};
}
QueueSettings rated(std::uint64_t limit, Duration period) {
  QueueSettings settings = limited(std::nullopt);
  settings.declared->rate = RateLimit{limit, period};
  return settings;
}
// Takes the next run and begins it.
std::optional<PackedId> begin(ReadyIndex& index) {
  const std::optional<PackedId> taken = index.take();
  SubQueueName of;
  if (taken) index.begun(of);
  return taken;
}

TEST(ReadyIndex, TakesByOrderTimeThenId) {
  ReadyIndex index;
  index.add(kQueue, "", at(20), id(1));
  index.add(kQueue, "", at(10), id(3));
  index.add(kQueue, "", at(10), id(2));
  EXPECT_EQ(index.take(), id(2));
  EXPECT_EQ(index.take(), id(3));
  EXPECT_EQ(index.take(), id(1));
  EXPECT_EQ(index.take(), std::nullopt);
}

TEST(ReadyIndex, ARunThatIsUntakenHoldsNoSlot) {
  ReadyIndex index;
  index.limit(kQueue, limited(1));
  for (std::uint64_t n = 1; n <= 3; ++n) index.add(kQueue, "", at(0), id(n));
  EXPECT_EQ(index.take(), id(1));
  EXPECT_EQ(index.take(), std::nullopt);
  index.untake();
  EXPECT_EQ(index.running(kQueue, ""), 0u);
  EXPECT_EQ(index.take(), id(2));
  EXPECT_EQ(index.take(), std::nullopt);
}

TEST(ReadyIndex, ServesTheSubQueueServedLongestAgo) {
  ReadyIndex index;
  for (std::uint64_t n = 0; n < 100; ++n) index.add(kQueue, "big", at(0), id(n));
  EXPECT_EQ(index.take(), id(0));
  index.add(kQueue, "small", at(50), id(1000));
  EXPECT_EQ(index.take(), id(1000)) << "one tenant's backlog must not delay another's first run";
  EXPECT_EQ(index.take(), id(1));
  index.add(kQueue, "small", at(60), id(1001));
  index.add(QueueName("other"), "", at(70), id(2000));
  EXPECT_EQ(index.take(), id(2000));
  EXPECT_EQ(index.take(), id(1001)) << "served before big was, so longer ago";
  EXPECT_EQ(index.take(), id(2));
}

TEST(ReadyIndex, WhatIsLikelyNextIsWhatIsTakenWhenNothingLimitsIt) {
  ReadyIndex index;
  std::uint64_t n = 0;
  for (const auto& [key, runs] : {std::pair("a", 1), std::pair("b", 4), std::pair("c", 2)}) {
    for (int i = 0; i < runs; ++i) index.add(kQueue, key, at(0), id(n++));
  }
  EXPECT_EQ(index.likely_next(0), std::vector<PackedId>{});
  EXPECT_EQ(index.likely_next(2).size(), 2u);
  const std::vector<PackedId> likely = index.likely_next(100);
  EXPECT_EQ(likely.size(), 7u);
  EXPECT_EQ(index.size(), 7u) << "looking takes nothing";
  for (const PackedId& next : likely) EXPECT_EQ(index.take(), next);
  EXPECT_EQ(index.likely_next(100), std::vector<PackedId>{});
}

TEST(ReadyIndex, TheFirstOfTheLikelyIsCertainAlsoUnderALimit) {
  ReadyIndex index;
  index.limit(kQueue, limited(1));
  for (std::uint64_t n = 1; n <= 3; ++n) index.add(kQueue, "", at(0), id(n));
  EXPECT_EQ(index.likely_next(1), std::vector<PackedId>{id(1)});
  EXPECT_EQ(index.take(), id(1));
  EXPECT_EQ(index.likely_next(3), std::vector<PackedId>{}) << "none may start";
}

TEST(ReadyIndex, NeverRunsMoreOfASubQueueThanItsLimit) {
  ReadyIndex index;
  index.limit(kQueue, limited(2));
  for (std::uint64_t n = 0; n < 5; ++n) {
    index.add(kQueue, "a", at(0), id(n));
    index.add(kQueue, "b", at(0), id(100 + n));
  }
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(index.take());
  EXPECT_EQ(index.take(), std::nullopt);
  EXPECT_EQ(index.running(kQueue, "a"), 2u);
  EXPECT_EQ(index.running(kQueue, "b"), 2u);
  EXPECT_TRUE(index.ended(kQueue, "b"));
  EXPECT_EQ(index.take(), id(102));
  EXPECT_EQ(index.take(), std::nullopt);
}

TEST(ReadyIndex, ARaisedLimitLetsMoreStartALoweredOneEndsNothing) {
  ReadyIndex index;
  index.limit(kQueue, limited(1));
  for (std::uint64_t n = 0; n < 5; ++n) index.add(kQueue, "", at(0), id(n));
  EXPECT_TRUE(index.take());
  EXPECT_FALSE(index.take());
  EXPECT_TRUE(index.limit(kQueue, limited(3)));
  EXPECT_TRUE(index.take());
  EXPECT_TRUE(index.take());
  EXPECT_FALSE(index.take());
  EXPECT_FALSE(index.limit(kQueue, limited(1)));
  EXPECT_FALSE(index.ended(kQueue, ""));
  EXPECT_FALSE(index.ended(kQueue, ""));
  EXPECT_FALSE(index.take());
  EXPECT_TRUE(index.ended(kQueue, ""));
  EXPECT_TRUE(index.take());
  EXPECT_TRUE(index.limit(kQueue, limited(std::nullopt)));
}

TEST(ReadyIndex, WhatIsRemovedIsNotTaken) {
  ReadyIndex index;
  index.add(kQueue, "", at(1), id(1));
  index.add(kQueue, "", at(2), id(2));
  EXPECT_TRUE(index.remove(kQueue, "", at(1), id(1)));
  EXPECT_FALSE(index.remove(kQueue, "", at(1), id(1)));
  EXPECT_EQ(index.size(), 1u);
  EXPECT_EQ(index.take(), id(2));
}

TEST(ReadyIndex, ARateClosesItsSubQueueUntilTheFirstStartIsAPeriodAgo) {
  ReadyIndex index;
  index.limit(kQueue, rated(2, Duration(100)));
  for (std::uint64_t n = 1; n <= 4; ++n) index.add(kQueue, "a", at(0), id(n));
  index.add(kQueue, "b", at(0), id(9));
  index.advance(at(1000));
  EXPECT_EQ(begin(index), id(1));
  index.advance(at(1040));
  EXPECT_EQ(begin(index), id(9)) << "each key has the whole rate";
  EXPECT_EQ(begin(index), id(2));
  EXPECT_EQ(begin(index), std::nullopt);
  EXPECT_EQ(index.next_open(), at(1100));
  EXPECT_FALSE(index.advance(at(1099)));
  EXPECT_TRUE(index.advance(at(1100)));
  EXPECT_EQ(index.next_open(), std::nullopt);
  EXPECT_EQ(begin(index), id(3));
  EXPECT_EQ(begin(index), std::nullopt);
  EXPECT_EQ(index.next_open(), at(1140));
}

TEST(ReadyIndex, AClockThatIsSetBackClosesNothingForLongerThanThePeriod) {
  ReadyIndex index;
  index.limit(kQueue, rated(1, Duration(100)));
  for (std::uint64_t n = 1; n <= 2; ++n) index.add(kQueue, "", at(0), id(n));
  index.advance(at(1'000'000));
  EXPECT_EQ(begin(index), id(1));
  index.advance(at(500));
  EXPECT_EQ(index.next_open(), at(600));
  EXPECT_TRUE(index.advance(at(600)));
  EXPECT_EQ(begin(index), id(2));
}

TEST(ReadyIndex, WhatItNeedNotKnowAnyMoreOfARateIsToldOnce) {
  ReadyIndex index;
  index.limit(kQueue, rated(1, Duration(100)));
  index.add(kQueue, "k", at(0), id(1));
  index.advance(at(1000));
  EXPECT_EQ(begin(index), id(1));
  index.ended(kQueue, "k");
  index.advance(at(1099));
  EXPECT_TRUE(index.take_forgotten().empty());
  index.advance(at(1100));
  EXPECT_EQ(index.take_forgotten(), (std::vector<SubQueueName>{{kQueue, "k"}}));
  EXPECT_TRUE(index.take_forgotten().empty());
}

TEST(ReadyIndex, RestoredStartsCountAsIfTheyHadBeenHere) {
  ReadyIndex index;
  index.limit(kQueue, rated(1, Duration(100)));
  index.restore(kQueue, "k", RateWindow(Duration(100), {{at(1000), at(1000), 1}}));
  index.restore(kQueue, "l", RateWindow(Duration(100), {{at(950), at(950), 1}}));
  index.add(kQueue, "k", at(0), id(1));
  index.add(kQueue, "l", at(0), id(2));
  index.advance(at(1060));
  EXPECT_EQ(begin(index), id(2));
  EXPECT_EQ(index.next_open(), at(1100));
}

TEST(ReadyIndex, APausedQueueHandsOutNothing) {
  ReadyIndex index;
  index.add(kQueue, "", at(0), id(1));
  QueueSettings paused;
  paused.paused = true;
  EXPECT_FALSE(index.limit(kQueue, paused));
  EXPECT_EQ(index.take(), std::nullopt);
  EXPECT_TRUE(index.limit(kQueue, QueueSettings()));
  EXPECT_EQ(index.take(), id(1));
}

// Against the rule written out: each time, among the eligible sub-queues, the one served longest ago.
TEST(ReadyIndex, AgreesWithTheRuleOverRandomWork) {
  std::mt19937_64 random(7);
  ReadyIndex index;
  index.limit(kQueue, limited(3));
  struct Sub {
    std::map<std::pair<Time, PackedId>, bool> runs;
    std::size_t running = 0;
    std::uint64_t turn = 0;
  };
  std::map<std::string, Sub> rule;
  std::uint64_t fresh = 0, turn = std::uint64_t{1} << 60, next = 0;
  for (int step = 0; step < 50'000; ++step) {
    const std::string key = "k" + std::to_string(random() % 20);
    const std::uint64_t what = random() % 10;
    if (what < 4) {
      if (!rule.contains(key)) rule[key].turn = fresh++;
      const Time order = at(static_cast<std::int64_t>(random() % 100));
      rule[key].runs[{order, id(next)}] = true;
      index.add(kQueue, key, order, id(next++));
    } else if (what < 7) {
      Sub* best = nullptr;
      for (auto& [name, sub] : rule) {
        if (!sub.runs.empty() && sub.running < 3 && (best == nullptr || sub.turn < best->turn)) best = &sub;
      }
      const std::optional<PackedId> taken = index.take();
      ASSERT_EQ(taken.has_value(), best != nullptr) << "step " << step;
      if (best == nullptr) continue;
      ASSERT_EQ(*taken, best->runs.begin()->first.second) << "step " << step;
      best->runs.erase(best->runs.begin());
      ++best->running;
      best->turn = turn++;
    } else if (what < 9) {
      if (rule.contains(key) && rule[key].running > 0) {
        --rule[key].running;
        index.ended(kQueue, key);
      }
    } else if (rule.contains(key) && !rule[key].runs.empty()) {
      const auto which = rule[key].runs.begin()->first;
      ASSERT_TRUE(index.remove(kQueue, key, which.first, which.second));
      rule[key].runs.erase(which);
    }
  }
}

TEST(ReadyIndex, TakingIsAsFastWithManySubQueues) {
  auto microseconds_each = [](std::uint64_t keys) {
    ReadyIndex index;
    for (std::uint64_t n = 0; n < keys; ++n) index.add(kQueue, std::to_string(n), at(0), id(n));
    const auto begin = std::chrono::steady_clock::now();
    constexpr int kTaken = 1000;
    for (int i = 0; i < kTaken; ++i) EXPECT_TRUE(index.take());
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
    return took.count() / kTaken;
  };
  EXPECT_LT(microseconds_each(100'000), 50.0) << "a linear search takes milliseconds";
}

}  // namespace
}  // namespace perdure::store::rocks
