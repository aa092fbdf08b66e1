// finish_attempt() and cancel(): how attempts and runs end, exactly once.
#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

TEST_P(StoreConformance, ASuccessCompletesTheRunAndKeepsItsOutput) {
  const RunId id = enqueued();
  const Claim claimed = claim_one();
  now += seconds(2);
  EXPECT_EQ(store().output(id).status().code(), Code::kNotFound);
  const store::Run after = finish(success_of(claimed, now, "{\"ok\":true}"));
  EXPECT_EQ(after.status, RunStatus::kCompleted);
  EXPECT_EQ(after.finished_at, now);
  EXPECT_EQ(after.updated_at, now);
  EXPECT_EQ(after.executed, milliseconds(5));
  EXPECT_FALSE(after.failure);
  EXPECT_EQ(run(id), after);
  EXPECT_EQ(store().output(id).value(), "{\"ok\":true}");
  Attempt ended = claimed.attempt;
  ended.status = AttemptStatus::kSucceeded;
  ended.ended_at = now;
  ended.usage = {milliseconds(5), std::chrono::microseconds(1500), 4096, 3, 2};
  EXPECT_EQ(attempts(id), std::vector<Attempt>{ended});
  EXPECT_EQ(events(id), (std::vector<std::string>{"triggered", "claimed", "attempt_started", "succeeded"}));
}

TEST_P(StoreConformance, AFailureThatIsFinalIsKeptWithItsRunAndAttempt) {
  const RunId id = enqueued();
  const Claim claimed = claim_one();
  now += seconds(1);
  const AttemptEnd end = failure_of(claimed, now, GiveUp{RunStatus::kCrashed}, FailureKind::kCrashed);
  const store::Run after = finish(end);
  EXPECT_EQ(after.status, RunStatus::kCrashed);
  EXPECT_EQ(after.finished_at, now);
  EXPECT_EQ(after.failure, end.failure);
  EXPECT_EQ(attempts(id).at(0).failure, end.failure);
  EXPECT_EQ(attempts(id).at(0).status, AttemptStatus::kFailed);
  EXPECT_EQ(store().output(id).status().code(), Code::kNotFound);
  EXPECT_TRUE(claim().empty());
}

TEST_P(StoreConformance, EachWayToGiveUpHasItsStatus) {
  for (const RunStatus end : {RunStatus::kFailed, RunStatus::kCrashed, RunStatus::kTimedOut, RunStatus::kSystemFailure,
                              RunStatus::kCanceled}) {
    const RunId id = enqueued();
    EXPECT_EQ(fail(claim_one(), GiveUp{end}).status, end);
    EXPECT_EQ(status(id), end);
    EXPECT_EQ(store().counts()[end], 1u);
  }
}

TEST_P(StoreConformance, AnAttemptThatWasCanceledIsKeptAsSuch) {
  const RunId id = enqueued();
  fail(claim_one(), GiveUp{RunStatus::kCanceled}, FailureKind::kCanceled);
  EXPECT_EQ(attempts(id).at(0).status, AttemptStatus::kCanceled);
}

TEST_P(StoreConformance, ARetryAtOnceIsClaimableAtOnce) {
  const RunId id = enqueued();
  const store::Run after = fail(claim_one(), RetryAt{now});
  EXPECT_EQ(after.status, RunStatus::kQueued);
  EXPECT_TRUE(after.failure);
  const Claim second = claim_one();
  EXPECT_EQ(second.run.id, id);
  EXPECT_EQ(second.attempt.number, 2u);
  EXPECT_EQ(events(id), (std::vector<std::string>{"triggered", "claimed", "attempt_started", "retry_now", "claimed",
                                                  "attempt_started"}));
}

TEST_P(StoreConformance, ARetryLaterIsDelayedUntilThen) {
  const RunId id = enqueued();
  const store::Run after = fail(claim_one(), RetryAt{now + seconds(3)});
  EXPECT_EQ(after.status, RunStatus::kDelayed);
  EXPECT_EQ(after.ready_at, now + seconds(3));
  EXPECT_TRUE(claim().empty());
  EXPECT_EQ(store().next_due(), now + seconds(3));
  now += seconds(3);
  EXPECT_EQ(wake_due(store(), now).value(), 1u);
  const Claim second = claim_one();
  EXPECT_EQ(second.run.id, id);
  EXPECT_FALSE(second.run.ready_at);
}

TEST_P(StoreConformance, SuccessClearsTheFailureOfEarlierAttemptsButTheirsStay) {
  const RunId id = enqueued();
  const Time began = now;
  fail(claim_one(), RetryAt{now});
  now += seconds(1);
  fail(claim_one(), RetryAt{now}, FailureKind::kCrashed);
  now += seconds(1);
  const store::Run after = succeed(claim_one());
  EXPECT_EQ(after.status, RunStatus::kCompleted);
  EXPECT_FALSE(after.failure);
  EXPECT_EQ(after.started_at, began);
  EXPECT_EQ(after.executed, milliseconds(15));
  const std::vector<Attempt> all = attempts(id);
  ASSERT_EQ(all.size(), 3u);
  for (std::uint32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(all[i].number, i + 1);
    EXPECT_EQ(all[i].started_at, began + seconds(i));
  }
  EXPECT_EQ(all[0].failure->kind, FailureKind::kTaskError);
  EXPECT_EQ(all[1].failure->kind, FailureKind::kCrashed);
  EXPECT_FALSE(all[2].failure);
}

TEST_P(StoreConformance, LogsThatComeWithAnEndAreKeptWithIt) {
  const RunId id = enqueued();
  AttemptEnd end = success_of(claim_one(), now);
  end.logs = {{0, now, 1, LogLevel::kWarn, LogSource::kStderr, "last words", "{\"a\":1}"}};
  finish(end);
  const auto logs = store().logs(id, 0, 10).value();
  ASSERT_EQ(logs.size(), 1u);
  EXPECT_EQ(logs[0].message, "last words");
  EXPECT_EQ(logs[0].sequence, 1u);
}

// ---- The fence ------------------------------------------------------------------------------------------------------

TEST_P(StoreConformance, ARepeatedEndIsAnsweredLikeTheFirstAndChangesNothing) {
  const RunId id = enqueued();
  AttemptEnd end = success_of(claim_one(), now, "1");
  end.logs = {{0, now, 1, LogLevel::kInfo, LogSource::kTask, "once", ""}};
  const store::Run first = finish(end);
  end.now = now + seconds(9);
  end.output = "2";
  EXPECT_EQ(finish(end), first);
  EXPECT_EQ(run(id), first);
  EXPECT_EQ(store().output(id).value(), "1");
  EXPECT_EQ(store().logs(id, 0, 10).value().size(), 1u);
  EXPECT_EQ(events(id).size(), 4u);
}

TEST_P(StoreConformance, AnEndThatContradictsTheRecordedOneChangesNothing) {
  const RunId id = enqueued();
  const Claim claimed = claim_one();
  const store::Run first = succeed(claimed);
  EXPECT_EQ(fail(claimed, RetryAt{now}), first);
  EXPECT_EQ(fail(claimed, GiveUp{RunStatus::kFailed}), first);
  EXPECT_EQ(status(id), RunStatus::kCompleted);
  EXPECT_EQ(attempts(id).at(0).status, AttemptStatus::kSucceeded);
}

TEST_P(StoreConformance, AnEndWithAnothersTokenIsAConflict) {
  const RunId id = enqueued();
  const Claim claimed = claim_one();
  AttemptEnd end = success_of(claimed, now);
  end.token += "x";
  EXPECT_EQ(conformance::finish(store(), end).status().code(), Code::kConflict);
  end.token.clear();
  EXPECT_EQ(conformance::finish(store(), end).status().code(), Code::kConflict);
  EXPECT_EQ(status(id), RunStatus::kExecuting);
  succeed(claimed);
  EXPECT_EQ(conformance::finish(store(), end).status().code(), Code::kConflict);
}

TEST_P(StoreConformance, AnEndOfAnAttemptThatIsNotTheCurrentOneIsAConflict) {
  const RunId id = enqueued();
  const Claim first = claim_one();
  AttemptEnd early = success_of(first, now);
  early.number = 2;
  EXPECT_EQ(conformance::finish(store(), early).status().code(), Code::kConflict);
  early.number = 0;
  EXPECT_EQ(conformance::finish(store(), early).status().code(), Code::kConflict);
  fail(first, RetryAt{now});
  const Claim second = claim_one();
  EXPECT_EQ(conformance::finish(store(), success_of(first, now)).status().code(), Code::kConflict);
  EXPECT_EQ(status(id), RunStatus::kExecuting);
  succeed(second);
  EXPECT_EQ(conformance::finish(store(), success_of(first, now)).status().code(), Code::kConflict);
}

TEST_P(StoreConformance, AnEndOfARunThatIsNotThereIsNotFound) {
  AttemptEnd end;
  end.run = new_run_id(now);
  end.number = 1;
  end.now = now;
  EXPECT_EQ(conformance::finish(store(), end).status().code(), Code::kNotFound);
}

TEST_P(StoreConformance, AnEndBeforeAnyAttemptIsAConflict) {
  AttemptEnd end;
  end.run = enqueued();
  end.now = now;
  for (end.number = 0; end.number < 3; ++end.number) {
    EXPECT_EQ(conformance::finish(store(), end).status().code(), Code::kConflict) << end.number;
  }
}

// ---- Cancel ---------------------------------------------------------------------------------------------------------

TEST_P(StoreConformance, AQueuedRunIsCanceledAtOnce) {
  const RunId id = enqueued();
  now += seconds(1);
  const Result<store::Run> after = cancel(store(), id, now, "no longer \"needed\"");
  ASSERT_TRUE(after) << after.status().message();
  EXPECT_EQ(after->status, RunStatus::kCanceled);
  EXPECT_EQ(after->finished_at, now);
  EXPECT_EQ(run(id), *after);
  EXPECT_TRUE(claim().empty());
  EXPECT_EQ(events(id), (std::vector<std::string>{"triggered", "canceled"}));
  EXPECT_EQ(store().timeline(id)->back().data, R"({"reason":"no longer \"needed\""})");
}

TEST_P(StoreConformance, DelayedAndHeldRunsAreCanceledToo) {
  NewRun created = new_run();
  created.delayed_until = now + seconds(5);
  const RunId delayed = enqueued(std::move(created));
  created = new_run();
  created.pending_version = true;
  const RunId held = enqueued(std::move(created));
  EXPECT_EQ(cancel(store(), delayed, now)->status, RunStatus::kCanceled);
  EXPECT_EQ(cancel(store(), held, now)->status, RunStatus::kCanceled);
  EXPECT_FALSE(store().next_due());
  EXPECT_EQ(wake_due(store(), now + seconds(10)).value(), 0u);
  EXPECT_EQ(release(store(), {TaskId("echo")}, now).value(), 0u);
  EXPECT_TRUE(claim().empty());
}

TEST_P(StoreConformance, AnExecutingRunCannotBeCanceledHere) {
  const RunId id = enqueued();
  const Claim claimed = claim_one();
  EXPECT_EQ(cancel(store(), id, now).status().code(), Code::kConflict);
  EXPECT_EQ(status(id), RunStatus::kExecuting);
  EXPECT_EQ(succeed(claimed).status, RunStatus::kCompleted);
}

TEST_P(StoreConformance, CancelingAFinalRunAnswersItUnchanged) {
  const RunId id = enqueued();
  const store::Run completed = succeed(claim_one());
  EXPECT_EQ(cancel(store(), id, now + seconds(1)).value(), completed);
  const RunId other = enqueued();
  const store::Run canceled = cancel(store(), other, now).value();
  EXPECT_EQ(cancel(store(), other, now + seconds(1)).value(), canceled);
  EXPECT_EQ(events(other).size(), 2u);
}

TEST_P(StoreConformance, CancelingARunThatIsNotThereIsNotFound) {
  EXPECT_EQ(cancel(store(), new_run_id(now), now).status().code(), Code::kNotFound);
  EXPECT_EQ(cancel(store(), RunId("nonsense"), now).status().code(), Code::kNotFound);
}

TEST_P(StoreConformance, ARunWaitingForItsRetryIsCanceledAndItsAttemptStays) {
  const RunId id = enqueued();
  fail(claim_one(), RetryAt{now + seconds(3)});
  EXPECT_EQ(cancel(store(), id, now)->status, RunStatus::kCanceled);
  EXPECT_EQ(attempts(id).at(0).status, AttemptStatus::kFailed);
  EXPECT_EQ(wake_due(store(), now + seconds(3)).value(), 0u);
}

TEST_P(StoreConformance, AFinalStatusNeverChanges) {
  std::vector<RunId> finished;
  std::vector<Claim> claims;
  for (const RunStatus end : {RunStatus::kCompleted, RunStatus::kFailed, RunStatus::kCrashed, RunStatus::kTimedOut,
                              RunStatus::kSystemFailure, RunStatus::kCanceled}) {
    NewRun created = new_run();
    created.options.ttl = seconds(30);
    finished.push_back(enqueued(std::move(created)));
    claims.push_back(claim_one());
    if (end == RunStatus::kCompleted) {
      succeed(claims.back());
    } else {
      fail(claims.back(), GiveUp{end});
    }
  }
  std::vector<store::Run> before;
  for (const RunId& id : finished) before.push_back(run(id));
  now += seconds(60);
  EXPECT_EQ(wake_due(store(), now).value(), 0u);
  EXPECT_EQ(release(store(), {TaskId("echo")}, now).value(), 0u);
  EXPECT_EQ(recover(store(), now).value(), 0u);
  for (const Claim& claimed : claims) {
    (void)conformance::finish(store(), success_of(claimed, now));
    (void)conformance::finish(store(), failure_of(claimed, now, RetryAt{now}));
    (void)cancel(store(), claimed.run.id, now);
  }
  EXPECT_TRUE(claim().empty());
  for (std::size_t i = 0; i < finished.size(); ++i) EXPECT_EQ(run(finished[i]), before[i]);
}

}  // namespace
}  // namespace perdure::store::conformance
