// reschedule() and reset_idempotency_key().
#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

NewRun delayed(NewRun created, Duration delay) {
  created.delayed_until = created.now + delay;
  return created;
}

TEST_P(StoreConformance, ARescheduledRunIsDueAtItsNewTimeOnly) {
  const RunId id = enqueued(delayed(new_run(), seconds(10)));
  const Result<store::Run> moved = reschedule(store(), id, now + seconds(60), now);
  ASSERT_TRUE(moved) << moved.status().message();
  EXPECT_EQ(moved->ready_at, now + seconds(60));
  EXPECT_TRUE(*moved == run(id));
  EXPECT_EQ(store().next_due(), now + seconds(60));
  EXPECT_EQ(wake_due(store(), now + seconds(59)).value(), 0u);
  ASSERT_TRUE(reschedule(store(), id, now + seconds(5), now));
  EXPECT_EQ(store().next_due(), now + seconds(5));
  reopen();
  EXPECT_EQ(store().next_due(), now + seconds(5));
  now += seconds(5);
  EXPECT_EQ(wake_due(store(), now).value(), 1u);
  EXPECT_EQ(ids_of(claim()), std::vector<RunId>{id});
  EXPECT_EQ(events(id),
            (std::vector<std::string>{"triggered", "rescheduled", "rescheduled", "due", "claimed", "attempt_started"}));
}

TEST_P(StoreConformance, ARunThatIsRescheduledIntoThePastIsDueNow) {
  const RunId id = enqueued(delayed(new_run(), seconds(10)));
  ASSERT_TRUE(reschedule(store(), id, now - seconds(60), now));
  EXPECT_EQ(store().next_due(), now);
  EXPECT_EQ(wake_due(store(), now).value(), 1u);
}

TEST_P(StoreConformance, TheTtlOfARescheduledRunCountsFromTheEndOfItsNewDelay) {
  NewRun created = delayed(new_run(), seconds(10));
  created.options.ttl = seconds(5);
  const RunId id = enqueued(created);
  ASSERT_TRUE(reschedule(store(), id, now + seconds(60), now));
  EXPECT_EQ(run(id).expires_at, now + seconds(65));
  now += seconds(16);
  EXPECT_EQ(wake_due(store(), now).value(), 0u);
  now += seconds(44);
  EXPECT_EQ(wake_due(store(), now).value(), 1u);
  EXPECT_EQ(status(id), RunStatus::kQueued);
  now += seconds(5);
  EXPECT_EQ(wake_due(store(), now).value(), 1u);
  EXPECT_EQ(status(id), RunStatus::kExpired);
}

TEST_P(StoreConformance, OnlyARunInItsTriggersDelayIsRescheduled) {
  const RunId queued = enqueued();
  EXPECT_EQ(reschedule(store(), queued, now + seconds(1), now).status().code(), Code::kConflict);
  const Claim claimed = claim_one();
  EXPECT_EQ(reschedule(store(), queued, now + seconds(1), now).status().code(), Code::kConflict);
  fail(claimed, RetryAt{now + seconds(10)});
  EXPECT_EQ(status(queued), RunStatus::kDelayed);
  EXPECT_EQ(reschedule(store(), queued, now + seconds(1), now).status().code(), Code::kConflict);
  EXPECT_EQ(run(queued).ready_at, now + seconds(10));
  const RunId canceled = enqueued(delayed(new_run(), seconds(10)));
  ASSERT_TRUE(cancel(store(), canceled, now));
  EXPECT_EQ(reschedule(store(), canceled, now + seconds(1), now).status().code(), Code::kConflict);
  EXPECT_EQ(reschedule(store(), new_run_id(now), now, now).status().code(), Code::kNotFound);
}

TEST_P(StoreConformance, ThatARunIsRescheduledIsTold) {
  const RunId id = enqueued(delayed(new_run(), seconds(10)));
  const std::size_t due_changed = listener.told().due_changed;
  ASSERT_TRUE(reschedule(store(), id, now + seconds(5), now));
  ASSERT_TRUE(synced(store()));
  EXPECT_EQ(listener.told().statuses_of(id), (std::vector<RunStatus>{RunStatus::kDelayed, RunStatus::kDelayed}));
  EXPECT_EQ(listener.told().due_changed, due_changed + 1);
}

TEST_P(StoreConformance, AResetKeyMakesARunAgainWhateverBecameOfTheFirst) {
  NewRun keyed = new_run();
  keyed.options.idempotency_key = "k";
  const RunId first = enqueued(keyed);
  succeed(claim_one());
  keyed.id = new_run_id(now);
  EXPECT_EQ(enqueued(keyed), first);
  const Result<RunId> freed = reset_key(store(), TaskId("echo"), "k", now);
  ASSERT_TRUE(freed) << freed.status().message();
  EXPECT_EQ(*freed, first);
  reopen();
  const RunId second = enqueued(keyed);
  EXPECT_EQ(second, keyed.id);
  // The first run's end later frees nothing of the second's.
  EXPECT_EQ(enqueued([&] {
              keyed.id = new_run_id(now);
              return keyed;
            }()),
            second);
}

TEST_P(StoreConformance, AKeyThatNoRunHasCannotBeReset) {
  NewRun keyed = new_run();
  keyed.options.idempotency_key = "k";
  keyed.idempotency_ttl = seconds(10);
  enqueued(keyed);
  EXPECT_EQ(reset_key(store(), TaskId("other"), "k", now).status().code(), Code::kNotFound);
  EXPECT_EQ(reset_key(store(), TaskId("echo"), "l", now).status().code(), Code::kNotFound);
  EXPECT_EQ(reset_key(store(), TaskId("echo"), "", now).status().code(), Code::kNotFound);
  EXPECT_EQ(reset_key(store(), TaskId("echo"), "k", now + seconds(10)).status().code(), Code::kNotFound);
  EXPECT_TRUE(reset_key(store(), TaskId("echo"), "k", now));
  EXPECT_EQ(reset_key(store(), TaskId("echo"), "k", now).status().code(), Code::kNotFound);
}

}  // namespace
}  // namespace perdure::store::conformance
