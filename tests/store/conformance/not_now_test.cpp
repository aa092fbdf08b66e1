// Runs for which there is no room when their turn comes: claim() stops, and nothing has happened to them.
#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

// There is no room for runs of task "large".
ClaimDecision no_room(const store::Run& run) {
  if (run.task == TaskId("large")) return NotNow{};
  return StartOn{VersionId("v1"), "small-2x"};
}

TEST_P(StoreConformance, ARunForWhichThereIsNoRoomStaysAsItWas) {
  const RunId id = enqueued("large");
  const store::Run before = run(id);
  now += seconds(1);
  EXPECT_TRUE(conformance::claim(store(), 10, now, no_room)->empty());
  EXPECT_EQ(run(id), before);
  EXPECT_EQ(events(id), std::vector<std::string>{"triggered"});
  EXPECT_EQ(store().counts()[RunStatus::kQueued], 1u);
  EXPECT_TRUE(attempts(id).empty());
}

TEST_P(StoreConformance, AClaimEndsWhereThereIsNoRoomWithWhatItHas) {
  const RunId first = enqueued(), large = enqueued("large"), second = enqueued("other");
  EXPECT_EQ(ids_of(conformance::claim(store(), 10, now, no_room).value()), std::vector<RunId>{first});
  EXPECT_EQ(status(second), RunStatus::kQueued);
  EXPECT_EQ(ids_of(claim()), (std::vector<RunId>{large, second}));
}

TEST_P(StoreConformance, ARunForWhichThereWasNoRoomIsNextWhateverComes) {
  (void)succeed((enqueued("large"), claim_one()));  // so that its queue has been served
  const RunId large = enqueued("large");
  EXPECT_TRUE(conformance::claim(store(), 10, now, no_room)->empty());
  std::vector<RunId> others;
  for (int i = 0; i < 5; ++i) others.push_back(enqueued_in("new" + std::to_string(i)));
  EXPECT_TRUE(conformance::claim(store(), 10, now, no_room)->empty()) << "others have passed it";
  EXPECT_EQ(ids_of(claim(1)), std::vector<RunId>{large});
  EXPECT_EQ(ids_of(claim()), others);
}

TEST_P(StoreConformance, ARunForWhichThereIsNoRoomHoldsNoSlotOfItsQueue) {
  store().limit_queue(QueueName("task/large"), 1);
  const RunId first = enqueued("large"), second = enqueued("large");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(conformance::claim(store(), 10, now, no_room)->empty());
  EXPECT_EQ(ids_of(claim()), std::vector<RunId>{first});
  EXPECT_TRUE(claim().empty()) << "its queue has one slot";
  EXPECT_EQ(status(second), RunStatus::kQueued);
}

TEST_P(StoreConformance, ARunOfMorePriorityPassesOneForWhichThereWasNoRoom) {
  const RunId large = enqueued("large");
  EXPECT_TRUE(conformance::claim(store(), 10, now, no_room)->empty());
  NewRun ahead = new_run("large");
  ahead.priority = seconds(5);
  const RunId urgent = enqueued(std::move(ahead));
  EXPECT_EQ(ids_of(claim()), (std::vector<RunId>{urgent, large}));
}

TEST_P(StoreConformance, ARunForWhichThereIsNoRoomCanBeCanceled) {
  const RunId large = enqueued("large"), other = enqueued();
  EXPECT_TRUE(conformance::claim(store(), 10, now, no_room)->empty());
  EXPECT_TRUE(conformance::cancel(store(), large, now));
  EXPECT_EQ(ids_of(conformance::claim(store(), 10, now, no_room).value()), std::vector<RunId>{other});
}

TEST_P(StoreConformance, AnAttemptKeepsTheMachineItBeganOn) {
  const RunId id = enqueued();
  const Claim claimed = conformance::claim(store(), 1, now, no_room)->at(0);
  EXPECT_EQ(claimed.attempt.machine, "small-2x");
  EXPECT_EQ(attempts(id).at(0).machine, "small-2x");
  EXPECT_EQ(run(id).machine, "");
  AttemptEnd end = failure_of(claimed, now, RetryAt{now}, FailureKind::kOutOfMemory);
  end.machine = "medium-1x";
  EXPECT_EQ(finish(end).machine, "medium-1x");
  const Claim again = conformance::claim(store(), 1, now, [](const store::Run& each) {
                        return StartOn{VersionId("v1"), each.machine};
                      })->at(0);
  EXPECT_EQ(again.attempt.machine, "medium-1x");
  EXPECT_EQ(succeed(again).machine, "medium-1x");
  EXPECT_EQ(attempts(id).at(0).machine, "small-2x");
  EXPECT_EQ(attempts(id).at(1).machine, "medium-1x");
}

}  // namespace
}  // namespace perdure::store::conformance
