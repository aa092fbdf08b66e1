// Which versions unfinished runs are locked to: locked_versions(), and when a version is told to be free.
#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

using Told = RecordingListener::Told;
using Locked = std::map<VersionId, std::uint64_t>;

const VersionId kOne("v1"), kTwo("v2");

DecideClaim on(const VersionId& version) {
  return [version](const store::Run&) { return StartOn{version}; };
}

// Claims the one run that is ready, on this version.
Claim claim_on(Store& store, Time now, const VersionId& version) {
  Result<std::vector<Claim>> claims = claim(store, 2, now, on(version));
  EXPECT_TRUE(claims) << claims.status().message();
  if (!claims || claims->size() != 1) {
    ADD_FAILURE() << "not one run was ready";
    return {};
  }
  return std::move(claims->front());
}

TEST_P(StoreConformance, ARunIsLockedFromItsFirstAttemptUntilItEnds) {
  enqueued();
  EXPECT_EQ(store().locked_versions(), Locked());
  const Claim first = claim_on(store(), now, kOne);
  EXPECT_EQ(store().locked_versions(), (Locked{{kOne, 1}}));
  enqueued();
  claim_on(store(), now, kOne);
  enqueued();
  const Claim third = claim_on(store(), now, kTwo);
  EXPECT_EQ(store().locked_versions(), (Locked{{kOne, 2}, {kTwo, 1}}));
  succeed(first);
  EXPECT_EQ(store().locked_versions(), (Locked{{kOne, 1}, {kTwo, 1}}));
  fail(third, GiveUp{RunStatus::kFailed});
  EXPECT_EQ(store().locked_versions(), (Locked{{kOne, 1}}));
}

TEST_P(StoreConformance, ARunThatWaitsForItsRetryStaysLocked) {
  enqueued();
  fail(claim_on(store(), now, kOne), RetryAt{now + seconds(10)});
  EXPECT_EQ(store().locked_versions(), (Locked{{kOne, 1}}));
  now += seconds(10);
  ASSERT_EQ(wake_due(store(), now).value(), 1u);
  EXPECT_EQ(store().locked_versions(), (Locked{{kOne, 1}}));
  ASSERT_TRUE(conformance::claim(store(), 1, now, [](const store::Run&) { return SetAside{kOne}; }));
  EXPECT_EQ(store().locked_versions(), (Locked{{kOne, 1}}));
  EXPECT_EQ(store().put_back(TaskId("echo"), kOne, 1), 1u);
  ASSERT_TRUE(conformance::claim(store(), 1, now, [](const store::Run&) { return Hold(); }));
  EXPECT_EQ(store().locked_versions(), (Locked{{kOne, 1}}));
  ASSERT_EQ(release(store(), {TaskId("echo")}, now).value(), 1u);
  EXPECT_EQ(store().locked_versions(), (Locked{{kOne, 1}}));
  EXPECT_TRUE(listener.told().free.empty());
  succeed(claim_one());
  EXPECT_EQ(store().locked_versions(), Locked());
  EXPECT_EQ(listener.told().free, std::vector<VersionId>{kOne});
}

TEST_P(StoreConformance, ARunThatLostItsHostStaysLocked) {
  enqueued();
  claim_on(store(), now, kOne);
  ASSERT_EQ(recover(store(), now).value(), 1u);
  EXPECT_EQ(store().locked_versions(), (Locked{{kOne, 1}}));
  EXPECT_TRUE(listener.told().free.empty());
}

TEST_P(StoreConformance, ARunGivenUpForItsLostHostsIsLockedNoMore) {
  enqueued();
  for (std::uint32_t i = 0; i < kMaxHostLosses; ++i) {
    claim_on(store(), now, kOne);
    EXPECT_TRUE(listener.told().free.empty());
    ASSERT_EQ(recover(store(), now).value(), 1u);
  }
  EXPECT_EQ(store().locked_versions(), Locked());
  EXPECT_EQ(listener.told().free, std::vector<VersionId>{kOne});
}

TEST_P(StoreConformance, ACanceledRunIsLockedNoMore) {
  const RunId id = enqueued();
  fail(claim_on(store(), now, kOne), RetryAt{now + seconds(10)});
  ASSERT_TRUE(cancel(store(), id, now));
  EXPECT_EQ(store().locked_versions(), Locked());
  EXPECT_EQ(listener.told().free, std::vector<VersionId>{kOne});
}

TEST_P(StoreConformance, AVersionIsFreeOnlyWithTheLastOfItsRuns) {
  std::vector<Claim> claims;
  for (int i = 0; i < 3; ++i) {
    enqueued();
    claims.push_back(claim_on(store(), now, kOne));
  }
  succeed(claims[0]);
  succeed(claims[1]);
  EXPECT_TRUE(listener.told().free.empty());
  succeed(claims[2]);
  EXPECT_EQ(listener.told().free, std::vector<VersionId>{kOne});
}

TEST_P(StoreConformance, AVersionIsToldFreeOnceEachTimeItBecomesFree) {
  for (std::size_t times = 1; times <= 3; ++times) {
    enqueued();
    const Claim claimed = claim_on(store(), now, kOne);
    succeed(claimed);
    EXPECT_EQ(listener.told().free, std::vector<VersionId>(times, kOne));
    succeed(claimed);  // a repeat
    EXPECT_EQ(listener.told().free.size(), times);
  }
}

TEST_P(StoreConformance, AnUnstartedRunFreesNoVersion) {
  const RunId canceled = enqueued();
  ASSERT_TRUE(cancel(store(), canceled, now));
  NewRun created = new_run();
  created.options.ttl = seconds(1);
  enqueued(std::move(created));
  now += seconds(1);
  ASSERT_EQ(wake_due(store(), now).value(), 1u);
  EXPECT_TRUE(listener.told().free.empty());
}

TEST_P(StoreConformance, ARunMovedToAnotherVersionFreesTheOneItHad) {
  const RunId id = enqueued();
  fail(claim_on(store(), now, kOne), RetryAt{now});
  const Claim moved = claim_on(store(), now, kTwo);
  EXPECT_EQ(moved.run.version, kTwo);
  EXPECT_EQ(run(id).version, kTwo);
  EXPECT_EQ(store().locked_versions(), (Locked{{kTwo, 1}}));
  EXPECT_TRUE(listener.wait_until([](const Told& told) { return told.free == std::vector<VersionId>{kOne}; }));
  succeed(moved);
  EXPECT_EQ(store().locked_versions(), Locked());
  EXPECT_EQ(listener.told().free, (std::vector<VersionId>{kOne, kTwo}));
}

TEST_P(StoreConformance, LocksSurviveReopening) {
  if (!factory().can_reopen()) GTEST_SKIP() << "the engine cannot be opened again";
  const VersionId delayed("delayed"), queued("queued"), held("held"), executing("executing"), gone("gone");
  enqueued();
  fail(claim_on(store(), now, delayed), RetryAt{now + seconds(10)});
  enqueued("held");
  fail(claim_on(store(), now, held), RetryAt{now});
  ASSERT_TRUE(conformance::claim(store(), 1, now, [](const store::Run&) { return Hold(); }));
  enqueued();
  succeed(claim_on(store(), now, gone));
  enqueued();
  const Claim executes = claim_on(store(), now, executing);
  enqueued();
  const Claim ends = claim_on(store(), now, queued);
  fail(ends, RetryAt{now});
  enqueued();  // locked to none
  const Locked locked = {{delayed, 1}, {held, 1}, {executing, 1}, {queued, 1}};
  EXPECT_EQ(store().locked_versions(), locked);
  reopen();
  EXPECT_EQ(store().locked_versions(), locked);

  // And they go with their runs.
  EXPECT_EQ(listener.told().free, std::vector<VersionId>{gone});
  succeed(executes);
  EXPECT_EQ(listener.told().free, (std::vector<VersionId>{gone, executing}));
  for (const Claim& each : claim()) succeed(each);
  now += seconds(10);
  ASSERT_EQ(wake_due(store(), now).value(), 1u);
  succeed(claim_one());
  ASSERT_EQ(release(store(), {TaskId("held")}, now).value(), 1u);
  succeed(claim_one());
  EXPECT_EQ(store().locked_versions(), Locked());
  EXPECT_EQ(listener.told().free, (std::vector<VersionId>{gone, executing, queued, kOne, delayed, held}));
}

TEST_P(StoreConformance, AVersionIsNotToldFreeWhileItsLastEndIsNotRecorded) {
  if (!factory().can_fail_writes()) GTEST_SKIP() << "the engine's writes cannot be made to fail";
  enqueued();
  const Claim claimed = claim_on(store(), now, kOne);
  ASSERT_TRUE(synced(store()));
  factory().fail_writes();
  EXPECT_FALSE(conformance::finish(store(), success_of(claimed, now)));
  factory().heal();
  ASSERT_TRUE(listener.wait_until([](const Told& told) { return !told.health.empty() && told.health.back().is_ok(); }));
  EXPECT_EQ(store().locked_versions(), (Locked{{kOne, 1}}));
  EXPECT_TRUE(listener.told().free.empty());
  succeed(claimed);
  EXPECT_EQ(listener.told().free, std::vector<VersionId>{kOne});
}

}  // namespace
}  // namespace perdure::store::conformance
