// Children that exist only if the attempt that triggered them succeeds: created with its end, in one commit.
#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

bool serves_again(const RecordingListener::Told& told) { return !told.health.empty() && told.health.back().is_ok(); }

NewRun child_of(NewRun run, const RunId& parent) {
  run.parent = run.root = parent;
  run.depth = 1;
  return run;
}

TEST_P(StoreConformance, ASuccessBringsItsChildrenWithIt) {
  const RunId parent = enqueued("parent");
  AttemptEnd end = success_of(claim_one(), now);
  const NewRun alone = child_of(new_run("child"), parent), one = child_of(new_run("one"), parent),
               two = child_of(new_run("two"), parent);
  end.children = {alone};
  end.batches.emplace_back();
  end.batches[0].batch = new_batch_id(now);
  end.batches[0].fresh = true;
  end.batches[0].now = now;
  end.batches[0].parent = parent;
  end.batches[0].runs = {one, two};
  const BatchId batch = end.batches[0].batch;
  const AttemptEnd again = end;
  EXPECT_EQ(finish(std::move(end)).status, RunStatus::kCompleted);
  EXPECT_EQ(store().children(parent, {}, 10).value(), (std::vector<RunId>{alone.id, one.id, two.id}));
  EXPECT_EQ(store().batch(batch).value().runs, (std::vector<RunId>{one.id, two.id}));
  EXPECT_EQ(run(one.id).batch, batch);
  EXPECT_EQ(run(alone.id).batch, BatchId());
  EXPECT_EQ(finish(again).status, RunStatus::kCompleted) << "a repeat";
  EXPECT_EQ(claim().size(), 3u) << "each once";
}

TEST_P(StoreConformance, AFailureLeavesNoChild) {
  const RunId parent = enqueued("parent");
  AttemptEnd end = failure_of(claim_one(), now, RetryAt{now});
  const NewRun child = child_of(new_run("child"), parent);
  end.children = {child};
  finish(std::move(end));
  EXPECT_EQ(store().run(child.id).status().code(), Code::kNotFound);
  EXPECT_TRUE(store().children(parent, {}, 10)->empty());
  const Claim second = claim_one();
  EXPECT_EQ(recover(store(), now += seconds(1)).value(), 1u);
  EXPECT_EQ(second.attempt.number, 2u);
  EXPECT_TRUE(store().children(parent, {}, 10)->empty());
}

TEST_P(StoreConformance, AChildOfASuccessGoesByItsIdempotencyKey) {
  NewRun first = new_run("child");
  first.options.idempotency_key = "k";
  const RunId known = enqueued(first);
  claim_one();
  const RunId parent = enqueued("parent");
  AttemptEnd end = success_of(claim_one(), now);
  NewRun child = child_of(new_run("child"), parent);
  child.options.idempotency_key = "k";
  end.children = {child};
  finish(std::move(end));
  EXPECT_EQ(store().run(child.id).status().code(), Code::kNotFound);
  EXPECT_TRUE(store().run(known));
}

TEST_P(StoreConformance, ChildrenThatCannotBeLetTheAttemptGoOn) {
  const RunId parent = enqueued("parent");
  const Claim claim = claim_one();
  AttemptEnd end = success_of(claim, now);
  end.children = {child_of(new_run("child"), parent)};
  end.children[0].id = parent;
  EXPECT_EQ(conformance::finish(store(), end).status().code(), Code::kConflict);
  EXPECT_EQ(status(parent), RunStatus::kExecuting);
  end.children[0].id = new_run_id(now);
  EXPECT_EQ(finish(end).status, RunStatus::kCompleted);
}

TEST_P(StoreConformance, TheChildrenOfASuccessSurviveAPowerCutWithIt) {
  if (!factory().can_lose_power()) GTEST_SKIP() << "this engine has no disk";
  const RunId parent = enqueued("parent");
  AttemptEnd end = success_of(claim_one(), now);
  const NewRun child = child_of(new_run("child"), parent);
  end.children = {child};
  finish(std::move(end));
  lose_power();
  EXPECT_EQ(status(parent), RunStatus::kCompleted);
  EXPECT_EQ(claim_one().run.id, child.id);
  EXPECT_EQ(store().children(parent, {}, 10).value(), std::vector<RunId>{child.id});
}

TEST_P(StoreConformance, AnEndThatIsNotRecordedHasNoChildrenUntilItIs) {
  if (!factory().can_fail_writes()) GTEST_SKIP() << "this engine has no disk";
  const RunId parent = enqueued("parent");
  AttemptEnd end = success_of(claim_one(), now);
  const NewRun child = child_of(new_run("child"), parent);
  end.children = {child};
  factory().fail_writes();
  EXPECT_FALSE(conformance::finish(store(), end));
  factory().heal();
  ASSERT_TRUE(listener.wait_until(serves_again));
  EXPECT_EQ(finish(end).status, RunStatus::kCompleted);
  EXPECT_EQ(claim_one().run.id, child.id);
}

}  // namespace
}  // namespace perdure::store::conformance
