// clock_is(): what waits for the end of a duration does not notice that the wall clock is set, what waits for a time of
// the calendar does.
#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

using std::chrono::hours;

constexpr Duration kStand{1'000'000};

NewRun delayed(NewRun created, Duration delay, bool calendar, Duration ttl = {}) {
  created.delayed_until = created.now + delay;
  created.calendar = calendar;
  if (ttl > Duration(0)) created.options.ttl = ttl;
  return created;
}

TEST_P(StoreConformance, AClockThatIsSetForwardEndsNoDurationAndReachesCalendarTimes) {
  set_clock(kStand);  // how it stands at first
  const RunId duration = enqueued(delayed(new_run(), hours(1), false)),
              calendar = enqueued(delayed(new_run(), hours(1), true));
  set_clock(hours(24));
  EXPECT_EQ(run(duration).ready_at, now + hours(1));
  EXPECT_EQ(run(calendar).ready_at, now - hours(23));
  EXPECT_EQ(store().next_due(), now - hours(23));
  EXPECT_EQ(wake_due(store(), now).value(), 1u);
  EXPECT_EQ(status(calendar), RunStatus::kQueued);
  EXPECT_EQ(store().next_due(), now + hours(1));
  now += hours(1);
  EXPECT_EQ(wake_due(store(), now).value(), 1u);
  EXPECT_EQ(status(duration), RunStatus::kQueued);
}

TEST_P(StoreConformance, AClockThatIsSetBackLengthensNoDurationAndDelaysCalendarTimes) {
  set_clock(kStand);  // how it stands at first
  const RunId duration = enqueued(delayed(new_run(), hours(1), false)),
              calendar = enqueued(delayed(new_run(), hours(1), true));
  set_clock(-hours(24));
  EXPECT_EQ(run(duration).ready_at, now + hours(1));
  EXPECT_EQ(run(calendar).ready_at, now + hours(25));
  EXPECT_EQ(store().next_due(), now + hours(1));
  now += hours(1);
  EXPECT_EQ(wake_due(store(), now).value(), 1u);
  EXPECT_EQ(status(duration), RunStatus::kQueued);
  now += hours(24);
  EXPECT_EQ(wake_due(store(), now).value(), 1u);
  EXPECT_EQ(status(calendar), RunStatus::kQueued);
}

TEST_P(StoreConformance, AClockThatIsSetMovesBackoffsAndTtlsAlong) {
  set_clock(kStand);  // how it stands at first
  const RunId failed = enqueued();
  fail(claim_one(), RetryAt{now + seconds(10)});
  NewRun created = new_run();
  created.options.ttl = seconds(30);
  const RunId queued = enqueued(created);
  set_clock(hours(5));
  EXPECT_EQ(run(failed).ready_at, now + seconds(10));
  EXPECT_EQ(run(queued).expires_at, now + seconds(30));
  EXPECT_EQ(wake_due(store(), now).value(), 0u);
  now += seconds(10);
  EXPECT_EQ(wake_due(store(), now).value(), 1u);
  set_clock(-hours(3));
  now += seconds(20);
  EXPECT_EQ(wake_due(store(), now).value(), 1u);
  EXPECT_EQ(status(queued), RunStatus::kExpired);
}

TEST_P(StoreConformance, AClockThatIsSetReachesTheTimeThatATaskNamedForItsRetry) {
  set_clock(kStand);  // how it stands at first
  const RunId id = enqueued();
  fail(claim_one(), RetryAt{now + hours(2), true});
  EXPECT_TRUE(run(id).calendar);
  set_clock(hours(2));
  EXPECT_EQ(wake_due(store(), now).value(), 1u);
  EXPECT_EQ(status(id), RunStatus::kQueued);
  EXPECT_FALSE(run(id).calendar);
}

TEST_P(StoreConformance, AfterACalendarTimeTheTtlIsADurationLikeAnyOther) {
  set_clock(kStand);  // how it stands at first
  const RunId id = enqueued(delayed(new_run(), seconds(10), true, seconds(60)));
  EXPECT_EQ(run(id).expires_at, now + seconds(70));
  set_clock(seconds(5));
  EXPECT_EQ(run(id).expires_at, now + seconds(65));
  now += seconds(5);
  EXPECT_EQ(wake_due(store(), now).value(), 1u);
  set_clock(hours(1));
  EXPECT_EQ(run(id).expires_at, now + seconds(60));
  EXPECT_EQ(wake_due(store(), now).value(), 0u);
  now += seconds(60);
  EXPECT_EQ(wake_due(store(), now).value(), 1u);
  EXPECT_EQ(status(id), RunStatus::kExpired);
}

TEST_P(StoreConformance, AClockThatIsSetChangesNothingOfWhatIsOver) {
  set_clock(kStand);  // how it stands at first
  const RunId canceled = enqueued(delayed(new_run(), hours(1), false, hours(1)));
  ASSERT_TRUE(cancel(store(), canceled, now));
  NewRun created = new_run();
  created.options.ttl = hours(1);
  const RunId started = enqueued(created);
  const Claim claimed = claim_one();
  const store::Run before = run(canceled), executing = run(started);
  set_clock(hours(7));
  EXPECT_TRUE(run(canceled) == before);
  EXPECT_TRUE(run(started) == executing);
  succeed(claimed);
  EXPECT_EQ(run(started).expires_at, executing.expires_at);
}

TEST_P(StoreConformance, AClockThatIsSetNeitherEndsNorKeepsAnIdempotencyKey) {
  set_clock(kStand);  // how it stands at first
  NewRun keyed = new_run();
  keyed.options.idempotency_key = "k";
  keyed.idempotency_ttl = hours(1);
  const RunId first = enqueued(keyed);
  const auto again = [&] {
    keyed.id = new_run_id(now);
    keyed.now = now;
    return enqueued(keyed);
  };
  set_clock(hours(24));
  EXPECT_EQ(again(), first);
  set_clock(-hours(48));
  EXPECT_EQ(again(), first);
  now += hours(1);
  EXPECT_NE(again(), first);
}

TEST_P(StoreConformance, AClockThatWasSetIsRememberedWhenTheStoreIsOpenedAgain) {
  set_clock(kStand);  // how it stands at first
  const RunId early = enqueued(delayed(new_run(), hours(1), false));
  set_clock(hours(24));
  const RunId late = enqueued(delayed(new_run(), hours(2), false)),
              calendar = enqueued(delayed(new_run(), hours(3), true));
  reopen();
  EXPECT_EQ(run(early).ready_at, now + hours(1));
  EXPECT_EQ(run(late).ready_at, now + hours(2));
  EXPECT_EQ(run(calendar).ready_at, now + hours(3));
  EXPECT_EQ(store().next_due(), now + hours(1));
  set_clock(-hours(24));  // as it was, told to a host that saw nothing of it being set forward
  EXPECT_EQ(run(early).ready_at, now + hours(1));
  EXPECT_EQ(run(calendar).ready_at, now + hours(27));
  for (int hour = 1; hour <= 2; ++hour) {
    now += hours(1);
    EXPECT_EQ(wake_due(store(), now).value(), 1u);
  }
  EXPECT_EQ(status(late), RunStatus::kQueued);
  EXPECT_EQ(store().next_due(), now + hours(25));
}

TEST_P(StoreConformance, AClockOfAnotherBootSaysNothingOfHowItWasSet) {
  set_clock(kStand);  // how it stands at first
  const RunId id = enqueued(delayed(new_run(), hours(1), false));
  EXPECT_EQ(clock_is(store(), {"another boot", kStand + hours(9)}).value(), Duration(0));
  EXPECT_EQ(run(id).ready_at, now + hours(1));
  EXPECT_EQ(clock_is(store(), {"another boot", kStand + hours(10)}).value(), hours(1));
  EXPECT_EQ(run(id).ready_at, now + hours(2));
}

TEST_P(StoreConformance, AClockThatIsReadALittleDifferentlyWasNotSet) {
  set_clock(kStand);  // how it stands at first
  const RunId id = enqueued(delayed(new_run(), hours(1), false));
  for (int i = 1; i <= 100; ++i) {
    EXPECT_EQ(clock_is(store(), {"boot", kStand + milliseconds(i % 2 == 0 ? 3 : -3)}).value(), Duration(0));
  }
  EXPECT_EQ(run(id).ready_at, now + hours(1));
  for (int i = 1; i <= 4; ++i) {  // but what adds up is no noise
    ASSERT_TRUE(clock_is(store(), {"boot", kStand + milliseconds(10 * i)}));
  }
  EXPECT_EQ(run(id).ready_at, now + hours(1) + milliseconds(40));
}

TEST_P(StoreConformance, AClockThatIsSetIsTakenInWhileTheStoreRefusesChanges) {
  set_clock(kStand);  // how it stands at first
  if (!factory().can_fail_writes()) GTEST_SKIP() << "the engine cannot fail writes";
  const RunId id = enqueued(delayed(new_run(), hours(1), false));
  factory().fail_writes();
  EXPECT_FALSE(enqueue(store(), new_run()));
  EXPECT_FALSE(clock_is(store(), {"boot", kStand + hours(4)}));
  factory().heal();
  ASSERT_TRUE(listener.wait_until([](const auto& told) { return !told.health.empty() && told.health.back(); }));
  now += hours(4);
  EXPECT_EQ(run(id).ready_at, now + hours(1));
  EXPECT_EQ(store().next_due(), now + hours(1));
  reopen();
  EXPECT_EQ(run(id).ready_at, now + hours(1));
}

}  // namespace
}  // namespace perdure::store::conformance
