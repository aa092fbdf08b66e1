// What limits a queue when several say something about it.
#include "store/model/queue.h"

#include <gtest/gtest.h>

namespace perdure::store {
namespace {

TEST(Queue, OfTwoDeclaredLimitsTheSmallerHolds) {
  EXPECT_EQ(stricter(QueueLimits{3, {}}, QueueLimits{2, {}}).concurrency, 2u);
  EXPECT_EQ(stricter(QueueLimits{3, {}}, QueueLimits{}).concurrency, 3u) << "who declares none has no say";
  EXPECT_FALSE(stricter(QueueLimits{}, QueueLimits{}).concurrency);
}

TEST(Queue, OfTwoRatesTheOneHoldsThatLetsFewerBegin) {
  const RateLimit often{10, Duration(1000)}, seldom{100, Duration(60'000)}, burst{20, Duration(2000)};
  EXPECT_EQ(stricter(often, seldom), seldom);
  EXPECT_EQ(stricter(seldom, often), seldom);
  EXPECT_EQ(stricter(burst, often), often) << "the same in the long run";
  EXPECT_EQ(stricter(QueueLimits{1, {}}, QueueLimits{{}, seldom}), (QueueLimits{1, seldom}));
}

TEST(Queue, AnOverrideComesBeforeWhatIsDeclaredAndThatBeforeATriggersLimit) {
  QueueSettings settings;
  EXPECT_FALSE(settings.limit());
  settings.triggered = 7;
  EXPECT_EQ(settings.limit(), 7u);
  settings.declared = QueueLimits{};
  EXPECT_EQ(settings.limit(), 7u) << "it declares no limit";
  settings.declared->concurrency = 5;
  EXPECT_EQ(settings.limit(), 5u);
  settings.override_to = 9;
  EXPECT_EQ(settings.limit(), 9u);
  EXPECT_EQ(settings.base(), 5u);
}

TEST(Queue, ATasksOwnQueueIsNamedAfterIt) {
  EXPECT_EQ(own_queue(TaskId("a/b")), QueueName("task/a/b"));
  EXPECT_EQ(owner_of(QueueName("task/a/b")), TaskId("a/b"));
  EXPECT_FALSE(owner_of(QueueName("mail")));
}

}  // namespace
}  // namespace perdure::store
