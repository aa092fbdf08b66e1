// What a store holds when its host comes back: recover(), closing and opening, losing the power, failing writes.
#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

TEST_P(StoreConformance, RecoverQueuesWhatExecutedAtOnceAndCountsTheLoss) {
  const RunId id = enqueued();
  const Claim lost = claim_one();
  const RunId queued = enqueued();
  now += seconds(5);
  EXPECT_EQ(recover(store(), now).value(), 1u);
  const store::Run after = run(id);
  EXPECT_EQ(after.status, RunStatus::kQueued);
  EXPECT_EQ(after.attempts, 1u);
  EXPECT_EQ(after.host_losses, 1u);
  ASSERT_TRUE(after.failure);
  EXPECT_EQ(after.failure->kind, FailureKind::kHostLost);
  EXPECT_FALSE(after.failure->message.empty());
  const Attempt attempt = attempts(id).at(0);
  EXPECT_EQ(attempt.status, AttemptStatus::kLost);
  EXPECT_EQ(attempt.ended_at, now);
  EXPECT_EQ(attempt.failure, after.failure);
  EXPECT_EQ(events(id).back(), "host_lost");
  EXPECT_EQ(status(queued), RunStatus::kQueued);
  const std::vector<Claim> again = claim();
  EXPECT_EQ(ids_of(again), (std::vector<RunId>{queued, id}));
  EXPECT_EQ(again[1].attempt.number, 2u);
  EXPECT_NE(again[1].attempt.token, lost.attempt.token);
}

TEST_P(StoreConformance, RecoverWithNothingExecutingChangesNothing) {
  const RunId id = enqueued();
  EXPECT_EQ(recover(store(), now).value(), 0u);
  EXPECT_EQ(events(id).size(), 1u);
}

TEST_P(StoreConformance, ARecoveredAttemptCanNoLongerBeEndedByItsOldHost) {
  const RunId id = enqueued();
  const Claim lost = claim_one();
  ASSERT_EQ(recover(store(), now).value(), 1u);
  EXPECT_EQ(conformance::finish(store(), success_of(lost, now)).status().code(), Code::kConflict);
  EXPECT_EQ(status(id), RunStatus::kQueued);
  EXPECT_EQ(store().output(id).status().code(), Code::kNotFound);
}

TEST_P(StoreConformance, RecoverFreesTheSlotsOfLimitedQueues) {
  store().limit_queue(QueueName("mail"), 1);
  const RunId first = enqueued_in("mail");
  enqueued_in("mail");
  EXPECT_EQ(claim_one().run.id, first);
  ASSERT_EQ(recover(store(), now).value(), 1u);
  EXPECT_EQ(claim().size(), 1u);
}

TEST_P(StoreConformance, ARunThatLostItsHostTenTimesIsASystemFailure) {
  NewRun created = new_run();
  created.options.max_attempts = 1;
  created.options.idempotency_key = "k";
  const RunId id = enqueued(std::move(created));
  for (std::uint32_t i = 1; i < kMaxHostLosses; ++i) {
    EXPECT_EQ(claim_one().attempt.number, i);
    ASSERT_EQ(recover(store(), now).value(), 1u);
    ASSERT_EQ(status(id), RunStatus::kQueued) << i;
    ASSERT_EQ(run(id).host_losses, i);
  }
  claim_one();
  ASSERT_EQ(recover(store(), now).value(), 1u);
  EXPECT_EQ(status(id), RunStatus::kSystemFailure);
  EXPECT_EQ(run(id).host_losses, kMaxHostLosses);
  EXPECT_EQ(run(id).finished_at, now);
  EXPECT_EQ(attempts(id).size(), kMaxHostLosses);
  EXPECT_EQ(events(id).back(), "gave_up");
  EXPECT_TRUE(claim().empty());
  EXPECT_NE(enqueued([&] {
              NewRun again = new_run();
              again.options.idempotency_key = "k";
              return again;
            }()),
            id);
}

// ---- Closed and opened ----------------------------------------------------------------------------------------------

TEST_P(StoreConformance, EverythingIsThereAfterReopening) {
  if (!factory().can_reopen()) GTEST_SKIP() << "the engine cannot be opened again";
  NewRun created = new_run();
  created.options.idempotency_key = "k";
  created.options.tags = {"red"};
  created.request_id = "r";
  const RunId completed = enqueued(created);
  AttemptEnd end = success_of(claim_one(), now, "[1]");
  end.logs = {{0, now, 1, LogLevel::kInfo, LogSource::kTask, "line", "{}"}};
  finish(end);
  const RunId retried = enqueued();
  fail(claim_one(), RetryAt{now + seconds(5)}, FailureKind::kCrashed);
  NewRun pending = new_run("gone");
  pending.pending_version = true;
  const RunId held = enqueued(std::move(pending));
  const RunId executing = enqueued();
  const Claim claimed = claim_one();
  store().set_attempt_pid(executing, 1, 99);
  store().append_logs(executing, {{0, now, 1, LogLevel::kInfo, LogSource::kStdout, "working", ""}});
  const RunId queued = enqueued();

  const std::vector<RunId> all = {completed, retried, held, executing, queued};
  struct Seen {
    store::Run run;
    std::vector<Attempt> attempts;
    std::vector<TimelineEvent> timeline;
    std::vector<LogEntry> logs;
    std::string payload;
    bool operator==(const Seen&) const = default;
  };
  const auto see = [&] {
    std::vector<Seen> seen;
    for (const RunId& id : all) {
      seen.push_back({run(id), attempts(id), store().timeline(id).value(), store().logs(id, 0, 100).value(),
                      store().payload(id).value()});
    }
    return seen;
  };
  const auto before = see();
  const auto counts = store().counts();
  const auto due = store().next_due();
  reopen();
  EXPECT_TRUE(see() == before);
  EXPECT_EQ(store().counts(), counts);
  EXPECT_EQ(store().next_due(), due);
  EXPECT_EQ(store().output(completed).value(), "[1]");
  RunFilter red;
  red.tags = {"red"};
  EXPECT_EQ(ids_of(store().list(red)->runs), std::vector<RunId>{completed});

  // And it goes on from there.
  NewRun repeat = new_run();
  repeat.request_id = "r";
  EXPECT_EQ(enqueued(std::move(repeat)), completed);
  repeat = new_run();
  repeat.options.idempotency_key = "k";
  EXPECT_EQ(enqueued(std::move(repeat)), completed);
  EXPECT_EQ(ids_of(claim()), std::vector<RunId>{queued});
  EXPECT_EQ(succeed(claimed).status, RunStatus::kCompleted);  // an attempt that outlived its host
  EXPECT_EQ(release(store(), {TaskId("gone")}, now).value(), 1u);
  EXPECT_EQ(wake_due(store(), now + seconds(5)).value(), 1u);
  EXPECT_EQ(claim().size(), 2u);
  store().append_logs(executing, {{0, now, 1, LogLevel::kInfo, LogSource::kHost, "more", ""}});
  EXPECT_EQ(store().logs(executing, 1, 10)->at(0).sequence, 2u);
}

TEST_P(StoreConformance, WhatExecutesHoldsItsSlotAfterReopeningUntilItIsRecovered) {
  if (!factory().can_reopen()) GTEST_SKIP() << "the engine cannot be opened again";
  const RunId first = enqueued_in("mail");
  claim_one();
  const RunId second = enqueued_in("mail");
  reopen();
  store().limit_queue(QueueName("mail"), 1);
  EXPECT_TRUE(claim().empty());
  now += seconds(1);
  EXPECT_EQ(recover(store(), now).value(), 1u);
  EXPECT_EQ(status(first), RunStatus::kQueued);
  EXPECT_EQ(ids_of(claim()), std::vector<RunId>{second});
}

TEST_P(StoreConformance, OrderWithinAQueueSurvivesReopening) {
  if (!factory().can_reopen()) GTEST_SKIP() << "the engine cannot be opened again";
  std::vector<RunId> ids;
  for (int i = 0; i < 20; ++i) {
    NewRun created = new_run();
    created.priority = seconds(i % 4);
    ids.push_back(enqueued(std::move(created)));
  }
  std::vector<RunId> expected;
  for (int priority = 3; priority >= 0; --priority) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (static_cast<int>(i % 4) == priority) expected.push_back(ids[i]);
    }
  }
  reopen();
  EXPECT_EQ(ids_of(claim()), expected);
}

TEST_P(StoreConformance, HostLossesAreCountedAcrossReopening) {
  if (!factory().can_reopen()) GTEST_SKIP() << "the engine cannot be opened again";
  const RunId id = enqueued();
  for (std::uint32_t i = 1; i <= kMaxHostLosses; ++i) {
    claim_one();
    reopen();
    ASSERT_EQ(recover(store(), now).value(), 1u);
    ASSERT_EQ(run(id).host_losses, i);
  }
  EXPECT_EQ(status(id), RunStatus::kSystemFailure);
}

// ---- Power ----------------------------------------------------------------------------------------------------------

TEST_P(StoreConformance, WhatWasAnsweredAsDurableSurvivesALossOfPower) {
  if (!factory().can_lose_power()) GTEST_SKIP() << "the engine cannot lose power";
  const RunId completed = enqueued();
  finish(success_of(claim_one(), now, "7"));
  const RunId canceled = enqueued();
  ASSERT_TRUE(cancel(store(), canceled, now));
  const RunId queued = enqueued();
  lose_power();
  EXPECT_EQ(status(completed), RunStatus::kCompleted);
  EXPECT_EQ(store().output(completed).value(), "7");
  EXPECT_EQ(status(canceled), RunStatus::kCanceled);
  ASSERT_TRUE(recover(store(), now));
  EXPECT_EQ(ids_of(claim()), std::vector<RunId>{queued});
}

TEST_P(StoreConformance, WhatWasWrittenBeforeSyncedSurvivesALossOfPower) {
  if (!factory().can_lose_power()) GTEST_SKIP() << "the engine cannot lose power";
  const RunId id = enqueued();
  claim_one();
  store().set_attempt_pid(id, 1, 42);
  store().append_logs(id, {{0, now, 1, LogLevel::kInfo, LogSource::kTask, "line", ""}});
  ASSERT_TRUE(synced(store()));
  lose_power();
  EXPECT_EQ(status(id), RunStatus::kExecuting);
  EXPECT_EQ(attempts(id).at(0).pid, 42);
  EXPECT_EQ(store().logs(id, 0, 10)->size(), 1u);
}

TEST_P(StoreConformance, AClaimThatALossOfPowerTookBackIsMadeAgain) {
  if (!factory().can_lose_power()) GTEST_SKIP() << "the engine cannot lose power";
  const RunId id = enqueued();
  claim_one();
  lose_power();
  ASSERT_TRUE(recover(store(), now));
  EXPECT_EQ(status(id), RunStatus::kQueued);
  EXPECT_EQ(ids_of(claim()), std::vector<RunId>{id});
}

// ---- Failing writes -------------------------------------------------------------------------------------------------

TEST_P(StoreConformance, AfterAFailedWriteMutationsAreRefusedUntilTheStoreServesAgain) {
  if (!factory().can_fail_writes()) GTEST_SKIP() << "the engine's writes cannot be made to fail";
  const RunId before = enqueued();
  factory().fail_writes();
  const NewRun refused = new_run();
  const Status answer = enqueue(store(), refused).status();
  EXPECT_TRUE(answer.code() == Code::kIo || answer.code() == Code::kNoSpace) << code_name(answer.code());
  EXPECT_FALSE(answer.message().empty());
  EXPECT_TRUE(listener.wait_until([](const RecordingListener::Told& told) { return !told.health.empty(); }));
  EXPECT_EQ(listener.told().health.front().code(), answer.code());
  EXPECT_EQ(store().health().code(), answer.code());
  EXPECT_EQ(conformance::claim(store(), 1, now, version_one).status().code(), answer.code());
  EXPECT_EQ(cancel(store(), before, now).status().code(), answer.code());
  EXPECT_EQ(wake_due(store(), now).status().code(), answer.code());
  EXPECT_EQ(release(store(), {TaskId("echo")}, now).status().code(), answer.code());
  EXPECT_EQ(recover(store(), now).status().code(), answer.code());
  EXPECT_EQ(synced(store()).code(), answer.code());

  factory().heal();
  EXPECT_TRUE(listener.wait_until([](const RecordingListener::Told& told) { return told.health.back().is_ok(); }));
  EXPECT_TRUE(store().health());
  EXPECT_EQ(store().run(refused.id).status().code(), Code::kNotFound);
  EXPECT_EQ(status(before), RunStatus::kQueued);
  const RunId after = enqueued();
  EXPECT_EQ(ids_of(claim()), (std::vector<RunId>{before, after}));
}

TEST_P(StoreConformance, AnEndThatFailedToBeWrittenCanBeGivenAgain) {
  if (!factory().can_fail_writes()) GTEST_SKIP() << "the engine's writes cannot be made to fail";
  const RunId id = enqueued();
  const Claim claimed = claim_one();
  ASSERT_TRUE(synced(store()));
  factory().fail_writes();
  EXPECT_FALSE(conformance::finish(store(), success_of(claimed, now)));
  factory().heal();
  ASSERT_TRUE(listener.wait_until(
      [](const RecordingListener::Told& told) { return !told.health.empty() && told.health.back().is_ok(); }));
  EXPECT_EQ(status(id), RunStatus::kExecuting);
  EXPECT_EQ(succeed(claimed).status, RunStatus::kCompleted);
}

}  // namespace
}  // namespace perdure::store::conformance
