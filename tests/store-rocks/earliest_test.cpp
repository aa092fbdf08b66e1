// The earliest of a changing bag of times.
#include "store/rocks/earliest.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace perdure::store::rocks {
namespace {

// Mostly a queue: what was added first goes first; now and then one goes from the middle or comes late, and one stays
// for ever.
TEST(Earliest, IsTheLeastOfWhatIsThere) {
  std::mt19937_64 random(11);
  Earliest earliest;
  std::multiset<Time> rule;
  std::int64_t clock = 0;
  earliest.add(Time{});
  rule.insert(Time{});
  for (int step = 0; step < 20'000; ++step) {
    if (random() % 2 == 0 || rule.size() < 2) {
      clock += static_cast<std::int64_t>(random() % 3);
      const Time time{Duration(random() % 8 == 0 ? clock / 2 : clock)};
      earliest.add(time);
      rule.insert(time);
    } else {
      auto gone = std::next(rule.begin());
      if (random() % 4 == 0) std::advance(gone, random() % (rule.size() - 1));
      earliest.remove(*gone);
      rule.erase(gone);
    }
    ASSERT_EQ(earliest.get(), *rule.begin()) << "step " << step;
  }
  while (!rule.empty()) {
    ASSERT_EQ(earliest.get(), *rule.begin());
    earliest.remove(*rule.begin());
    rule.erase(rule.begin());
  }
  EXPECT_EQ(earliest.get(), std::nullopt);
}

}  // namespace
}  // namespace perdure::store::rocks
