// wake_due() and next_due(): delays that end and runs that expire.
#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

NewRun delayed(NewRun created, Duration delay) {
  created.delayed_until = created.now + delay;
  return created;
}

NewRun with_ttl(NewRun created, Duration ttl) {
  created.options.ttl = ttl;
  return created;
}

TEST_P(StoreConformance, ADelayedRunIsQueuedWhenItIsDueAndNotBefore) {
  const RunId id = enqueued(delayed(new_run(), seconds(10)));
  EXPECT_EQ(status(id), RunStatus::kDelayed);
  EXPECT_EQ(run(id).ready_at, now + seconds(10));
  now += seconds(10) - milliseconds(1);
  EXPECT_EQ(wake_due(store(), now).value(), 0u);
  EXPECT_TRUE(claim().empty());
  now += milliseconds(1);
  EXPECT_EQ(wake_due(store(), now).value(), 1u);
  EXPECT_EQ(status(id), RunStatus::kQueued);
  EXPECT_FALSE(run(id).ready_at);
  EXPECT_EQ(ids_of(claim()), std::vector<RunId>{id});
  EXPECT_EQ(events(id), (std::vector<std::string>{"triggered", "due", "claimed", "attempt_started"}));
}

TEST_P(StoreConformance, ADelayThatIsOverIsNone) {
  EXPECT_EQ(status(enqueued(delayed(new_run(), -seconds(1)))), RunStatus::kQueued);
  EXPECT_EQ(status(enqueued(delayed(new_run(), Duration(0)))), RunStatus::kQueued);
}

TEST_P(StoreConformance, NextDueIsTheEarliestOfAllTimers) {
  EXPECT_FALSE(store().next_due());
  enqueued();
  EXPECT_FALSE(store().next_due());
  const RunId later = enqueued(delayed(new_run(), seconds(20)));
  EXPECT_EQ(store().next_due(), now + seconds(20));
  enqueued(with_ttl(new_run(), seconds(15)));
  EXPECT_EQ(store().next_due(), now + seconds(15));
  const RunId soon = enqueued(delayed(new_run(), seconds(10)));
  EXPECT_EQ(store().next_due(), now + seconds(10));
  ASSERT_TRUE(cancel(store(), soon, now));
  EXPECT_EQ(store().next_due(), now + seconds(15));
  claim();  // the one with a ttl has started
  EXPECT_EQ(store().next_due(), now + seconds(20));
  now += seconds(20);
  ASSERT_EQ(wake_due(store(), now).value(), 1u);
  EXPECT_FALSE(store().next_due());
  EXPECT_EQ(status(later), RunStatus::kQueued);
}

TEST_P(StoreConformance, AllThatIsDueIsWokenAtOnceAndKeepsItsOrder) {
  std::vector<RunId> ids;
  for (int i = 0; i < 600; ++i) ids.push_back(enqueued(delayed(new_run(), seconds(1 + i % 3))));
  now += seconds(3);
  EXPECT_EQ(wake_due(store(), now).value(), ids.size());
  EXPECT_EQ(ids_of(claim()), ids);
}

TEST_P(StoreConformance, ARunThatHasNotStartedWithinItsTtlExpires) {
  const RunId id = enqueued(with_ttl(new_run(), seconds(5)));
  EXPECT_EQ(run(id).expires_at, now + seconds(5));
  now += seconds(5) - milliseconds(1);
  EXPECT_EQ(wake_due(store(), now).value(), 0u);
  now += milliseconds(1);
  EXPECT_EQ(wake_due(store(), now).value(), 1u);
  EXPECT_EQ(status(id), RunStatus::kExpired);
  EXPECT_EQ(run(id).finished_at, now);
  EXPECT_TRUE(claim().empty());
  EXPECT_EQ(events(id), (std::vector<std::string>{"triggered", "expired"}));
}

TEST_P(StoreConformance, ARunThatHasStartedNeverExpires) {
  const RunId id = enqueued(with_ttl(new_run(), seconds(5)));
  const Claim claimed = claim_one();
  now += seconds(10);
  EXPECT_EQ(wake_due(store(), now).value(), 0u);
  fail(claimed, RetryAt{now + seconds(1)});
  now += seconds(10);
  EXPECT_EQ(wake_due(store(), now).value(), 1u);
  EXPECT_EQ(status(id), RunStatus::kQueued);
  EXPECT_EQ(wake_due(store(), now + seconds(100)).value(), 0u);
  EXPECT_EQ(status(id), RunStatus::kQueued);
}

TEST_P(StoreConformance, TheTtlOfADelayedRunCountsFromTheEndOfItsDelay) {
  const RunId id = enqueued(with_ttl(delayed(new_run(), seconds(10)), seconds(5)));
  EXPECT_EQ(run(id).expires_at, now + seconds(15));
  now += seconds(12);
  EXPECT_EQ(wake_due(store(), now).value(), 1u);
  EXPECT_EQ(status(id), RunStatus::kQueued);
  now += seconds(3);
  EXPECT_EQ(wake_due(store(), now).value(), 1u);
  EXPECT_EQ(status(id), RunStatus::kExpired);
}

TEST_P(StoreConformance, ADelayedRunWhoseTtlIsOverTooExpires) {
  const RunId id = enqueued(with_ttl(delayed(new_run(), seconds(10)), seconds(5)));
  now += seconds(60);
  EXPECT_EQ(wake_due(store(), now).value(), 1u);
  EXPECT_EQ(status(id), RunStatus::kExpired);
  EXPECT_EQ(events(id), (std::vector<std::string>{"triggered", "expired"}));
}

TEST_P(StoreConformance, AHeldRunExpires) {
  NewRun created = with_ttl(new_run("gone"), seconds(5));
  created.pending_version = true;
  const RunId id = enqueued(std::move(created));
  now += seconds(5);
  EXPECT_EQ(wake_due(store(), now).value(), 1u);
  EXPECT_EQ(status(id), RunStatus::kExpired);
  EXPECT_EQ(release(store(), {TaskId("gone")}, now).value(), 0u);
}

}  // namespace
}  // namespace perdure::store::conformance
