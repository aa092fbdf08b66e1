// Runs that claim() sets aside for a version, and put_back(); how many runs one claim turns away.
#include <algorithm>

#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

using Told = RecordingListener::Told;

const TaskId kEcho("echo");
const VersionId kOne("v1"), kTwo("v2");

// Runs of task "bad" are set aside for v1; all others start on it.
ClaimDecision bad_aside(const store::Run& run) {
  if (run.task == TaskId("bad")) return SetAside{kOne};
  return StartOn{kOne};
}

ClaimDecision all_aside(const store::Run&) { return SetAside{kOne}; }

class Aside {
 public:
  explicit Aside(Store& store, Time now) : store_(store), now_(now) {}
  // Claims as `decide` says; the ids of what started.
  std::vector<RunId> claim(const DecideClaim& decide = all_aside, std::size_t max = 5000) {
    const Result<std::vector<Claim>> claims = conformance::claim(store_, max, now_, decide);
    EXPECT_TRUE(claims) << claims.status().message();
    return claims ? ids_of(*claims) : std::vector<RunId>();
  }

 private:
  Store& store_;
  Time now_;
};

TEST_P(StoreConformance, ARunSetAsideStaysQueuedAsItWasAndIsNotClaimedAgain) {
  const RunId id = enqueued();
  const store::Run before = run(id);
  now += seconds(1);
  EXPECT_TRUE(Aside(store(), now).claim().empty());
  EXPECT_EQ(run(id), before);
  EXPECT_EQ(events(id), std::vector<std::string>{"triggered"});
  EXPECT_EQ(store().counts()[RunStatus::kQueued], 1u);
  EXPECT_EQ(store().set_aside(kEcho, kOne), 1u);
  EXPECT_EQ(store().set_aside(kEcho, std::nullopt), 1u);
  EXPECT_EQ(store().set_aside(kEcho, kTwo), 0u);
  EXPECT_EQ(store().set_aside(TaskId("other"), std::nullopt), 0u);
  EXPECT_TRUE(claim().empty());
}

TEST_P(StoreConformance, ARunSetAsideIsNotCountedByItsClaim) {
  const RunId bad = enqueued("bad"), good = enqueued();
  EXPECT_EQ(Aside(store(), now).claim(bad_aside, 1), std::vector<RunId>{good});
  EXPECT_EQ(status(bad), RunStatus::kQueued);
}

TEST_P(StoreConformance, PutBackByOneLetsTheFirstInOrderBeClaimedAndNoOther) {
  std::vector<RunId> in_order;
  for (int i = 0; i < 3; ++i) in_order.push_back(enqueued());
  NewRun ahead = new_run();
  ahead.priority = seconds(5);
  in_order.insert(in_order.begin(), enqueued(std::move(ahead)));
  Aside(store(), now).claim();
  for (const RunId& next : in_order) {
    EXPECT_EQ(store().put_back(kEcho, kOne, 1), 1u);
    EXPECT_EQ(ids_of(claim()), std::vector<RunId>{next});
  }
  EXPECT_EQ(store().put_back(kEcho, kOne, 1), 0u);
}

TEST_P(StoreConformance, RunsPutBackTakeTheirOldPlacesInTheQueue) {
  const RunId first = enqueued("bad"), second = enqueued("bad");
  Aside(store(), now).claim();
  now += seconds(1);
  NewRun created = new_run();
  created.queue = QueueName("task/bad");
  const RunId third = enqueued(std::move(created));
  EXPECT_EQ(store().put_back(TaskId("bad"), std::nullopt, 100), 2u);
  EXPECT_EQ(store().set_aside(TaskId("bad"), std::nullopt), 0u);
  EXPECT_EQ(ids_of(claim()), (std::vector<RunId>{first, second, third}));
}

TEST_P(StoreConformance, RunsAreSetAsideForTheVersionAndTheTaskAndPutBackForThem) {
  std::vector<RunId> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(enqueued());
  const RunId other = enqueued("other");
  int turn = 0;
  Aside(store(), now).claim([&](const store::Run& asked) {
    return SetAside{asked.task == kEcho && turn++ % 2 == 1 ? kTwo : kOne};
  });
  EXPECT_EQ(store().set_aside(kEcho, kOne), 2u);
  EXPECT_EQ(store().set_aside(kEcho, kTwo), 2u);
  EXPECT_EQ(store().set_aside(kEcho, std::nullopt), 4u);
  EXPECT_EQ(store().put_back(kEcho, kTwo, 100), 2u);
  EXPECT_EQ(ids_of(claim()), (std::vector<RunId>{ids[1], ids[3]}));
  EXPECT_EQ(store().put_back(TaskId("unknown"), std::nullopt, 100), 0u);
  EXPECT_EQ(store().put_back(TaskId("other"), kTwo, 100), 0u);
  EXPECT_EQ(store().put_back(kEcho, std::nullopt, 100), 2u);
  EXPECT_EQ(ids_of(claim()), (std::vector<RunId>{ids[0], ids[2]}));
  EXPECT_EQ(store().put_back(TaskId("other"), kOne, 100), 1u);
  EXPECT_EQ(ids_of(claim()), std::vector<RunId>{other});
}

TEST_P(StoreConformance, OfAllVersionsTheFirstInOrderIsPutBackFirst) {
  const RunId first = enqueued(), second = enqueued(), third = enqueued();
  Aside(store(), now).claim([&](const store::Run& asked) { return SetAside{asked.id == second ? kOne : kTwo}; });
  for (const RunId& next : {first, second, third}) {
    EXPECT_EQ(store().put_back(kEcho, std::nullopt, 1), 1u);
    EXPECT_EQ(ids_of(claim()), std::vector<RunId>{next});
  }
}

TEST_P(StoreConformance, ARunPutBackCanBeSetAsideAgain) {
  const RunId id = enqueued();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(Aside(store(), now).claim().empty());
    EXPECT_EQ(store().set_aside(kEcho, kOne), 1u);
    EXPECT_EQ(store().put_back(kEcho, kOne, 1), 1u);
  }
  EXPECT_EQ(ids_of(claim()), std::vector<RunId>{id});
}

TEST_P(StoreConformance, TheListenerIsToldWhenRunsArePutBack) {
  enqueued();
  Aside(store(), now).claim();
  ASSERT_TRUE(synced(store()));
  const std::size_t before = listener.told().ready;
  store().put_back(kEcho, kOne, 1);
  EXPECT_TRUE(listener.wait_until([&](const Told& told) { return told.ready > before; }));
}

TEST_P(StoreConformance, ARunSetAsideCanBeCanceled) {
  const RunId id = enqueued(), other = enqueued();
  Aside(store(), now).claim();
  const Result<store::Run> canceled = cancel(store(), id, now);
  ASSERT_TRUE(canceled) << canceled.status().message();
  EXPECT_EQ(canceled->status, RunStatus::kCanceled);
  EXPECT_EQ(store().set_aside(kEcho, kOne), 1u);
  EXPECT_EQ(store().put_back(kEcho, kOne, 100), 1u);
  EXPECT_EQ(ids_of(claim()), std::vector<RunId>{other});
  EXPECT_EQ(store().counts()[RunStatus::kQueued], 0u);
}

TEST_P(StoreConformance, ARunSetAsideExpires) {
  NewRun created = new_run();
  created.options.ttl = seconds(10);
  const RunId id = enqueued(std::move(created));
  Aside(store(), now).claim();
  EXPECT_EQ(store().next_due(), now + seconds(10));
  now += seconds(10);
  EXPECT_EQ(wake_due(store(), now).value(), 1u);
  EXPECT_EQ(status(id), RunStatus::kExpired);
  EXPECT_EQ(store().set_aside(kEcho, kOne), 0u);
  EXPECT_EQ(store().put_back(kEcho, kOne, 100), 0u);
  EXPECT_TRUE(claim().empty());
  EXPECT_EQ(store().next_due(), std::nullopt);
}

TEST_P(StoreConformance, ARunSetAsideHoldsNoSlotOfItsQueue) {
  store().limit_queue(QueueName("mail"), 1);
  NewRun created = new_run("bad");
  created.queue = QueueName("mail");
  const RunId bad = enqueued(std::move(created));
  const RunId good = enqueued_in("mail"), later = enqueued_in("mail");
  EXPECT_EQ(Aside(store(), now).claim(bad_aside), std::vector<RunId>{good});
  EXPECT_EQ(status(later), RunStatus::kQueued);
  EXPECT_EQ(store().set_aside(TaskId("bad"), kOne), 1u);
  EXPECT_EQ(status(bad), RunStatus::kQueued);
}

TEST_P(StoreConformance, RunsPutBackRespectTheLimitOfTheirQueue) {
  store().limit_queue(QueueName("mail"), 1);
  const RunId first = enqueued_in("mail"), second = enqueued_in("mail");
  Aside(store(), now).claim();
  EXPECT_EQ(store().put_back(kEcho, kOne, 100), 2u);
  const Claim claimed = claim_one();
  EXPECT_EQ(claimed.run.id, first);
  EXPECT_TRUE(claim().empty());
  succeed(claimed);
  EXPECT_EQ(claim_one().run.id, second);
}

TEST_P(StoreConformance, AStoreThatWasReopenedHasEveryQueuedRunReady) {
  if (!factory().can_reopen()) GTEST_SKIP() << "the engine cannot be opened again";
  const RunId first = enqueued("bad"), second = enqueued("bad");
  Aside(store(), now).claim();
  reopen();
  EXPECT_EQ(store().set_aside(TaskId("bad"), std::nullopt), 0u);
  EXPECT_EQ(store().put_back(TaskId("bad"), std::nullopt, 100), 0u);
  EXPECT_EQ(ids_of(claim()), (std::vector<RunId>{first, second}));
}

TEST_P(StoreConformance, ARunSetAsideIsReadyAgainAfterFailedWrites) {
  if (!factory().can_fail_writes()) GTEST_SKIP() << "the engine's writes cannot be made to fail";
  const RunId id = enqueued();
  Aside(store(), now).claim();
  factory().fail_writes();
  EXPECT_FALSE(enqueue(store(), new_run()));
  factory().heal();
  ASSERT_TRUE(listener.wait_until([](const Told& told) { return !told.health.empty() && told.health.back().is_ok(); }));
  EXPECT_EQ(store().set_aside(kEcho, std::nullopt), 0u);
  EXPECT_EQ(ids_of(claim()), std::vector<RunId>{id});
}

// ---- How many one claim turns away ----------------------------------------------------------------------------------

TEST_P(StoreConformance, OneClaimTurnsAwaySoManyAndAsksToComeBack) {
  // Every other one held, every other one set aside; and behind them one that starts.
  for (std::size_t i = 0; i < kMostTurnedAway + 5; ++i) store().enqueue(new_run(), [](const Result<Enqueued>&) {});
  ASSERT_TRUE(synced(store()));
  now += seconds(1);
  NewRun created = new_run("good");
  created.queue = QueueName("task/echo");
  const RunId good = enqueued(std::move(created));
  std::size_t asked = 0;
  const auto decide = [&](const store::Run& each) -> ClaimDecision {
    if (each.task == TaskId("good")) return StartOn{kOne};
    if (asked++ % 2 == 0) return Hold();
    return SetAside{kOne};
  };
  const std::size_t before = listener.told().ready;
  EXPECT_TRUE(Aside(store(), now).claim(decide).empty());
  EXPECT_EQ(asked, kMostTurnedAway);
  EXPECT_EQ(store().counts()[RunStatus::kPendingVersion], kMostTurnedAway / 2);
  EXPECT_EQ(store().set_aside(kEcho, kOne), kMostTurnedAway / 2);
  EXPECT_TRUE(listener.wait_until([&](const Told& told) { return told.ready > before; }));
  EXPECT_EQ(Aside(store(), now).claim(decide), std::vector<RunId>{good});
  EXPECT_EQ(asked, kMostTurnedAway + 5);
}

TEST_P(StoreConformance, AClaimThatLeftNothingReadyDoesNotAskToComeBack) {
  for (std::size_t i = 0; i < kMostTurnedAway; ++i) store().enqueue(new_run(), [](const Result<Enqueued>&) {});
  ASSERT_TRUE(synced(store()));
  const std::size_t before = listener.told().ready;
  EXPECT_TRUE(Aside(store(), now).claim().empty());
  EXPECT_EQ(store().set_aside(kEcho, kOne), kMostTurnedAway);
  NewRun delayed = new_run();  // makes nothing ready, and is answered after what the claim may have told
  delayed.delayed_until = now + seconds(1);
  enqueued(std::move(delayed));
  EXPECT_EQ(listener.told().ready, before);
}

TEST_P(StoreConformance, MoreRunsThanOneClaimTurnsAwayArePutBackAtOnce) {
  const std::size_t all = 2 * kMostTurnedAway + 10;
  for (std::size_t i = 0; i < all; ++i) store().enqueue(new_run(), [](const Result<Enqueued>&) {});
  ASSERT_TRUE(synced(store()));
  for (int i = 0; i < 3; ++i) Aside(store(), now).claim();
  ASSERT_EQ(store().set_aside(kEcho, kOne), all);
  EXPECT_EQ(store().put_back(kEcho, kOne, all - 1), all - 1);
  EXPECT_EQ(store().set_aside(kEcho, kOne), 1u);
  std::vector<RunId> ids = ids_of(claim(all));
  EXPECT_EQ(ids.size(), all - 1);
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
}

TEST_P(StoreConformance, ManyHeldRunsAreReleasedByOneCall) {
  for (int i = 0; i < 600; ++i) {
    NewRun created = new_run(i % 2 == 0 ? "a" : "b");
    created.pending_version = true;
    store().enqueue(std::move(created), [](const Result<Enqueued>&) {});
  }
  ASSERT_TRUE(synced(store()));
  EXPECT_EQ(release(store(), {TaskId("a"), TaskId("b")}, now).value(), 600u);
  EXPECT_EQ(claim().size(), 600u);
}

}  // namespace
}  // namespace perdure::store::conformance
