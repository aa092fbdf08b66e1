// Runs that wait: for times, for other runs, for all or any of these; with and without their slot and their process.
#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

NewWait wait_of(const Claim& claim, std::uint64_t call, Time now) {
  NewWait wait;
  wait.run = claim.run.id;
  wait.number = claim.attempt.number;
  wait.token = claim.attempt.token;
  wait.name = "wait";
  wait.wait.call = call;
  wait.now = now;
  return wait;
}

NewWait wait_for(const Claim& claim, std::uint64_t call, Time now, Duration duration) {
  NewWait wait = wait_of(claim, call, now);
  wait.wait.members = {{WaitpointKind::kTime, {}}};
  wait.until = now + duration;
  return wait;
}

NewWait wait_for_runs(const Claim& claim, std::uint64_t call, Time now, const std::vector<RunId>& runs,
                      WaitMode mode = WaitMode::kAll) {
  NewWait wait = wait_of(claim, call, now);
  wait.wait.mode = mode;
  for (const RunId& run : runs) wait.wait.members.push_back({WaitpointKind::kRun, run});
  return wait;
}

TEST_P(StoreConformance, ARunWaitsUntilItsTimeHasComeAndThenGoesOnInItsAttempt) {
  const RunId id = enqueued();
  const Claim claimed = claim_one();
  const WaitBegun begun = begin_wait(store(), wait_for(claimed, 1, now, minutes(1))).value();
  EXPECT_FALSE(begun.over);
  EXPECT_EQ(status(id), RunStatus::kWaiting);
  EXPECT_EQ(run(id).ready_at, now + minutes(1));
  EXPECT_EQ(store().next_due(), now + minutes(1));
  EXPECT_TRUE(claim().empty());
  now += minutes(1);
  ASSERT_TRUE(wake_due(store(), now));
  EXPECT_NE(store().next_due(), now);
  const Claim again = claim_one();
  ASSERT_TRUE(again.resumed);
  EXPECT_FALSE(again.resumed->evicted);
  EXPECT_EQ(again.attempt.number, 1u);
  EXPECT_EQ(again.attempt.token, claimed.attempt.token);
  EXPECT_EQ(status(id), RunStatus::kExecuting);
  EXPECT_EQ(run(id).ready_at, std::nullopt);
  succeed(again);
  EXPECT_EQ(events(id), (std::vector<std::string>{"triggered", "claimed", "attempt_started", "wait_began", "resumed",
                                                  "succeeded"}));
}

TEST_P(StoreConformance, AWaitWhoseTimeHasComeDoesNotBegin) {
  const RunId id = enqueued();
  const Claim claimed = claim_one();
  EXPECT_TRUE(begin_wait(store(), wait_for(claimed, 1, now, Duration(0))).value().over);
  EXPECT_EQ(status(id), RunStatus::kExecuting);
}

TEST_P(StoreConformance, ARunGoesOnWhenTheRunItWaitsForIsOverHoweverThatEnds) {
  const RunId id = enqueued("parent");
  const Claim parent = claim_one();
  std::uint64_t call = 1;
  for (const bool succeeds : {true, false}) {
    const RunId child = enqueued("child");
    ASSERT_FALSE(begin_wait(store(), wait_for_runs(parent, call++, now, {child})).value().over);
    const Claim claimed = claim_one();
    EXPECT_EQ(claimed.run.id, child);
    EXPECT_TRUE(claim().empty());
    if (succeeds) {
      succeed(claimed);
    } else {
      fail(claimed, GiveUp{RunStatus::kFailed});
    }
    EXPECT_EQ(claim_one().run.id, id);
  }
  const RunId canceled = enqueued("child");
  ASSERT_FALSE(begin_wait(store(), wait_for_runs(parent, call++, now, {canceled})).value().over);
  ASSERT_TRUE(cancel(store(), canceled, now));
  EXPECT_EQ(claim_one().run.id, id);
}

TEST_P(StoreConformance, AWaitForARunThatIsOverOrWasNeverThereDoesNotBegin) {
  enqueued("parent");
  const Claim parent = claim_one();
  const RunId child = enqueued("child");
  succeed(claim_one());
  EXPECT_TRUE(begin_wait(store(), wait_for_runs(parent, 1, now, {child})).value().over);
  EXPECT_TRUE(begin_wait(store(), wait_for_runs(parent, 2, now, {new_run_id(now)})).value().over);
}

TEST_P(StoreConformance, AWaitForAllGoesOnWithTheLastAndOneForAnyWithTheFirst) {
  const RunId all = enqueued("all"), any = enqueued("any");
  const Claim first = claim_one_of(all), second = claim_one_of(any);
  const RunId one = enqueued("child"), two = enqueued("child");
  ASSERT_FALSE(begin_wait(store(), wait_for_runs(first, 1, now, {one, two})).value().over);
  ASSERT_FALSE(begin_wait(store(), wait_for_runs(second, 1, now, {one, two}, WaitMode::kAny)).value().over);
  ASSERT_TRUE(cancel(store(), two, now));
  const Claim resumed = claim_one_of(any);
  EXPECT_EQ(resumed.resumed->first, 1u);
  EXPECT_EQ(store().recorded_call(any, 1).value().wait.first, 1u);
  EXPECT_EQ(status(all), RunStatus::kWaiting);
  ASSERT_TRUE(cancel(store(), one, now));
  EXPECT_EQ(claim_one_of(all).resumed->first, std::nullopt);
}

TEST_P(StoreConformance, WhichOfSeveralCameFirstStandsForLaterAttempts) {
  const RunId id = enqueued("any");
  Claim claimed = claim_one();
  const RunId one = enqueued("child"), two = enqueued("child");
  const auto wait = [&] { return begin_wait(store(), wait_for_runs(claimed, 1, now, {one, two}, WaitMode::kAny)); };
  ASSERT_FALSE(wait().value().over);
  ASSERT_TRUE(cancel(store(), two, now));
  fail(claim_one_of(id), RetryAt{now});
  claimed = claim_one_of(id);
  ASSERT_TRUE(cancel(store(), one, now));
  const WaitBegun again = wait().value();
  EXPECT_TRUE(again.over);
  EXPECT_EQ(again.call.wait.first, 1u);
}

TEST_P(StoreConformance, ARunGoesOnWhenTheTokenItWaitsForIsCompletedOrTimedOut) {
  const RunId id = enqueued();
  const Claim claimed = claim_one();
  for (const bool completes : {true, false}) {
    NewToken created;
    created.id = new_token_id(now);
    created.now = now;
    created.timeout_at = now + minutes(10);
    ASSERT_TRUE(create_token(store(), created));
    NewWait wait = wait_of(claimed, completes ? 1 : 2, now);
    wait.wait.members = {{WaitpointKind::kToken, {}, created.id}};
    ASSERT_FALSE(begin_wait(store(), wait).value().over);
    EXPECT_TRUE(claim().empty());
    if (completes) {
      ASSERT_TRUE(complete_token(store(), {created.id, "7", now, std::nullopt}));
    } else {
      now += minutes(10);
      ASSERT_TRUE(wake_due(store(), now));
    }
    EXPECT_EQ(claim_one().run.id, id);
    wait.wait.call += 10;
    EXPECT_TRUE(begin_wait(store(), wait).value().over);
  }
}

TEST_P(StoreConformance, AWaitForRunsMayHaveATimeAsItsEnd) {
  const RunId id = enqueued("parent");
  const Claim parent = claim_one();
  const RunId child = enqueued("child");
  NewWait wait = wait_for_runs(parent, 1, now, {child}, WaitMode::kAny);
  wait.wait.members.push_back({WaitpointKind::kTime, {}});
  wait.until = now + minutes(1);
  ASSERT_FALSE(begin_wait(store(), wait).value().over);
  now += minutes(1);
  ASSERT_TRUE(wake_due(store(), now));
  EXPECT_EQ(claim_one_of(id).resumed->first, 1u);
}

TEST_P(StoreConformance, ALaterAttemptWaitsForTheRestOnly) {
  const RunId id = enqueued();
  const Claim first = claim_one();
  const Time until = now + hours(1);
  ASSERT_FALSE(begin_wait(store(), wait_for(first, 1, now, hours(1))).value().over);
  now += minutes(20);
  ASSERT_EQ(recover(store(), now).value(), 1u);
  const Claim second = claim_one();
  EXPECT_EQ(second.attempt.number, 2u);
  const WaitBegun begun = begin_wait(store(), wait_for(second, 1, now, hours(1))).value();
  EXPECT_FALSE(begun.over);
  EXPECT_EQ(begun.call.until, until);
  EXPECT_EQ(run(id).ready_at, until);
  now = until;
  ASSERT_TRUE(wake_due(store(), now));
  fail(claim_one(), RetryAt{now});
  EXPECT_TRUE(begin_wait(store(), wait_for(claim_one(), 1, now, hours(1))).value().over);
}

TEST_P(StoreConformance, AWaitAtThePlaceOfAnotherCallIsRefused) {
  const RunId id = enqueued();
  const Claim claimed = claim_one();
  ASSERT_TRUE(record_step(store(), {id, 1, claimed.attempt.token, 1, "charge", "1"}));
  EXPECT_EQ(begin_wait(store(), wait_for(claimed, 1, now, hours(1))).status().code(), Code::kConflict);
  ASSERT_TRUE(begin_wait(store(), wait_for(claimed, 2, now, hours(1))));
  fail(claimed, RetryAt{now}, FailureKind::kCrashed);
  NewWait other = wait_for(claim_one(), 2, now, hours(1));
  other.name = "another";
  EXPECT_EQ(begin_wait(store(), other).status().code(), Code::kConflict);
}

TEST_P(StoreConformance, OnlyTheAttemptThatExecutesWaitsAndForOneThingAtATime) {
  const RunId id = enqueued();
  const Claim claimed = claim_one();
  NewWait foreign = wait_for(claimed, 1, now, hours(1));
  foreign.token = "another's";
  EXPECT_EQ(begin_wait(store(), foreign).status().code(), Code::kConflict);
  ASSERT_TRUE(begin_wait(store(), wait_for(claimed, 1, now, hours(1))));
  EXPECT_EQ(begin_wait(store(), wait_for(claimed, 2, now, hours(1))).status().code(), Code::kConflict);
  EXPECT_EQ(status(id), RunStatus::kWaiting);
}

TEST_P(StoreConformance, AWaitForNothingIsInvalid) {
  enqueued();
  const Claim claimed = claim_one();
  EXPECT_EQ(begin_wait(store(), wait_of(claimed, 1, now)).status().code(), Code::kInvalid);
  NewWait timeless = wait_for(claimed, 1, now, hours(1));
  timeless.until.reset();
  EXPECT_EQ(begin_wait(store(), timeless).status().code(), Code::kInvalid);
  EXPECT_EQ(begin_wait(store(), wait_for_runs(claimed, 1, now, {RunId("nonsense")})).status().code(), Code::kInvalid);
}

TEST_P(StoreConformance, ARunThatWaitsHoldsNoSlotAndGoesOnBeforeNewOnes) {
  store().limit_queue(QueueName("q"), 1);
  const RunId id = enqueued_in("q"), next = enqueued_in("q"), last = enqueued_in("q");
  const Claim claimed = claim_one();
  EXPECT_TRUE(claim().empty());
  ASSERT_TRUE(begin_wait(store(), wait_for(claimed, 1, now, minutes(1))));
  EXPECT_EQ(queue("q").running, 0u);
  const Claim other = claim_one();
  EXPECT_EQ(other.run.id, next);
  now += minutes(1);
  ASSERT_TRUE(wake_due(store(), now));
  EXPECT_TRUE(claim().empty());
  succeed(other);
  const Claim again = claim_one();
  EXPECT_EQ(again.run.id, id);
  EXPECT_TRUE(claim().empty());
  EXPECT_EQ(queue("q").running, 1u);
  succeed(again);
  EXPECT_EQ(claim_one().run.id, last);
}

TEST_P(StoreConformance, AShortWaitKeepsItsSlotAndNeedsNone) {
  store().limit_queue(QueueName("q"), 1);
  const RunId id = enqueued_in("q");
  enqueued_in("q");
  const Claim claimed = claim_one();
  NewWait wait = wait_for(claimed, 1, now, seconds(1));
  wait.wait.keeps_slot = true;
  ASSERT_FALSE(begin_wait(store(), wait).value().over);
  EXPECT_TRUE(claim().empty());
  now += seconds(1);
  ASSERT_TRUE(wake_due(store(), now));
  const std::vector<Claim> resumed = claim(0);
  ASSERT_EQ(resumed.size(), 1u);
  EXPECT_EQ(resumed[0].run.id, id);
  EXPECT_TRUE(claim().empty());
  succeed(resumed[0]);
  EXPECT_EQ(claim().size(), 1u);
}

TEST_P(StoreConformance, AWaitThatIsOverIsToldLikeARunThatIsReady) {
  store().listen(&listener);
  enqueued("parent");
  const Claim parent = claim_one();
  const RunId child = enqueued("child");
  ASSERT_TRUE(begin_wait(store(), wait_for_runs(parent, 1, now, {child})));
  const std::size_t ready = listener.told().ready;
  ASSERT_TRUE(cancel(store(), child, now));
  EXPECT_TRUE(listener.wait_until([&](const RecordingListener::Told& told) { return told.ready > ready; }));
  store().listen(nullptr);
}

TEST_P(StoreConformance, ARunThatGoesOnWaitsForRoomLikeAnyOther) {
  const RunId id = enqueued("parent");
  const Claim parent = claim_one();
  const RunId child = enqueued("child");
  ASSERT_TRUE(begin_wait(store(), wait_for_runs(parent, 1, now, {child})));
  ASSERT_TRUE(cancel(store(), child, now));
  EXPECT_TRUE(store::conformance::claim(store(), 10, now, [](const store::Run&) { return NotNow{}; }).value().empty());
  EXPECT_EQ(status(id), RunStatus::kWaiting);
  EXPECT_TRUE(store::conformance::claim(store(), 10, now, [](const store::Run&) { return Hold{}; }).value().empty());
  EXPECT_EQ(status(id), RunStatus::kWaiting);
  EXPECT_TRUE(claim().empty());
  EXPECT_EQ(store().put_back(TaskId("parent"), std::nullopt, 10), 1u);
  EXPECT_EQ(claim_one().run.id, id);
}

TEST_P(StoreConformance, ARunWhoseProcessLeftDuringAWaitIsHandedOutWithItsPayload) {
  NewRun created = new_run("parent");
  created.payload = "[1,2]";
  const RunId id = enqueued(created);
  const Claim parent = claim_one();
  EXPECT_EQ(evict(store(), parent).code(), Code::kConflict);
  ASSERT_TRUE(begin_wait(store(), wait_for(parent, 1, now, hours(1))));
  Usage usage;
  usage.duration = seconds(3);
  ASSERT_TRUE(evict(store(), parent, usage));
  EXPECT_EQ(evict(store(), parent).code(), Code::kConflict);
  EXPECT_EQ(recover(store(), now).value(), 0u);
  now += hours(1);
  ASSERT_TRUE(wake_due(store(), now));
  const Claim again = claim_one();
  ASSERT_TRUE(again.resumed);
  EXPECT_TRUE(again.resumed->evicted);
  EXPECT_EQ(again.payload, "[1,2]");
  EXPECT_EQ(again.attempt.number, 1u);
  EXPECT_EQ(again.attempt.evictions, 1u);
  EXPECT_TRUE(begin_wait(store(), wait_for(again, 1, now, hours(1))).value().over);
  AttemptEnd end = success_of(again, now);
  end.usage = usage;
  finish(end);
  EXPECT_EQ(attempts(id).at(0).usage.duration, seconds(6));
  EXPECT_EQ(run(id).executed, seconds(6));
}

TEST_P(StoreConformance, ARunWhoseProcessLeftDuringAShortWaitHoldsNoSlotEither) {
  store().limit_queue(QueueName("q"), 1);
  const RunId id = enqueued_in("q"), next = enqueued_in("q");
  const Claim claimed = claim_one();
  NewWait wait = wait_for(claimed, 1, now, seconds(1));
  wait.wait.keeps_slot = true;
  ASSERT_TRUE(begin_wait(store(), wait));
  ASSERT_TRUE(evict(store(), claimed));
  const Claim other = claim_one();
  EXPECT_EQ(other.run.id, next);
  now += seconds(1);
  ASSERT_TRUE(wake_due(store(), now));
  EXPECT_TRUE(claim().empty());
  succeed(other);
  EXPECT_EQ(claim_one().run.id, id);
}

TEST_P(StoreConformance, AProcessWhoseWaitIsOverIsNotToLeave) {
  enqueued();
  const Claim claimed = claim_one();
  NewWait wait = wait_for(claimed, 1, now, seconds(1));
  wait.wait.keeps_slot = true;
  ASSERT_TRUE(begin_wait(store(), wait));
  now += seconds(1);
  ASSERT_TRUE(wake_due(store(), now));
  EXPECT_EQ(evict(store(), claimed).code(), Code::kConflict);
  EXPECT_EQ(claim(0).size(), 1u);
}

TEST_P(StoreConformance, ARunThatWaitsInAProcessIsCanceledByEndingItsAttempt) {
  const RunId id = enqueued();
  const Claim claimed = claim_one();
  ASSERT_TRUE(begin_wait(store(), wait_for(claimed, 1, now, hours(1))));
  EXPECT_EQ(cancel(store(), id, now).status().code(), Code::kConflict);
  fail(claimed, GiveUp{RunStatus::kCanceled}, FailureKind::kCanceled);
  EXPECT_EQ(status(id), RunStatus::kCanceled);
  EXPECT_EQ(store().next_due(), std::nullopt);
}

TEST_P(StoreConformance, ARunThatWaitsWithoutAProcessIsCanceledAtOnce) {
  const RunId id = enqueued();
  const Claim claimed = claim_one();
  ASSERT_TRUE(begin_wait(store(), wait_for(claimed, 1, now, hours(1))));
  ASSERT_TRUE(evict(store(), claimed));
  ASSERT_TRUE(cancel(store(), id, now));
  EXPECT_EQ(status(id), RunStatus::kCanceled);
  EXPECT_EQ(attempts(id).at(0).status, AttemptStatus::kCanceled);
  EXPECT_EQ(store().next_due(), std::nullopt);
  now += hours(1);
  ASSERT_TRUE(wake_due(store(), now));
  EXPECT_TRUE(claim().empty());
}

TEST_P(StoreConformance, AnAttemptMayEndInAWaitWithoutOneSlotTooMany) {
  store().limit_queue(QueueName("q"), 1);
  enqueued_in("q");
  const Claim waits = claim_one();
  ASSERT_TRUE(begin_wait(store(), wait_for(waits, 1, now, hours(1))));
  enqueued_in("q");
  const Claim other = claim_one();
  succeed(waits);
  enqueued_in("q");
  EXPECT_TRUE(claim().empty());
  succeed(other);
  EXPECT_EQ(claim().size(), 1u);
  EXPECT_TRUE(claim().empty());
}

TEST_P(StoreConformance, AClockThatIsSetMovesTheEndOfAWaitWithItUnlessThatIsACalendarTime) {
  set_clock(Duration(1'000'000));  // how it stands at first
  const RunId duration = enqueued("duration"), calendar = enqueued("calendar");
  const Claim first = claim_one_of(duration), second = claim_one_of(calendar);
  ASSERT_TRUE(begin_wait(store(), wait_for(first, 1, now, hours(1))));
  NewWait until = wait_for(second, 1, now, hours(1));
  until.calendar = true;
  ASSERT_TRUE(begin_wait(store(), until));
  set_clock(hours(24));
  EXPECT_EQ(run(duration).ready_at, now + hours(1));
  EXPECT_EQ(run(calendar).ready_at, now - hours(23));
  EXPECT_EQ(store().recorded_call(duration, 1).value().until, now + hours(1));
  ASSERT_TRUE(wake_due(store(), now));
  claim_one_of(calendar);
  EXPECT_EQ(store().next_due(), now + hours(1));
  ASSERT_TRUE(evict(store(), first));
  EXPECT_EQ(run(duration).ready_at, now + hours(1));
}

TEST_P(StoreConformance, WaitsSurviveThatTheStoreIsOpenedAgain) {
  if (!factory().can_reopen()) GTEST_SKIP() << "this engine keeps nothing";
  const RunId time = enqueued("time"), run_over = enqueued("run_over"), child = enqueued("child");
  const Claim first = claim_one_of(time), second = claim_one_of(run_over);
  ASSERT_TRUE(begin_wait(store(), wait_for(first, 1, now, hours(1))));
  ASSERT_TRUE(evict(store(), first));
  ASSERT_TRUE(begin_wait(store(), wait_for_runs(second, 1, now, {child})));
  ASSERT_TRUE(evict(store(), second));
  reopen();
  EXPECT_EQ(recover(store(), now).value(), 0u);
  EXPECT_EQ(status(time), RunStatus::kWaiting);
  EXPECT_EQ(store().next_due(), now + hours(1));
  ASSERT_TRUE(cancel(store(), child, now));
  reopen();
  EXPECT_EQ(claim_one().run.id, run_over);
  now += hours(1);
  ASSERT_TRUE(wake_due(store(), now));
  const Claim again = claim_one();
  EXPECT_EQ(again.run.id, time);
  EXPECT_TRUE(again.resumed && again.resumed->evicted);
}

TEST_P(StoreConformance, AWaitThatBeganSurvivesAPowerCut) {
  if (!factory().can_lose_power()) GTEST_SKIP() << "this engine has no disk";
  const RunId id = enqueued();
  ASSERT_TRUE(begin_wait(store(), wait_for(claim_one(), 1, now, hours(1))));
  lose_power();
  EXPECT_EQ(store().recorded_call(id, 1).value().until, now + hours(1));
  EXPECT_EQ(recover(store(), now).value(), 1u);
  const WaitBegun begun = begin_wait(store(), wait_for(claim_one(), 1, now, hours(3))).value();
  EXPECT_EQ(begun.call.until, now + hours(1));
}

}  // namespace
}  // namespace perdure::store::conformance
