// Triggers under a debounce key.
#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

NewRun under_key(NewRun created, const std::string& key, Duration delay, std::optional<Duration> max_delay,
                 bool trailing) {
  created.debounce = Debounce{key, delay, trailing, max_delay};
  created.delayed_until = created.now + delay;
  return created;
}

Enqueued enqueue_one(Store& store, NewRun created) {
  const Result<Enqueued> answer = enqueue(store, std::move(created));
  EXPECT_TRUE(answer) << answer.status().message();
  return answer ? *answer : Enqueued{};
}

TEST_P(StoreConformance, ADebouncedRepeatWithinTheDelayPushesTheOneRunBack) {
  const RunId first = enqueue_one(store(), under_key(new_run(), "k", seconds(5), {}, false)).id;
  EXPECT_EQ(run(first).ready_at, now + seconds(5));
  now += seconds(4);
  const Enqueued repeat = enqueue_one(store(), under_key(new_run(), "k", seconds(5), {}, false));
  EXPECT_EQ(repeat.id, first);
  EXPECT_TRUE(repeat.existing);
  EXPECT_FALSE(repeat.same_request);
  EXPECT_EQ(run(first).ready_at, now + seconds(5));
  EXPECT_EQ(store().next_due(), now + seconds(5));
  EXPECT_EQ(wake_due(store(), now + seconds(4)).value(), 0u);
  now += seconds(5);
  EXPECT_EQ(wake_due(store(), now).value(), 1u);
  EXPECT_EQ(ids_of(claim()), std::vector<RunId>{first});
  EXPECT_EQ(events(first), (std::vector<std::string>{"triggered", "debounced", "due", "claimed", "attempt_started"}));
}

TEST_P(StoreConformance, DebouncingIsByTaskAndKey) {
  const RunId first = enqueue_one(store(), under_key(new_run(), "k", seconds(5), {}, false)).id;
  EXPECT_NE(enqueue_one(store(), under_key(new_run(), "l", seconds(5), {}, false)).id, first);
  NewRun other = under_key(new_run(), "k", seconds(5), {}, false);
  other.task = TaskId("other");
  EXPECT_NE(enqueue_one(store(), other).id, first);
  EXPECT_EQ(store().counts()[RunStatus::kDelayed], 3u);
}

TEST_P(StoreConformance, DebouncingKeepsTheFirstsPayloadWhenLeading) {
  NewRun created = under_key(new_run(), "k", seconds(5), {}, false);
  created.options.tags = {"a"};
  const RunId first = enqueue_one(store(), created).id;
  NewRun repeat = under_key(new_run(), "k", seconds(5), {}, false);
  repeat.payload = "2";
  repeat.options.tags = {"b"};
  repeat.options.max_attempts = 9;
  EXPECT_EQ(enqueue_one(store(), repeat).id, first);
  EXPECT_EQ(store().payload(first).value(), "{\"n\":1}");
  EXPECT_EQ(run(first).options.tags, std::vector<std::string>{"a"});
  EXPECT_FALSE(run(first).options.max_attempts);
}

TEST_P(StoreConformance, DebouncingTakesTheLatestsPayloadAndOptionsWhenTrailing) {
  NewRun created = under_key(new_run(), "k", seconds(5), {}, true);
  created.options.tags = {"a"};
  created.options.metadata = R"({"m":1})";
  const RunId first = enqueue_one(store(), created).id;
  ASSERT_TRUE(change_metadata(store(), first, {{MetadataChange::kSet, "x", "7"}}));
  NewRun repeat = under_key(new_run(), "k", seconds(5), {}, true);
  repeat.payload = "2";
  repeat.options.tags = {"b"};
  repeat.options.metadata = R"({"m":2})";
  repeat.options.machine = "micro";
  repeat.options.max_attempts = 9;
  repeat.options.max_duration = seconds(60);
  EXPECT_EQ(enqueue_one(store(), repeat).id, first);
  EXPECT_EQ(store().payload(first).value(), "2");
  EXPECT_EQ(store().metadata(first).value(), R"({"m":2})");
  EXPECT_EQ(run(first).options.tags, std::vector<std::string>{"b"});
  EXPECT_EQ(run(first).options.machine, "micro");
  EXPECT_EQ(run(first).options.max_attempts, 9u);
  RunFilter by_tag;
  by_tag.tags = {"a"};
  EXPECT_TRUE(store().list(by_tag)->runs.empty());
  by_tag.tags = {"b"};
  EXPECT_EQ(ids_of(store().list(by_tag)->runs), std::vector<RunId>{first});
  now += seconds(5);
  EXPECT_EQ(wake_due(store(), now).value(), 1u);
  EXPECT_EQ(claim_one().payload, "2");
}

TEST_P(StoreConformance, DebouncingDelaysNoLongerThanItsMaxDelayFromTheFirst) {
  const Time start = now;
  const RunId first = enqueue_one(store(), under_key(new_run(), "k", seconds(5), seconds(12), false)).id;
  for (int i = 0; i < 3; ++i) {
    now += seconds(3);
    EXPECT_EQ(enqueue_one(store(), under_key(new_run(), "k", seconds(5), seconds(12), false)).id, first);
  }
  EXPECT_EQ(run(first).ready_at, start + seconds(12));
  now = start + seconds(12);
  EXPECT_EQ(wake_due(store(), now).value(), 1u);
  EXPECT_NE(enqueue_one(store(), under_key(new_run(), "k", seconds(5), seconds(12), false)).id, first);
}

TEST_P(StoreConformance, DebouncingShortensNoDelay) {
  const RunId first = enqueue_one(store(), under_key(new_run(), "k", seconds(60), {}, false)).id;
  EXPECT_EQ(enqueue_one(store(), under_key(new_run(), "k", seconds(2), {}, false)).id, first);
  EXPECT_EQ(run(first).ready_at, now + seconds(60));
}

TEST_P(StoreConformance, DebouncingIsOverWhenTheDelayIsOver) {
  const RunId due = enqueue_one(store(), under_key(new_run(), "k", seconds(5), {}, false)).id;
  now += seconds(5);  // and nobody has woken it yet
  const RunId second = enqueue_one(store(), under_key(new_run(), "k", seconds(5), {}, false)).id;
  EXPECT_NE(second, due);
  ASSERT_TRUE(cancel(store(), second, now));
  const RunId third = enqueue_one(store(), under_key(new_run(), "k", seconds(5), {}, false)).id;
  EXPECT_NE(third, second);
  NewRun expiring = under_key(new_run(), "e", seconds(5), {}, false);
  expiring.options.ttl = seconds(1);
  const RunId expired = enqueue_one(store(), expiring).id;
  now += seconds(60);
  ASSERT_TRUE(wake_due(store(), now));
  EXPECT_EQ(status(expired), RunStatus::kExpired);
  EXPECT_NE(enqueue_one(store(), under_key(new_run(), "e", seconds(5), {}, false)).id, expired);
}

TEST_P(StoreConformance, DebouncingGoesOnWhenTheStoreIsOpenedAgain) {
  const RunId first = enqueue_one(store(), under_key(new_run(), "k", seconds(5), seconds(8), false)).id;
  reopen();
  const Time start = now;
  now += seconds(4);
  EXPECT_EQ(enqueue_one(store(), under_key(new_run(), "k", seconds(5), {}, false)).id, first);
  reopen();
  EXPECT_EQ(run(first).ready_at, start + seconds(8));
  EXPECT_EQ(store().next_due(), start + seconds(8));
}

TEST_P(StoreConformance, DebouncingGoesOnForARunThatIsRescheduled) {
  const RunId first = enqueue_one(store(), under_key(new_run(), "k", seconds(5), {}, false)).id;
  ASSERT_TRUE(reschedule(store(), first, now + std::chrono::hours(24 * 365), now));
  now += std::chrono::hours(24 * 360);
  EXPECT_EQ(enqueue_one(store(), under_key(new_run(), "k", seconds(5), {}, false)).id, first);
}

TEST_P(StoreConformance, DebouncingMovesTheTtlAlong) {
  NewRun created = under_key(new_run(), "k", seconds(5), {}, false);
  created.options.ttl = seconds(3);
  const RunId first = enqueue_one(store(), created).id;
  now += seconds(4);
  EXPECT_EQ(enqueue_one(store(), under_key(new_run(), "k", seconds(5), {}, false)).id, first);
  EXPECT_EQ(run(first).expires_at, now + seconds(8));
}

TEST_P(StoreConformance, DebouncingIsAskedOnceByTheSameRequestOrUnderTheSameIdempotencyKey) {
  const RunId first = enqueue_one(store(), under_key(new_run(), "k", seconds(5), {}, false)).id;
  now += seconds(1);
  NewRun repeat = under_key(new_run(), "k", seconds(5), {}, false);
  repeat.request_id = "call";
  repeat.options.idempotency_key = "once";
  EXPECT_EQ(enqueue_one(store(), repeat).id, first);
  const std::optional<Time> pushed = run(first).ready_at;
  now += seconds(1);
  repeat.now = now;
  const Enqueued again = enqueue_one(store(), repeat);
  EXPECT_EQ(again.id, first);
  EXPECT_TRUE(again.same_request);
  repeat.request_id = "other call";
  EXPECT_EQ(enqueue_one(store(), repeat).id, first);
  EXPECT_EQ(run(first).ready_at, pushed);
}

TEST_P(StoreConformance, DebouncingSurvivesPowerLossOnceItIsAnswered) {
  if (!factory().can_lose_power()) GTEST_SKIP() << "the engine cannot lose power";
  const RunId first = enqueue_one(store(), under_key(new_run(), "k", seconds(5), {}, false)).id;
  now += seconds(4);
  EXPECT_EQ(enqueue_one(store(), under_key(new_run(), "k", seconds(5), {}, false)).id, first);
  lose_power();
  EXPECT_EQ(run(first).ready_at, now + seconds(5));
  EXPECT_EQ(enqueue_one(store(), under_key(new_run(), "k", seconds(5), {}, false)).id, first);
}

}  // namespace
}  // namespace perdure::store::conformance
