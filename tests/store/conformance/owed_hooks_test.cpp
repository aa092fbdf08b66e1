// Hooks that a run owes when it ends while nothing of it executes: owe_hooks(), owing_hooks(), hooks_ran().
#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

using Runs = std::vector<RunId>;

bool all_owe(const store::Run&) { return true; }

TimelineEvent hook_event(Time at) { return {0, at, "hook", RunStatus::kQueued, 0, "{\"hook\":\"on_complete\"}"}; }

TEST_P(StoreConformance, ARunThatIsCanceledOrExpiresWithoutAnAttemptOwesItsHooks) {
  store().owe_hooks([](const store::Run& run) { return is_final(run.status) && run.task == TaskId("owing"); });
  const RunId canceled = enqueued("owing"), other = enqueued("free");
  NewRun expiring = new_run("owing");
  expiring.options.ttl = seconds(5);
  const RunId expired = enqueued(std::move(expiring));
  EXPECT_EQ(store().owing_hooks(10).value(), Runs());
  ASSERT_TRUE(cancel(store(), canceled, now));
  ASSERT_TRUE(cancel(store(), other, now));
  EXPECT_EQ(store().owing_hooks(10).value(), Runs{canceled});
  now += seconds(5);
  ASSERT_EQ(wake_due(store(), now).value(), 1u);
  EXPECT_EQ(store().owing_hooks(10).value(), (Runs{canceled, expired}));
  EXPECT_EQ(store().owing_hooks(1).value(), Runs{canceled});
}

TEST_P(StoreConformance, ARunThatEndsWithItsAttemptOwesHooksOnlyWhenItsEndSaysSo) {
  store().owe_hooks(all_owe);
  enqueued();
  succeed(claim_one());
  enqueued();
  fail(claim_one(), GiveUp{RunStatus::kCrashed});
  EXPECT_EQ(store().owing_hooks(10).value(), Runs());
  const RunId retried = enqueued();
  AttemptEnd end = failure_of(claim_one(), now, RetryAt{now});
  end.owes_hooks = true;
  finish(std::move(end));
  EXPECT_EQ(store().owing_hooks(10).value(), Runs()) << "it is not over";
  end = failure_of(claim_one(), now, GiveUp{RunStatus::kSystemFailure}, FailureKind::kHostLost);
  end.owes_hooks = true;
  finish(std::move(end));
  EXPECT_EQ(store().owing_hooks(10).value(), Runs{retried});
}

TEST_P(StoreConformance, ARunThatIsGivenUpWithItsLastHostOwesItsHooks) {
  store().owe_hooks(all_owe);
  const RunId lost = enqueued();
  for (std::uint32_t i = 0; i < kMaxHostLosses; ++i) {
    EXPECT_EQ(store().owing_hooks(10).value(), Runs());
    claim_one();
    ASSERT_EQ(recover(store(), now).value(), 1u);
  }
  EXPECT_EQ(status(lost), RunStatus::kSystemFailure);
  EXPECT_EQ(store().owing_hooks(10).value(), Runs{lost});
}

TEST_P(StoreConformance, HooksThatRanAreOwedNoMoreAndStandOnTheTimelineInTheRunsFinalStatus) {
  store().owe_hooks(all_owe);
  const RunId id = enqueued();
  ASSERT_TRUE(cancel(store(), id, now));
  const store::Run before = run(id);
  now += seconds(1);
  const Result<store::Run> after = hooks_ran(store(), id, {hook_event(now), hook_event(now)});
  ASSERT_TRUE(after) << after.status().message();
  EXPECT_EQ(*after, before);
  EXPECT_EQ(store().owing_hooks(10).value(), Runs());
  EXPECT_EQ(events(id), (std::vector<std::string>{"triggered", "canceled", "hook", "hook"}));
  const TimelineEvent last = store().timeline(id).value().back();
  EXPECT_EQ(last.sequence, 4u);
  EXPECT_EQ(last.status, RunStatus::kCanceled);
  EXPECT_EQ(last.at, now);
  EXPECT_EQ(last.data, "{\"hook\":\"on_complete\"}");
}

TEST_P(StoreConformance, HooksThatRanTwiceAreRecordedOnce) {
  store().owe_hooks(all_owe);
  const RunId id = enqueued();
  ASSERT_TRUE(cancel(store(), id, now));
  ASSERT_TRUE(hooks_ran(store(), id, {hook_event(now)}));
  ASSERT_TRUE(hooks_ran(store(), id, {hook_event(now)}));
  EXPECT_EQ(events(id).size(), 3u);
  const RunId unfinished = enqueued();
  ASSERT_TRUE(hooks_ran(store(), unfinished, {hook_event(now)}));
  EXPECT_EQ(events(unfinished), std::vector<std::string>{"triggered"});
  EXPECT_EQ(hooks_ran(store(), new_run_id(now), {}).status().code(), Code::kNotFound);
}

TEST_P(StoreConformance, NobodyOwesHooksUnlessToldTo) {
  ASSERT_TRUE(cancel(store(), enqueued(), now));
  EXPECT_EQ(store().owing_hooks(10).value(), Runs());
  store().owe_hooks(all_owe);
  store().owe_hooks({});
  ASSERT_TRUE(cancel(store(), enqueued(), now));
  EXPECT_EQ(store().owing_hooks(10).value(), Runs());
}

TEST_P(StoreConformance, WhatIsOwedIsAsDurableAsTheEndOfTheRun) {
  if (!factory().can_reopen()) GTEST_SKIP() << "nothing of this engine outlives it";
  store().owe_hooks(all_owe);
  const RunId owing = enqueued(), done = enqueued();
  ASSERT_TRUE(cancel(store(), owing, now));
  ASSERT_TRUE(cancel(store(), done, now));
  ASSERT_TRUE(hooks_ran(store(), done, {hook_event(now)}));
  if (factory().can_lose_power()) {
    lose_power();
  } else {
    reopen();
  }
  EXPECT_EQ(store().owing_hooks(10).value(), Runs{owing});
  EXPECT_EQ(events(done).back(), "hook");
}

}  // namespace
}  // namespace perdure::store::conformance
