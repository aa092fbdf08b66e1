// What the listener is told.
#include <algorithm>
#include <mutex>

#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

using Told = RecordingListener::Told;

TEST_P(StoreConformance, TheListenerIsToldWhenARunBecomesClaimable) {
  enqueued();
  EXPECT_TRUE(listener.wait_until([](const Told& told) { return told.ready > 0; }));
}

TEST_P(StoreConformance, ARunIsClaimableOnceTheListenerIsTold) {
  store().enqueue(new_run(), [](const Result<Enqueued>&) {});
  ASSERT_TRUE(listener.wait_until([](const Told& told) { return told.ready > 0; }));
  EXPECT_EQ(claim().size(), 1u);
}

TEST_P(StoreConformance, TheListenerIsToldEveryStatusOfARunInOrder) {
  NewRun created = new_run();
  created.delayed_until = now + seconds(1);
  const RunId id = enqueued(std::move(created));
  now += seconds(1);
  ASSERT_TRUE(wake_due(store(), now));
  fail(claim_one(), RetryAt{now});
  succeed(claim_one());
  ASSERT_TRUE(listener.wait_until(
      [&](const Told& told) { return !told.changed.empty() && told.changed.back().second == RunStatus::kCompleted; }));
  // Within one call only the last status may be told: DEQUEUED is gone before anybody could ask.
  std::vector<RunStatus> statuses = listener.told().statuses_of(id);
  std::erase(statuses, RunStatus::kDequeued);
  EXPECT_EQ(statuses, (std::vector<RunStatus>{RunStatus::kDelayed, RunStatus::kQueued, RunStatus::kExecuting,
                                              RunStatus::kQueued, RunStatus::kExecuting, RunStatus::kCompleted}));
}

TEST_P(StoreConformance, TheListenerIsToldOfARunBeforeItsMutationIsAnswered) {
  const RunId id = enqueued();
  EXPECT_EQ(listener.told().statuses_of(id), std::vector<RunStatus>{RunStatus::kQueued});
  succeed(claim_one());
  EXPECT_EQ(listener.told().statuses_of(id).back(), RunStatus::kCompleted);
}

TEST_P(StoreConformance, TheListenerIsToldWhenASlotOfALimitedQueueIsFreed) {
  store().limit_queue(QueueName("mail"), 1);
  enqueued_in("mail");
  enqueued_in("mail");
  const Claim first = claim_one();
  ASSERT_TRUE(synced(store()));
  const std::size_t before = listener.told().ready;
  succeed(first);
  EXPECT_TRUE(listener.wait_until([&](const Told& told) { return told.ready > before; }));
}

TEST_P(StoreConformance, TheListenerIsToldWhenALimitIsRaised) {
  store().limit_queue(QueueName("mail"), 0);
  enqueued_in("mail");
  ASSERT_TRUE(synced(store()));
  const std::size_t before = listener.told().ready;
  store().limit_queue(QueueName("mail"), 1);
  EXPECT_TRUE(listener.wait_until([&](const Told& told) { return told.ready > before; }));
}

TEST_P(StoreConformance, TheListenerIsToldWhenSomethingIsDueEarlier) {
  NewRun created = new_run();
  created.delayed_until = now + seconds(10);
  enqueued(std::move(created));
  EXPECT_TRUE(listener.wait_until([](const Told& told) { return told.due_changed >= 1; }));
  const std::size_t before = listener.told().due_changed;
  created = new_run();
  created.options.ttl = seconds(5);
  enqueued(std::move(created));
  EXPECT_TRUE(listener.wait_until([&](const Told& told) { return told.due_changed > before; }));
}

TEST_P(StoreConformance, AnswersComeInTheOrderOfTheirMutations) {
  std::mutex mutex;
  std::vector<int> order;
  for (int i = 0; i < 50; ++i) {
    store().enqueue(new_run(), [&, i](const Result<Enqueued>& answer) {
      EXPECT_TRUE(answer);
      std::lock_guard lock(mutex);
      order.push_back(i);
    });
  }
  ASSERT_TRUE(synced(store()));
  std::lock_guard lock(mutex);
  ASSERT_EQ(order.size(), 50u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_P(StoreConformance, AMutationMayBeMadeFromTheAnswerToAnother) {
  const RunId id = enqueued();
  const Claim claimed = claim_one();
  const Result<std::vector<Claim>> next = await<std::vector<Claim>>([&](const Done<std::vector<Claim>>& done) {
    store().finish_attempt(failure_of(claimed, now, RetryAt{now}), [this, done](const Result<store::Run>& after) {
      EXPECT_TRUE(after);
      store().claim(1, now, version_one, done);
    });
  });
  ASSERT_TRUE(next);
  EXPECT_EQ(ids_of(*next), std::vector<RunId>{id});
}

}  // namespace
}  // namespace perdure::store::conformance
