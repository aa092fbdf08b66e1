// When a task of a version is held, and what lets it go again.
#include "host/catalog/quarantine.h"

#include <gtest/gtest.h>

namespace perdure::catalog {
namespace {

using Change = Quarantine::Change;
using std::chrono::milliseconds;

class QuarantineTest : public testing::Test {
 protected:
  Change crash(milliseconds after = milliseconds(10), bool probe = false) { return end(&crashed, after, probe); }
  Change succeed(bool probe = false) { return end(nullptr, milliseconds(10), probe); }
  Change end(const store::Failure* failure, milliseconds after, bool probe) {
    now += after;
    return quarantine.ended(version, task, failure, probe, now);
  }
  // Lets `pause` pass; whether a probe is due then, and may begin.
  bool probe_after(milliseconds pause) {
    now += pause;
    return quarantine.probe_due(now).size() == 1 && quarantine.admit(version, task);
  }
  void open() {
    for (int i = 0; i < 3; ++i) crash();
    ASSERT_TRUE(quarantine.holds(version, task));
  }

  const store::VersionId version{"v1"};
  const store::TaskId task{"task"};
  const store::Failure crashed{
      .kind = store::FailureKind::kCrashed, .name = "SIGSEGV", .message = "It died.", .stack = "#0 f()", .details = {}};
  const store::Failure error{
      .kind = store::FailureKind::kTaskError, .name = "Error", .message = "It failed.", .stack = {}, .details = {}};
  store::Time now{milliseconds(1'000'000)};
  Quarantine quarantine{
      {.crashes = 3, .window = milliseconds(1000), .pause = milliseconds(100), .longest_pause = milliseconds(300)}};
};

TEST_F(QuarantineTest, HoldsATaskWhoseAttemptsCrashInARow) {
  EXPECT_EQ(crash(), Change::kNone);
  EXPECT_EQ(crash(), Change::kNone);
  EXPECT_TRUE(quarantine.admit(version, task));
  EXPECT_EQ(crash(), Change::kOpened);
  EXPECT_FALSE(quarantine.admit(version, task));
  ASSERT_EQ(quarantine.held().size(), 1u);
  EXPECT_EQ(quarantine.held()[0].reason, "3 attempts in a row crashed within 1s, the last: It died.");
  EXPECT_EQ(quarantine.held()[0].backtrace, "#0 f()");
}

TEST_F(QuarantineTest, HoldsNeitherAnotherTaskNorAnotherVersion) {
  open();
  EXPECT_TRUE(quarantine.admit(version, store::TaskId("other")));
  EXPECT_TRUE(quarantine.admit(store::VersionId("v2"), task));
}

TEST_F(QuarantineTest, ASuccessOrAnErrorBetweenCrashesStartsTheCountAnew) {
  crash();
  crash();
  succeed();
  crash();
  crash();
  EXPECT_EQ(end(&error, milliseconds(1), false), Change::kNone);
  EXPECT_EQ(crash(), Change::kNone);
  EXPECT_EQ(crash(), Change::kNone);
  EXPECT_EQ(crash(), Change::kOpened);
}

TEST_F(QuarantineTest, CrashesFurtherApartThanTheWindowHoldNothing) {
  for (int i = 0; i < 20; ++i) EXPECT_EQ(crash(milliseconds(501)), Change::kNone);
  EXPECT_EQ(crash(milliseconds(100)), Change::kOpened) << "the newest three are within it";
}

TEST_F(QuarantineTest, WhatSaysNothingOfTheCodeCountsForNothing) {
  store::Failure lost = error;
  lost.kind = store::FailureKind::kHostLost;
  crash();
  crash();
  EXPECT_EQ(end(&lost, milliseconds(1), false), Change::kNone);
  EXPECT_EQ(crash(), Change::kOpened);
}

TEST_F(QuarantineTest, LetsOneProbeThroughAfterThePauseAndFlowsAgainWhenItSucceeds) {
  open();
  EXPECT_EQ(quarantine.next_probe(), now + milliseconds(100));
  EXPECT_FALSE(probe_after(milliseconds(99)));
  EXPECT_TRUE(probe_after(milliseconds(1)));
  EXPECT_FALSE(quarantine.admit(version, task)) << "one at a time";
  EXPECT_EQ(quarantine.next_probe(), std::nullopt);
  EXPECT_EQ(succeed(true), Change::kClosed);
  EXPECT_TRUE(quarantine.admit(version, task));
  EXPECT_TRUE(quarantine.held().empty());
}

TEST_F(QuarantineTest, AProbeThatCrashesDoublesThePauseUpToTheLongest) {
  open();
  for (const int pause : {100, 200, 300, 300}) {
    EXPECT_FALSE(probe_after(milliseconds(pause - 1))) << pause;
    ASSERT_TRUE(probe_after(milliseconds(1))) << pause;
    EXPECT_EQ(crash(milliseconds(0), true), Change::kOpened);
  }
}

TEST_F(QuarantineTest, AProbeThatTellsNothingIsRepeatedAtOnce) {
  store::Failure canceled = error;
  canceled.kind = store::FailureKind::kCanceled;
  open();
  ASSERT_TRUE(probe_after(milliseconds(100)));
  EXPECT_EQ(end(&canceled, milliseconds(1), true), Change::kProbe);
  EXPECT_TRUE(quarantine.admit(version, task));
  EXPECT_EQ(quarantine.abandoned(version, task), Change::kProbe);
  EXPECT_TRUE(quarantine.admit(version, task));
}

TEST_F(QuarantineTest, AttemptsThatBeganBeforeItOpenedChangeNothing) {
  open();
  const auto due = quarantine.next_probe();
  EXPECT_EQ(crash(), Change::kNone);
  EXPECT_EQ(succeed(), Change::kNone);
  EXPECT_TRUE(quarantine.holds(version, task));
  EXPECT_EQ(quarantine.next_probe(), due);
}

TEST_F(QuarantineTest, IsReleasedByHandAndAProbeUnderWayNoLongerMatters) {
  open();
  ASSERT_TRUE(probe_after(milliseconds(100)));
  EXPECT_EQ(quarantine.release(version), std::vector{task});
  EXPECT_TRUE(quarantine.admit(version, task));
  EXPECT_EQ(crash(milliseconds(1), true), Change::kNone);
  EXPECT_TRUE(quarantine.release(version).empty());
}

TEST_F(QuarantineTest, WithoutANumberOfCrashesHoldsNothing) {
  Quarantine never({.crashes = 0});
  for (int i = 0; i < 100; ++i) EXPECT_EQ(never.ended(version, task, &crashed, false, now), Change::kNone);
  EXPECT_TRUE(never.admit(version, task));
}

}  // namespace
}  // namespace perdure::catalog
