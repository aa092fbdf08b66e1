// What is known of queues, and what plugins, people and triggers say about them: limits, overrides, pauses.
#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

const QueueName kMail("mail");

std::vector<std::string> names_of(const QueuePage& page) {
  std::vector<std::string> names;
  for (const Queue& queue : page.queues) names.push_back(queue.name.text());
  return names;
}

// ---- What is known --------------------------------------------------------------------------------------------------

TEST_P(StoreConformance, AQueueCountsWhatWaitsAndWhatExecutesAndSinceWhenTheOldestWaits) {
  const Time begin = now;
  enqueued_in("mail");
  now += seconds(1);
  enqueued_in("mail", "key");
  now += seconds(1);
  NewRun ahead = new_run();
  ahead.queue = kMail;
  ahead.priority = seconds(60);
  const RunId first = enqueued(std::move(ahead));
  EXPECT_EQ(queue("mail"), (Queue{kMail, {}, 3, 0, begin}));
  std::vector<Claim> claims = claim(2);
  ASSERT_EQ(ids_of(claims)[0], first);
  EXPECT_EQ(queue("mail"), (Queue{kMail, {}, 1, 2, begin})) << "a head start makes no run older";
  ASSERT_EQ(claim().size(), 1u);
  EXPECT_EQ(queue("mail"), (Queue{kMail, {}, 0, 3, std::nullopt}));
  now += seconds(1);
  fail(claims[0], RetryAt{now});
  EXPECT_EQ(queue("mail"), (Queue{kMail, {}, 1, 2, now})) << "a retry waits since its failure";
}

TEST_P(StoreConformance, AQueueIsThereWhileItHasUnfinishedRunsOrSomethingIsSaidOfIt) {
  EXPECT_EQ(store().queue(kMail).status().code(), Code::kNotFound);
  NewRun delayed = new_run();
  delayed.queue = kMail;
  delayed.delayed_until = now + seconds(10);
  const RunId id = enqueued(std::move(delayed));
  EXPECT_EQ(queue("mail"), (Queue{kMail, {}, 0, 0, std::nullopt}));
  ASSERT_TRUE(cancel(store(), id, now));
  EXPECT_EQ(store().queue(kMail).status().code(), Code::kNotFound);
  store().declare_queues({{kMail, {}}}, false);
  EXPECT_EQ(queue("mail").settings.declared, QueueLimits());
  store().declare_queues({}, true);
  EXPECT_EQ(store().queue(kMail).status().code(), Code::kNotFound);
}

TEST_P(StoreConformance, QueuesAreListedByNameInPages) {
  EXPECT_EQ(store().queues(0, 10), QueuePage());
  for (const char* name : {"c", "a", "e", "b"}) enqueued_in(name);
  store().limit_queue(QueueName("d"), 1);
  const QueuePage first = store().queues(0, 2);
  EXPECT_EQ(names_of(first), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(first.count, 5u);
  EXPECT_EQ(first.queues[0], queue("a"));
  EXPECT_EQ(names_of(store().queues(4, 2)), std::vector<std::string>{"e"});
  EXPECT_TRUE(store().queues(5, 2).queues.empty());
  EXPECT_EQ(store().queues(100, 2).count, 5u);
}

TEST_P(StoreConformance, TheKeysOfAQueueAreCountedOneByOne) {
  store().limit_queue(kMail, 1);
  for (const char* key : {"b", "a", "b", "c", "b"}) enqueued_in("mail", key);
  enqueued_in("other", "x");
  EXPECT_EQ(claim().size(), 4u);
  EXPECT_EQ(store().sub_queues(kMail, std::nullopt, 10),
            (std::vector<SubQueueCounts>{{"a", 0, 1}, {"b", 2, 1}, {"c", 0, 1}}));
  EXPECT_EQ(store().sub_queues(kMail, "a", 1), (std::vector<SubQueueCounts>{{"b", 2, 1}}));
  EXPECT_TRUE(store().sub_queues(QueueName("none"), std::nullopt, 10).empty());
}

TEST_P(StoreConformance, CountsOfQueuesComeBackWithTheStore) {
  if (!factory().can_reopen()) GTEST_SKIP() << "the engine cannot be opened again";
  for (int i = 0; i < 3; ++i) {
    NewRun created = new_run();
    created.queue = kMail;
    created.priority = seconds(i);
    enqueued(std::move(created));
    now += seconds(1);
  }
  claim(1);
  const Queue before = queue("mail");
  EXPECT_EQ(before.queued, 2u);
  reopen();
  EXPECT_EQ(queue("mail"), before);
  ASSERT_TRUE(recover(store(), now));
  EXPECT_EQ(queue("mail"), (Queue{kMail, {}, 3, 0, before.oldest_queued_at}));
  EXPECT_EQ(claim().size(), 3u);
  EXPECT_FALSE(queue("mail").oldest_queued_at);
}

// ---- Declared -------------------------------------------------------------------------------------------------------

TEST_P(StoreConformance, ADeclarationOfAllQueuesTakesBackEveryOther) {
  store().limit_queue(kMail, 1);
  store().limit_queue(QueueName("b"), 1);
  for (int i = 0; i < 2; ++i) {
    enqueued_in("mail");
    enqueued_in("b");
  }
  EXPECT_EQ(claim().size(), 2u);
  store().declare_queues({{QueueName("b"), {2, std::nullopt}}}, false);
  EXPECT_EQ(claim().size(), 1u);
  store().declare_queues({{QueueName("b"), {2, std::nullopt}}}, true);
  EXPECT_EQ(claim().size(), 1u);
  EXPECT_EQ(queue("mail").settings, QueueSettings());
}

TEST_P(StoreConformance, DeclaredLimitsHoldAgainBeforeAnythingIsDeclaredAnew) {
  if (!factory().can_reopen()) GTEST_SKIP() << "the engine cannot be opened again";
  store().limit_queue(kMail, 1);
  for (int i = 0; i < 3; ++i) enqueued_in("mail");
  EXPECT_EQ(claim().size(), 1u);
  reopen();
  EXPECT_TRUE(claim().empty()) << "the one that executes holds the slot";
  EXPECT_EQ(queue("mail").settings.limit(), 1u);
}

// ---- Paused ---------------------------------------------------------------------------------------------------------

TEST_P(StoreConformance, APausedQueueHandsOutNothingAndWhatExecutesGoesOn) {
  for (const char* key : {"a", "a", "b"}) enqueued_in("mail", key);
  const RunId other = enqueued_in("other");
  const std::vector<Claim> executing = claim(1);
  ASSERT_TRUE(pause(store(), kMail).value().settings.paused);
  EXPECT_EQ(ids_of(claim()), std::vector<RunId>{other});
  EXPECT_EQ(status(executing[0].run.id), RunStatus::kExecuting);
  fail(executing[0], RetryAt{now});
  enqueued_in("mail", "new");
  EXPECT_TRUE(claim().empty()) << "retries and new keys wait too";
  EXPECT_FALSE(pause(store(), kMail, false).value().settings.paused);
  EXPECT_EQ(claim().size(), 4u);
}

TEST_P(StoreConformance, AQueueThatGoesOnTellsThatThereIsMore) {
  enqueued_in("mail");
  ASSERT_TRUE(pause(store(), kMail));
  EXPECT_TRUE(claim().empty());
  const std::size_t before = listener.told().ready;
  ASSERT_TRUE(pause(store(), kMail, false));
  EXPECT_TRUE(listener.wait_until([&](const auto& told) { return told.ready > before; }));
}

TEST_P(StoreConformance, ToPauseOrLimitAQueueThatIsNotThereIsRefused) {
  EXPECT_EQ(pause(store(), kMail).status().code(), Code::kNotFound);
  EXPECT_EQ(override_limit(store(), kMail, 1, now).status().code(), Code::kNotFound);
}

TEST_P(StoreConformance, APausedQueueIsRememberedWhenItsLastRunIsOver) {
  const RunId id = enqueued_in("mail");
  ASSERT_TRUE(pause(store(), kMail));
  ASSERT_TRUE(cancel(store(), id, now));
  EXPECT_TRUE(queue("mail").settings.paused);
  EXPECT_FALSE(pause(store(), kMail, false).value().settings.paused);
  EXPECT_EQ(store().queue(kMail).status().code(), Code::kNotFound);
}

// ---- Overridden -----------------------------------------------------------------------------------------------------

TEST_P(StoreConformance, AnOverrideHoldsWhateverIsDeclaredUntilItIsReset) {
  store().limit_queue(kMail, 3);
  for (int i = 0; i < 9; ++i) enqueued_in("mail");
  const Result<Queue> overridden = override_limit(store(), kMail, 1, now);
  ASSERT_TRUE(overridden);
  EXPECT_EQ(overridden->settings.limit(), 1u);
  EXPECT_EQ(overridden->settings.base(), 3u);
  EXPECT_EQ(overridden->settings.overridden_at, now);
  EXPECT_EQ(claim().size(), 1u);
  store().limit_queue(kMail, 5);
  EXPECT_TRUE(claim().empty());
  now += seconds(1);
  ASSERT_TRUE(override_limit(store(), kMail, 4, now));
  EXPECT_EQ(queue("mail").settings.overridden_at, now);
  EXPECT_EQ(claim().size(), 3u);
  const Result<Queue> reset = override_limit(store(), kMail, std::nullopt, now);
  ASSERT_TRUE(reset);
  EXPECT_FALSE(reset->settings.overridden_at);
  EXPECT_EQ(reset->settings.limit(), 5u);
  EXPECT_EQ(claim().size(), 1u);
}

TEST_P(StoreConformance, AnOverrideOfZeroHoldsAQueueBack) {
  enqueued_in("mail");
  ASSERT_TRUE(override_limit(store(), kMail, 0, now));
  EXPECT_TRUE(claim().empty());
}

TEST_P(StoreConformance, PausesAndOverridesSurviveTheStoresEnd) {
  if (!factory().can_reopen()) GTEST_SKIP() << "the engine cannot be opened again";
  for (const char* name : {"mail", "limited"}) {
    for (int i = 0; i < 3; ++i) enqueued_in(name);
  }
  ASSERT_TRUE(pause(store(), kMail));
  ASSERT_TRUE(override_limit(store(), QueueName("limited"), 2, now));
  const Time overridden = now;
  now += seconds(1);
  if (factory().can_lose_power()) {
    lose_power();
  } else {
    reopen();
  }
  EXPECT_TRUE(queue("mail").settings.paused);
  EXPECT_EQ(queue("limited").settings.overridden_at, overridden);
  EXPECT_EQ(claim().size(), 2u);
  ASSERT_TRUE(pause(store(), kMail, false));
  ASSERT_TRUE(override_limit(store(), QueueName("limited"), std::nullopt, now));
  reopen();
  EXPECT_EQ(queue("mail").settings, QueueSettings());
  EXPECT_EQ(queue("limited").settings, QueueSettings());
  EXPECT_EQ(claim().size(), 4u);
}

TEST_P(StoreConformance, WhatTheDiskRefusesOfAQueueHasNotHappened) {
  if (!factory().can_fail_writes()) GTEST_SKIP() << "the engine's writes cannot fail";
  enqueued_in("mail");
  store().limit_queue(QueueName("declared"), 1);
  ASSERT_TRUE(synced(store()));
  factory().fail_writes();
  EXPECT_FALSE(pause(store(), kMail));
  store().limit_queue(QueueName("declared"), 2);  // works all the same
  factory().heal();
  ASSERT_TRUE(listener.wait_until([](const auto& told) { return !told.health.empty() && told.health.back(); }));
  EXPECT_FALSE(queue("mail").settings.paused);
  EXPECT_EQ(queue("declared").settings.limit(), 2u);
  EXPECT_EQ(claim().size(), 1u);
  if (!factory().can_reopen()) return;
  reopen();
  EXPECT_EQ(queue("declared").settings.limit(), 2u);
}

// ---- At a trigger ---------------------------------------------------------------------------------------------------

TEST_P(StoreConformance, ATriggersLimitHoldsWherePluginsDeclareNone) {
  const auto with_limit = [&](const char* queue, std::size_t limit) {
    NewRun created = new_run();
    created.queue = QueueName(queue);
    created.queue_limit = limit;
    return enqueued(std::move(created));
  };
  store().limit_queue(QueueName("declared"), 1);
  for (int i = 0; i < 4; ++i) {
    with_limit("mail", 2);
    with_limit("declared", 2);
  }
  EXPECT_EQ(claim().size(), 3u);
  with_limit("mail", 3);
  EXPECT_EQ(claim().size(), 1u) << "the newest holds, also for those that came before";
  enqueued_in("mail");
  EXPECT_TRUE(claim().empty()) << "a trigger that names none leaves it";
  EXPECT_EQ(queue("mail").settings.triggered, 3u);
  if (!factory().can_reopen()) return;
  reopen();
  EXPECT_EQ(queue("mail").settings.limit(), 3u);
}

}  // namespace
}  // namespace perdure::store::conformance
