// Batches as the store keeps them: accepted whole or not at all, found by their runs, gone with the last of these.
#include <algorithm>

#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

using Ids = std::vector<RunId>;
using std::chrono::hours;
using std::chrono::minutes;

bool serves_again(const RecordingListener::Told& told) { return !told.health.empty() && told.health.back().is_ok(); }

NewBatch waiting(std::uint32_t count, Time now, std::string key = {}) {
  NewBatch batch;
  batch.id = new_batch_id(now);
  batch.run_count = count;
  batch.idempotency_key = std::move(key);
  batch.now = now;
  return batch;
}

BatchItems items_of(const BatchId& batch, std::vector<NewRun> runs, Time now) {
  BatchItems items;
  items.batch = batch;
  items.now = now;
  items.runs = std::move(runs);
  return items;
}

BatchItems fresh_items(std::vector<NewRun> runs, Time now) {
  BatchItems items = items_of(new_batch_id(now), std::move(runs), now);
  items.fresh = true;
  return items;
}

TEST_P(StoreConformance, ABatchThatWaitsForItsItemsHasNoRuns) {
  const Batch made = create_batch(store(), waiting(2, now, "key")).value();
  EXPECT_EQ(made.run_count, 2u);
  EXPECT_FALSE(made.sealed_at);
  EXPECT_TRUE(made.runs.empty());
  reopen();
  EXPECT_EQ(store().batch(made.id).value(), made);
  EXPECT_TRUE(claim().empty());
  EXPECT_EQ(store().batch(new_batch_id(now)).status().code(), Code::kNotFound);
  EXPECT_EQ(create_batch(store(), waiting(0, now)).status().code(), Code::kInvalid);
  EXPECT_EQ(create_batch(store(), waiting(kMostBatchItems + 1, now)).status().code(), Code::kInvalid);
}

TEST_P(StoreConformance, TheRunsOfABatchComeToBeAtOnceAndInOrder) {
  const BatchId id = create_batch(store(), waiting(3, now)).value().id;
  now += seconds(1);
  const std::vector<NewRun> runs{new_run("a"), new_run("b"), new_run("a")};
  const Batch sealed = enqueue_batch(store(), items_of(id, runs, now)).value();
  EXPECT_EQ(sealed.runs, (Ids{runs[0].id, runs[1].id, runs[2].id}));
  EXPECT_EQ(sealed.sealed_at, now);
  EXPECT_TRUE(sealed.faults.empty());
  reopen();
  EXPECT_EQ(store().batch(id).value(), sealed);
  for (const RunId& each : sealed.runs) EXPECT_EQ(run(each).batch, id);
  EXPECT_EQ(run(enqueued()).batch, BatchId());
  RunFilter filter;
  filter.batch = id;
  filter.limit = 2;
  const RunPage page = store().list(filter).value();
  EXPECT_EQ(ids_of(page.runs), (Ids{runs[2].id, runs[1].id}));
  filter.after = page.after;
  EXPECT_EQ(ids_of(store().list(filter)->runs), Ids{runs[0].id});
  filter.after = {};
  filter.tasks = {TaskId("b")};
  EXPECT_EQ(ids_of(store().list(filter)->runs), Ids{runs[1].id});
  EXPECT_EQ(claim().size(), 4u);
}

TEST_P(StoreConformance, ABatchIsAcceptedWholeOrNotAtAll) {
  const RunId taken = enqueued();
  std::vector<NewRun> runs{new_run(), new_run(), new_run()};
  runs[2].id = taken;
  const BatchItems items = fresh_items(runs, now);
  EXPECT_EQ(enqueue_batch(store(), items).status().code(), Code::kConflict);
  EXPECT_EQ(store().batch(items.batch).status().code(), Code::kNotFound);
  EXPECT_EQ(store().run(runs[0].id).status().code(), Code::kNotFound);
  runs[2].id = RunId("run_x");
  EXPECT_EQ(enqueue_batch(store(), fresh_items(runs, now)).status().code(), Code::kInvalid);
  runs[2] = runs[1];
  EXPECT_EQ(enqueue_batch(store(), fresh_items(runs, now)).status().code(), Code::kConflict) << "one id, two runs";
  EXPECT_EQ(enqueue_batch(store(), fresh_items({}, now)).status().code(), Code::kInvalid);
  runs[2] = new_run();
  runs[2].debounce = Debounce{"d", seconds(5), false, {}};
  EXPECT_EQ(enqueue_batch(store(), fresh_items(runs, now)).status().code(), Code::kInvalid);
  const BatchId short_of_one = create_batch(store(), waiting(4, now)).value().id;
  runs.pop_back();
  EXPECT_EQ(enqueue_batch(store(), items_of(short_of_one, runs, now)).status().code(), Code::kInvalid);
  EXPECT_EQ(enqueue_batch(store(), items_of(new_batch_id(now), runs, now)).status().code(), Code::kNotFound);
  EXPECT_EQ(ids_of(claim()), Ids{taken});
}

TEST_P(StoreConformance, SealingABatchAgainChangesNothing) {
  const BatchId id = create_batch(store(), waiting(1, now)).value().id;
  const Batch sealed = enqueue_batch(store(), items_of(id, {new_run()}, now)).value();
  now += seconds(1);
  EXPECT_EQ(enqueue_batch(store(), items_of(id, {new_run()}, now)).value(), sealed);
  EXPECT_EQ(claim().size(), 1u);
}

TEST_P(StoreConformance, ItemsThatMakeNoRunLeaveTheirPlacesEmpty) {
  std::vector<NewRun> runs{new_run(), new_run()};
  BatchItems items = fresh_items(runs, now);
  items.faults = {{0, TaskId("gone"), "nobody offers it"}, {2, TaskId("gone"), "nor that"}};
  const Batch sealed = enqueue_batch(store(), items).value();
  EXPECT_EQ(sealed.run_count, 4u);
  EXPECT_EQ(sealed.runs, (Ids{RunId(), runs[0].id, RunId(), runs[1].id}));
  EXPECT_EQ(sealed.faults, items.faults);
  items = fresh_items({new_run()}, now);
  items.faults = {{2, TaskId("gone"), "there is no such item"}};
  EXPECT_EQ(enqueue_batch(store(), items).status().code(), Code::kInvalid);
}

TEST_P(StoreConformance, AnItemWhoseKeyHasARunHasThatOne) {
  NewRun first = new_run();
  first.options.idempotency_key = "k";
  const RunId known = enqueued(first);
  std::vector<NewRun> runs{new_run(), new_run(), new_run()};
  runs[0].options.idempotency_key = "k";
  runs[1].options.idempotency_key = runs[2].options.idempotency_key = "new";
  const Batch sealed = enqueue_batch(store(), fresh_items(runs, now)).value();
  EXPECT_EQ(sealed.runs, (Ids{known, runs[1].id, runs[1].id}));
  EXPECT_EQ(store().run(runs[2].id).status().code(), Code::kNotFound);
  RunFilter filter;
  filter.batch = sealed.id;
  EXPECT_EQ(ids_of(store().list(filter)->runs), Ids{runs[1].id}) << "those that it made";
  NewRun later = new_run();
  later.options.idempotency_key = "new";
  EXPECT_EQ(enqueue(store(), later)->id, runs[1].id);
}

TEST_P(StoreConformance, ABatchIsFoundAgainByItsIdempotencyKey) {
  const Batch first = create_batch(store(), waiting(2, now, "key")).value();
  ASSERT_TRUE(keep_items(store(), first.id, {{0, "item"}}));
  EXPECT_EQ(create_batch(store(), waiting(2, now, "key")).value(), first);
  EXPECT_EQ(store().kept_items(first.id)->size(), 1u);
  const Batch other = create_batch(store(), waiting(1, now, "key")).value();
  EXPECT_EQ(other.id, first.id);
  EXPECT_EQ(other.run_count, 1u) << "what it is from now on";
  EXPECT_TRUE(store().kept_items(first.id)->empty());
  const Batch sealed = enqueue_batch(store(), items_of(first.id, {new_run()}, now)).value();
  reopen();
  EXPECT_EQ(create_batch(store(), waiting(7, now, "key")).value(), sealed);
  EXPECT_NE(create_batch(store(), waiting(1, now, "another")).value().id, first.id);
  now += hours(24 * 31);
  EXPECT_NE(create_batch(store(), waiting(1, now, "key")).value().id, first.id);
}

TEST_P(StoreConformance, ItemsAreKeptUntilTheirBatchIsSealed) {
  const BatchId id = create_batch(store(), waiting(3, now)).value().id;
  EXPECT_EQ(keep_items(store(), id, {{0, "first"}, {2, "third"}}).value(), 2u);
  EXPECT_EQ(keep_items(store(), id, {{0, "another"}}).value(), 2u) << "an index is an item's identity";
  EXPECT_EQ(keep_items(store(), id, {{3, "too many"}}).status().code(), Code::kInvalid);
  EXPECT_EQ(keep_items(store(), new_batch_id(now), {{0, "x"}}).status().code(), Code::kNotFound);
  reopen();
  EXPECT_EQ(store().kept_items(id).value(), (std::map<std::uint32_t, std::string>{{0, "first"}, {2, "third"}}));
  EXPECT_TRUE(claim().empty());
  ASSERT_TRUE(enqueue_batch(store(), items_of(id, {new_run(), new_run(), new_run()}, now)));
  EXPECT_TRUE(store().kept_items(id)->empty());
  EXPECT_EQ(keep_items(store(), id, {{0, "late"}}).status().code(), Code::kConflict);
}

TEST_P(StoreConformance, TheSameCallOfALaterAttemptGetsTheSameBatch) {
  const RunId parent = enqueued("parent");
  fail(claim_one(), RetryAt{now});
  const auto call = [&](std::string name) {
    std::vector<NewRun> runs{new_run(), new_run()};
    for (NewRun& each : runs) each.parent = each.root = parent;
    BatchItems items = fresh_items(std::move(runs), now);
    items.parent = parent;
    items.call = 1;
    items.name = std::move(name);
    return enqueue_batch(store(), std::move(items));
  };
  const Batch first = call("2 x echo").value();
  EXPECT_EQ(call("2 x echo").value(), first);
  reopen();
  EXPECT_EQ(call("2 x echo").value(), first);
  EXPECT_EQ(call("3 x echo").status().code(), Code::kConflict);
  EXPECT_EQ(store().children(parent, {}, 10).value(), first.runs);
  const RecordedCall recorded = store().recorded_call(parent, 1).value();
  EXPECT_EQ(recorded, (RecordedCall{CallKind::kBatch, "2 x echo", first.id.text(), {}}));
  EXPECT_EQ(first.parent, parent);
}

TEST_P(StoreConformance, ABatchSurvivesAPowerCutWholeOnceItWasAnswered) {
  if (!factory().can_lose_power()) GTEST_SKIP() << "this engine has no disk";
  const BatchId id = create_batch(store(), waiting(100, now)).value().id;
  std::vector<NewRun> runs;
  for (int i = 0; i < 100; ++i) runs.push_back(new_run());
  const Batch sealed = enqueue_batch(store(), items_of(id, runs, now)).value();
  const Batch waits = create_batch(store(), waiting(1, now, "w")).value();
  lose_power();
  EXPECT_EQ(store().batch(id).value(), sealed);
  EXPECT_EQ(claim().size(), 100u);
  EXPECT_EQ(create_batch(store(), waiting(1, now, "w")).value(), waits);
}

TEST_P(StoreConformance, ABatchWhoseWriteFailsCanBeSentAgain) {
  if (!factory().can_fail_writes()) GTEST_SKIP() << "this engine has no disk";
  const BatchId id = create_batch(store(), waiting(2, now)).value().id;
  factory().fail_writes();
  const std::vector<NewRun> runs{new_run(), new_run()};
  EXPECT_FALSE(enqueue_batch(store(), items_of(id, runs, now)));
  factory().heal();
  ASSERT_TRUE(listener.wait_until(serves_again));
  const Batch sealed = enqueue_batch(store(), items_of(id, {new_run(), new_run()}, now)).value();
  EXPECT_EQ(sealed.runs.size(), 2u);
  Ids claimed = ids_of(claim());
  std::ranges::sort(claimed);
  EXPECT_EQ(claimed, sealed.runs) << "once, whether the first write survived or not";
}

TEST_P(StoreConformance, ABatchGoesWithTheLastOfItsRuns) {
  const Batch kept = create_batch(store(), waiting(1, now, "k")).value();
  const Batch sealed = enqueue_batch(store(), items_of(kept.id, {new_run()}, now)).value();
  const Batch two = enqueue_batch(store(), fresh_items({new_run(), new_run()}, now)).value();
  std::vector<Claim> claims = claim();
  ASSERT_EQ(claims.size(), 3u);
  for (const Claim& each : claims) {
    if (each.run.id != two.runs[1]) succeed(each);
  }
  now += minutes(1);
  Removal removal;
  removal.ended_before = now;
  EXPECT_EQ(remove_finished(store(), removal)->runs, 2u);
  EXPECT_EQ(store().batch(kept.id).status().code(), Code::kNotFound);
  EXPECT_NE(create_batch(store(), waiting(1, now, "k")).value().id, kept.id);
  EXPECT_EQ(store().batch(two.id).value(), two);
  for (const Claim& each : claims) {
    if (each.run.id == two.runs[1]) succeed(each);
  }
  now += minutes(1);
  removal.ended_before = now;
  EXPECT_EQ(remove_finished(store(), removal)->runs, 1u);
  EXPECT_EQ(store().batch(two.id).status().code(), Code::kNotFound);
  RunFilter filter;
  filter.batch = two.id;
  EXPECT_TRUE(store().list(filter)->runs.empty());
}

TEST_P(StoreConformance, BatchesWithoutRunsGoByAge) {
  const BatchId unsealed = create_batch(store(), waiting(1, now, "k")).value().id;
  ASSERT_TRUE(keep_items(store(), unsealed, {{0, "item"}}));
  BatchItems empty = fresh_items({}, now);
  empty.faults = {{0, TaskId("gone"), "nobody offers it"}};
  ASSERT_TRUE(enqueue_batch(store(), empty));
  const RunId parent = enqueued("parent");
  const Claim executing = claim_one();
  BatchItems of_parent = empty;
  of_parent.batch = new_batch_id(now);
  of_parent.parent = parent;
  ASSERT_TRUE(enqueue_batch(store(), of_parent));
  const Batch sealed = enqueue_batch(store(), fresh_items({new_run()}, now)).value();
  now += hours(1);
  const BatchId young = create_batch(store(), waiting(1, now)).value().id;
  EXPECT_EQ(remove_batches(store(), now).value(), 2u);
  EXPECT_EQ(store().batch(unsealed).status().code(), Code::kNotFound);
  EXPECT_EQ(store().batch(empty.batch).status().code(), Code::kNotFound);
  EXPECT_TRUE(store().batch(of_parent.batch)) << "its parent may ask again";
  EXPECT_TRUE(store().batch(sealed.id));
  EXPECT_TRUE(store().batch(young));
  EXPECT_NE(create_batch(store(), waiting(1, now, "k")).value().id, unsealed);
  succeed(executing);
  EXPECT_EQ(remove_batches(store(), now).value(), 1u);
}

}  // namespace
}  // namespace perdure::store::conformance
