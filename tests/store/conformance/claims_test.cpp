// claim(): which runs, in what order, within which limits; and what an attempt begins with.
#include <set>

#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

TEST_P(StoreConformance, AClaimBeginsTheFirstAttempt) {
  const RunId id = enqueued();
  now += seconds(1);
  const Claim claimed = claim_one();
  EXPECT_EQ(claimed.run.id, id);
  EXPECT_EQ(claimed.run.status, RunStatus::kExecuting);
  EXPECT_EQ(claimed.run.attempts, 1u);
  EXPECT_EQ(claimed.run.started_at, now);
  EXPECT_EQ(claimed.run.updated_at, now);
  EXPECT_EQ(claimed.run.version, VersionId("v1"));
  EXPECT_EQ(claimed.payload, "{\"n\":1}");
  EXPECT_EQ(claimed.attempt.run, id);
  EXPECT_EQ(claimed.attempt.number, 1u);
  EXPECT_EQ(claimed.attempt.status, AttemptStatus::kExecuting);
  EXPECT_EQ(claimed.attempt.started_at, now);
  EXPECT_EQ(claimed.attempt.version, VersionId("v1"));
  EXPECT_FALSE(claimed.attempt.token.empty());
  EXPECT_EQ(run(id), claimed.run);
  EXPECT_EQ(attempts(id), std::vector<Attempt>{claimed.attempt});
}

TEST_P(StoreConformance, AClaimIsAnsweredBeforeItReturns) {
  enqueued();
  bool answered = false;
  store().claim(1, now, version_one,
                [&](Result<std::vector<Claim>> claims) { answered = claims && claims->size() == 1; });
  EXPECT_TRUE(answered);
}

TEST_P(StoreConformance, ARunIsClaimedOnlyOnce) {
  enqueued();
  EXPECT_EQ(claim().size(), 1u);
  EXPECT_TRUE(claim().empty());
}

TEST_P(StoreConformance, AClaimTakesNoMoreThanAskedFor) {
  for (int i = 0; i < 5; ++i) enqueued();
  EXPECT_TRUE(claim(0).empty());
  EXPECT_EQ(claim(3).size(), 3u);
  EXPECT_EQ(claim(3).size(), 2u);
}

TEST_P(StoreConformance, EveryAttemptHasATokenOfItsOwn) {
  std::set<std::string> tokens;
  for (int i = 0; i < 50; ++i) enqueued();
  for (const Claim& claimed : claim()) tokens.insert(claimed.attempt.token);
  EXPECT_EQ(tokens.size(), 50u);
}

TEST_P(StoreConformance, WithinAQueueTheFirstInIsTheFirstOut) {
  std::vector<RunId> in_order;
  for (int i = 0; i < 20; ++i) {
    in_order.push_back(enqueued());
    if (i % 3 == 0) now += milliseconds(1);
  }
  EXPECT_EQ(ids_of(claim()), in_order);
}

TEST_P(StoreConformance, PriorityIsAHeadStartInTime) {
  const RunId first = enqueued();
  now += seconds(5);
  NewRun created = new_run();
  created.priority = seconds(4);
  const RunId behind = enqueued(std::move(created));
  created = new_run();
  created.priority = seconds(6);
  const RunId ahead = enqueued(std::move(created));
  EXPECT_EQ(ids_of(claim()), (std::vector<RunId>{ahead, first, behind}));
}

TEST_P(StoreConformance, ARetriedRunQueuesAgainBehindWhatIsThere) {
  const RunId first = enqueued();
  const Claim claimed = claim_one();
  now += seconds(1);
  const RunId second = enqueued();
  now += seconds(1);
  fail(claimed, RetryAt{now});
  EXPECT_EQ(ids_of(claim()), (std::vector<RunId>{second, first}));
}

TEST_P(StoreConformance, QueuesTakeTurns) {
  std::vector<RunId> a, b, c;
  for (int i = 0; i < 3; ++i) a.push_back(enqueued_in("a"));
  for (int i = 0; i < 3; ++i) b.push_back(enqueued_in("b"));
  c.push_back(enqueued_in("c"));
  EXPECT_EQ(ids_of(claim()), (std::vector<RunId>{a[0], b[0], c[0], a[1], b[1], a[2], b[2]}));
}

TEST_P(StoreConformance, ATenantsBacklogDoesNotDelayTheFirstRunOfAnother) {
  for (int i = 0; i < 200; ++i) enqueued_in("mail", "big");
  claim(100);
  const RunId small = enqueued_in("mail", "small");
  EXPECT_EQ(claim(1).front().run.id, small);
}

TEST_P(StoreConformance, TheQueueServedLongestAgoIsNext) {
  const RunId a1 = enqueued_in("a"), b1 = enqueued_in("b"), c1 = enqueued_in("c");
  EXPECT_EQ(ids_of(claim()), (std::vector<RunId>{a1, b1, c1}));
  const RunId c2 = enqueued_in("c"), b2 = enqueued_in("b"), a2 = enqueued_in("a");
  EXPECT_EQ(ids_of(claim(1)), std::vector<RunId>{a2});
  const RunId a3 = enqueued_in("a");
  EXPECT_EQ(ids_of(claim()), (std::vector<RunId>{b2, c2, a3}));
}

// ---- Limits ---------------------------------------------------------------------------------------------------------

TEST_P(StoreConformance, NoMoreRunsOfAQueueExecuteThanItsLimit) {
  store().limit_queue(QueueName("mail"), 2);
  for (int i = 0; i < 5; ++i) enqueued_in("mail");
  const RunId other = enqueued_in("other");
  const std::vector<Claim> claimed = claim();
  EXPECT_EQ(claimed.size(), 3u);
  EXPECT_TRUE(claim().empty());
  EXPECT_EQ(status(other), RunStatus::kExecuting);
}

TEST_P(StoreConformance, EachConcurrencyKeyHasTheWholeLimitOfItsQueue) {
  store().limit_queue(QueueName("mail"), 1);
  for (const char* key : {"x", "x", "y", "y", ""}) enqueued_in("mail", key);
  EXPECT_EQ(claim().size(), 3u);
}

TEST_P(StoreConformance, AnAttemptThatEndsFreesItsSlotHoweverItEnds) {
  store().limit_queue(QueueName("mail"), 1);
  for (int i = 0; i < 6; ++i) enqueued_in("mail");
  succeed(claim_one());
  fail(claim_one(), GiveUp{RunStatus::kFailed});
  fail(claim_one(), GiveUp{RunStatus::kCanceled}, FailureKind::kCanceled);
  fail(claim_one(), RetryAt{now + seconds(60)});
  const Claim last_but_one = claim_one();
  EXPECT_TRUE(claim().empty());
  succeed(last_but_one);
  claim_one();
}

TEST_P(StoreConformance, ALoweredLimitEndsNothingAndHoldsFromThenOn) {
  for (int i = 0; i < 6; ++i) enqueued_in("mail");
  const std::vector<Claim> claimed = claim(3);
  store().limit_queue(QueueName("mail"), 2);
  EXPECT_TRUE(claim().empty());
  succeed(claimed[0]);
  EXPECT_TRUE(claim().empty());
  succeed(claimed[1]);
  EXPECT_EQ(claim().size(), 1u);
  EXPECT_EQ(status(claimed[2].run.id), RunStatus::kExecuting);
}

TEST_P(StoreConformance, ARaisedOrRemovedLimitLetsMoreRunsStart) {
  store().limit_queue(QueueName("mail"), 1);
  for (int i = 0; i < 6; ++i) enqueued_in("mail");
  EXPECT_EQ(claim().size(), 1u);
  store().limit_queue(QueueName("mail"), 3);
  EXPECT_EQ(claim().size(), 2u);
  store().limit_queue(QueueName("mail"), std::nullopt);
  EXPECT_EQ(claim().size(), 3u);
}

TEST_P(StoreConformance, ALimitOfZeroHoldsAQueueBack) {
  store().limit_queue(QueueName("mail"), 0);
  enqueued_in("mail");
  EXPECT_TRUE(claim().empty());
}

// ---- Versions -------------------------------------------------------------------------------------------------------

TEST_P(StoreConformance, TheVersionIsAskedForWithTheRunAsItIsStored) {
  const RunId id = enqueued("orders");
  store::Run seen;
  auto claims = conformance::claim(store(), 1, now, [&](const store::Run& asked) {
    seen = asked;
    return StartOn{VersionId("v7")};
  });
  ASSERT_TRUE(claims);
  EXPECT_EQ(seen.id, id);
  EXPECT_EQ(seen.task, TaskId("orders"));
  EXPECT_TRUE(seen.version.empty());
  EXPECT_EQ(seen.status, RunStatus::kQueued);
  EXPECT_EQ(run(id).version, VersionId("v7"));

  fail(claims->front(), RetryAt{now});
  ASSERT_TRUE(conformance::claim(store(), 1, now, [&](const store::Run& asked) {
    seen = asked;
    return StartOn{asked.version};
  }));
  EXPECT_EQ(seen.version, VersionId("v7"));
}

ClaimDecision only_echo(const store::Run& run) {
  if (run.task == TaskId("echo")) return StartOn{VersionId("v1")};
  return Hold();
}

TEST_P(StoreConformance, ARunWhoseTaskNobodyOffersIsHeldAndNotCounted) {
  const RunId gone = enqueued("gone"), echo = enqueued("echo");
  const auto claims = conformance::claim(store(), 1, now, only_echo);
  ASSERT_TRUE(claims);
  EXPECT_EQ(ids_of(*claims), std::vector<RunId>{echo});
  EXPECT_EQ(status(gone), RunStatus::kPendingVersion);
  EXPECT_EQ(events(gone), (std::vector<std::string>{"triggered", "held"}));
  EXPECT_TRUE(attempts(gone).empty());
  EXPECT_TRUE(claim().empty());
}

TEST_P(StoreConformance, AHeldRunHoldsNoSlotOfItsQueue) {
  store().limit_queue(QueueName("task/gone"), 1);
  const RunId first = enqueued("gone"), second = enqueued("gone");
  ASSERT_TRUE(conformance::claim(store(), 10, now, only_echo));
  EXPECT_EQ(status(first), RunStatus::kPendingVersion);
  EXPECT_EQ(status(second), RunStatus::kPendingVersion);
  ASSERT_EQ(release(store(), {TaskId("gone")}, now).value(), 2u);
  EXPECT_EQ(claim().size(), 1u);
}

TEST_P(StoreConformance, ReleasedRunsAreQueuedInTheirOrder) {
  const RunId first = enqueued("gone"), second = enqueued("gone"), other = enqueued("other");
  ASSERT_TRUE(conformance::claim(store(), 10, now, only_echo));
  now += seconds(1);
  EXPECT_EQ(release(store(), {TaskId("gone"), TaskId("unknown")}, now).value(), 2u);
  EXPECT_EQ(status(other), RunStatus::kPendingVersion);
  EXPECT_EQ(ids_of(claim()), (std::vector<RunId>{first, second}));
  EXPECT_EQ(release(store(), {TaskId("gone")}, now).value(), 0u);
  EXPECT_EQ(release(store(), {}, now).value(), 0u);
}

TEST_P(StoreConformance, ARunMayBeCreatedHeld) {
  NewRun created = new_run("later");
  created.pending_version = true;
  const RunId id = enqueued(std::move(created));
  EXPECT_EQ(status(id), RunStatus::kPendingVersion);
  EXPECT_TRUE(claim().empty());
  EXPECT_EQ(release(store(), {TaskId("later")}, now).value(), 1u);
  EXPECT_EQ(ids_of(claim()), std::vector<RunId>{id});
  EXPECT_EQ(events(id), (std::vector<std::string>{"triggered", "released", "claimed", "attempt_started"}));
}

TEST_P(StoreConformance, ADelayIsServedBeforeARunIsHeld) {
  NewRun created = new_run("later");
  created.pending_version = true;
  created.delayed_until = now + seconds(60);
  const RunId id = enqueued(std::move(created));
  EXPECT_EQ(release(store(), {TaskId("later")}, now).value(), 0u);
  EXPECT_EQ(status(id), RunStatus::kDelayed);
}

TEST_P(StoreConformance, TheProcessIdOfAnAttemptIsNoted) {
  const RunId id = enqueued();
  const Claim claimed = claim_one();
  store().set_attempt_pid(id, 1, 4711);
  ASSERT_TRUE(synced(store()));
  EXPECT_EQ(attempts(id).at(0).pid, 4711);
  store().set_attempt_pid(id, 2, 1);  // not the current attempt
  store().set_attempt_pid(new_run_id(now), 1, 1);
  succeed(claimed);
  store().set_attempt_pid(id, 1, 1);  // over
  ASSERT_TRUE(synced(store()));
  EXPECT_EQ(attempts(id).at(0).pid, 4711);
}

}  // namespace
}  // namespace perdure::store::conformance
