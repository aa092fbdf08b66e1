// Rate limits: how many attempts begin in a time.
#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

const QueueName kMail("mail");

QueueLimits two_a_second() { return {std::nullopt, RateLimit{2, seconds(1)}}; }

TEST_P(StoreConformance, NoMoreAttemptsBeginInAPeriodThanTheRate) {
  store().declare_queues({{kMail, two_a_second()}}, false);
  for (int i = 0; i < 5; ++i) enqueued_in("mail");
  EXPECT_EQ(claim(1).size(), 1u);
  now += milliseconds(400);
  EXPECT_EQ(claim().size(), 1u);
  now += milliseconds(599);
  EXPECT_TRUE(claim().empty());
  now += milliseconds(1);
  EXPECT_EQ(claim().size(), 1u) << "the first one is a second ago";
  now += milliseconds(400);
  EXPECT_EQ(claim().size(), 1u) << "and now the second one";
}

TEST_P(StoreConformance, EndsDoNotGiveBackWhatCountsAgainstARate) {
  store().declare_queues({{kMail, two_a_second()}}, false);
  for (int i = 0; i < 3; ++i) enqueued_in("mail");
  for (const Claim& claimed : claim()) succeed(claimed);
  EXPECT_TRUE(claim().empty());
}

TEST_P(StoreConformance, RetriesCountAgainstARate) {
  store().declare_queues({{kMail, two_a_second()}}, false);
  enqueued_in("mail");
  fail(claim_one(), RetryAt{now});
  fail(claim_one(), RetryAt{now});
  EXPECT_TRUE(claim().empty());
  now += seconds(1);
  claim_one();
}

TEST_P(StoreConformance, EachConcurrencyKeyHasTheWholeRateOfItsQueue) {
  store().declare_queues({{kMail, two_a_second()}}, false);
  for (int i = 0; i < 3; ++i) {
    for (const char* key : {"x", "y", ""}) enqueued_in("mail", key);
  }
  EXPECT_EQ(claim().size(), 6u);
}

TEST_P(StoreConformance, WhatIsTurnedAwayDoesNotCountAgainstARate) {
  store().declare_queues({{kMail, two_a_second()}}, false);
  for (int i = 0; i < 6; ++i) enqueued_in("mail");
  const auto all = [&](const DecideClaim& decide) { ASSERT_TRUE(conformance::claim(store(), 1000, now, decide)); };
  all([](const store::Run&) { return NotNow{}; });
  all([](const store::Run&) { return Hold{}; });
  EXPECT_EQ(release(store(), {TaskId("echo")}, now).value(), 6u);
  all([](const store::Run&) { return SetAside{VersionId("v")}; });
  EXPECT_EQ(store().put_back(TaskId("echo"), std::nullopt, 100), 6u);
  EXPECT_EQ(claim().size(), 2u);
}

TEST_P(StoreConformance, ARateOpensAtATimeThatNextDueTells) {
  store().declare_queues({{kMail, two_a_second()}}, false);
  for (int i = 0; i < 3; ++i) enqueued_in("mail");
  EXPECT_FALSE(store().next_due());
  const std::size_t before = listener.told().due_changed;
  EXPECT_EQ(claim().size(), 2u);
  EXPECT_EQ(store().next_due(), now + seconds(1));
  EXPECT_TRUE(listener.wait_until([&](const auto& told) { return told.due_changed > before; }));
  now += seconds(1);
  const std::size_t ready = listener.told().ready;
  EXPECT_EQ(wake_due(store(), now).value(), 0u);
  EXPECT_TRUE(listener.wait_until([&](const auto& told) { return told.ready > ready; }));
  EXPECT_FALSE(store().next_due()) << "who was told comes; there is nothing to wait for";
  EXPECT_EQ(claim().size(), 1u);
  enqueued_in("mail");
  EXPECT_FALSE(store().next_due()) << "one more may begin";
}

TEST_P(StoreConformance, ARunThatComesWhenTheRateIsUsedUpSetsTheTimer) {
  store().declare_queues({{kMail, two_a_second()}}, false);
  for (int i = 0; i < 2; ++i) enqueued_in("mail");
  EXPECT_EQ(claim().size(), 2u);
  EXPECT_FALSE(store().next_due()) << "nothing waits for the rate";
  const std::size_t before = listener.told().due_changed;
  now += milliseconds(100);
  enqueued_in("mail");
  EXPECT_TRUE(listener.wait_until([&](const auto& told) { return told.due_changed > before; }));
  EXPECT_EQ(store().next_due(), now + milliseconds(900));
}

TEST_P(StoreConformance, WhereNoSlotIsFreeNoTimerIsSet) {
  store().declare_queues({{kMail, {2, RateLimit{2, seconds(1)}}}}, false);
  for (int i = 0; i < 3; ++i) enqueued_in("mail");
  const std::vector<Claim> claims = claim();
  EXPECT_FALSE(store().next_due());
  succeed(claims[0]);
  EXPECT_EQ(store().next_due(), now + seconds(1));
  ASSERT_TRUE(pause(store(), kMail));
  EXPECT_FALSE(store().next_due());
}

TEST_P(StoreConformance, AnotherRateHoldsAtOnceAndNoneLetsAllBegin) {
  store().declare_queues({{kMail, two_a_second()}}, false);
  for (int i = 0; i < 7; ++i) enqueued_in("mail");
  EXPECT_EQ(claim().size(), 2u);
  store().declare_queues({{kMail, {std::nullopt, RateLimit{4, seconds(10)}}}}, false);
  EXPECT_EQ(claim().size(), 2u) << "those that began count";
  EXPECT_EQ(store().next_due(), now + seconds(10));
  store().declare_queues({}, true);
  EXPECT_EQ(claim().size(), 3u);
}

TEST_P(StoreConformance, AHostThatDiesBeginsNoMoreThanTheRateAfterwards) {
  if (!factory().can_reopen()) GTEST_SKIP() << "the engine cannot be opened again";
  store().declare_queues({{kMail, two_a_second()}}, false);
  for (int i = 0; i < 3; ++i) {
    for (const char* key : {"x", "y"}) enqueued_in("mail", key);
  }
  EXPECT_EQ(claim().size(), 4u);
  now += milliseconds(999);
  reopen();
  ASSERT_TRUE(recover(store(), now));
  EXPECT_TRUE(claim().empty());
  EXPECT_EQ(store().next_due(), now + milliseconds(1));
  now += milliseconds(1);
  EXPECT_EQ(claim().size(), 4u);
}

TEST_P(StoreConformance, AClockThatWasSetBackWhileTheStoreWasClosedHoldsNobodyForLongerThanThePeriod) {
  if (!factory().can_reopen()) GTEST_SKIP() << "the engine cannot be opened again";
  store().declare_queues({{kMail, two_a_second()}}, false);
  for (int i = 0; i < 3; ++i) enqueued_in("mail");
  EXPECT_EQ(claim().size(), 2u);
  reopen();
  now -= seconds(3600);
  EXPECT_TRUE(claim().empty());
  EXPECT_EQ(store().next_due(), now + seconds(1));
  now += seconds(1);
  EXPECT_EQ(claim().size(), 1u);
}

}  // namespace
}  // namespace perdure::store::conformance
