// What a store does for attempts that outlive their host: recover() leaves them, and what they send again is done once.
#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

using enum MetadataChange;

AdoptedAttempt adopted(const Claim& claim) { return {claim.run.id, claim.attempt.number, claim.attempt.token}; }

Result<std::size_t> recover_others(Store& store, Time now, const std::vector<AdoptedAttempt>& those) {
  return await<std::size_t>([&](Done<std::size_t> done) { store.recover(now, those, std::move(done)); });
}

Status ask_metadata(Store& store, const Claim& claim, std::uint64_t request, const RunId& of) {
  const AttemptRequestId asked{claim.run.id, claim.attempt.number, request};
  return await<bool>([&](Done<bool> done) {
           store.change_metadata(of, {{kIncrement, "n", "1"}}, asked, [done](const Status& status) {
             done(status ? Result<bool>(true) : Result<bool>(status));
           });
         })
      .status();
}

StreamAppend appended(const Claim& claim, std::uint64_t request, Time now) {
  StreamAppend append;
  append.run = claim.run.id;
  append.name = "lines";
  append.chunks = {std::to_string(request)};
  append.now = now;
  append.asked = {claim.run.id, claim.attempt.number, request};
  return append;
}

TEST_P(StoreConformance, RecoverLeavesAdoptedAttemptsExecutingAndTheirOutcomesCount) {
  const RunId id = enqueued();
  const Claim goes_on = claim_one();
  const RunId other = enqueued();
  claim_one();
  reopen();
  EXPECT_EQ(recover_others(store(), now, {adopted(goes_on)}).value(), 1u);
  EXPECT_EQ(status(id), RunStatus::kExecuting);
  EXPECT_EQ(status(other), RunStatus::kQueued);
  EXPECT_EQ(succeed(goes_on).status, RunStatus::kCompleted);
  EXPECT_EQ(run(id).attempts, 1u);
  EXPECT_EQ(run(id).host_losses, 0u);
}

TEST_P(StoreConformance, RecoverDoesNotTakeAnotherAttemptForTheAdoptedOne) {
  const RunId id = enqueued();
  const Claim claimed = claim_one();
  AdoptedAttempt another_fence = adopted(claimed), another_number = another_fence;
  another_fence.token = "another";
  ++another_number.number;
  EXPECT_EQ(recover_others(store(), now, {another_fence}).value(), 1u);
  EXPECT_EQ(status(id), RunStatus::kQueued);
  claim_one();
  EXPECT_EQ(recover_others(store(), now, {adopted(claimed)}).value(), 1u) << "of an attempt that is over";
}

TEST_P(StoreConformance, AnAdoptedAttemptKeepsItsSlotInItsQueue) {
  store().limit_queue(QueueName("mail"), 1);
  enqueued_in("mail");
  const Claim goes_on = claim_one();
  enqueued_in("mail");
  reopen();
  EXPECT_EQ(recover_others(store(), now, {adopted(goes_on)}).value(), 0u);
  EXPECT_TRUE(claim().empty());
  succeed(goes_on);
  EXPECT_EQ(claim().size(), 1u);
}

TEST_P(StoreConformance, ARequestThatAnAttemptSendsAgainIsDoneOnce) {
  const RunId id = enqueued();
  const Claim claimed = claim_one();
  ASSERT_TRUE(ask_metadata(store(), claimed, 1, id));
  ASSERT_TRUE(append_stream(store(), appended(claimed, 2, now)));
  ASSERT_TRUE(synced(store()));
  reopen();
  ASSERT_EQ(recover_others(store(), now, {adopted(claimed)}).value(), 0u);
  EXPECT_TRUE(append_stream(store(), appended(claimed, 2, now)));
  EXPECT_TRUE(ask_metadata(store(), claimed, 1, id)) << "a later one was done";
  EXPECT_EQ(store().metadata(id).value(), R"({"n":1})");
  EXPECT_EQ(store().streams(id).value().at(0).chunks, 1u);
  EXPECT_TRUE(ask_metadata(store(), claimed, 3, id));
  EXPECT_TRUE(append_stream(store(), appended(claimed, 4, now)));
  EXPECT_EQ(store().metadata(id).value(), R"({"n":2})");
  EXPECT_EQ(store().streams(id).value().at(0).chunks, 2u);
}

TEST_P(StoreConformance, ARequestIsDoneOnceThoughItChangesAnotherRun) {
  const RunId parent = enqueued();
  claim_one();
  enqueued();
  const Claim child = claim_one();
  ASSERT_TRUE(ask_metadata(store(), child, 7, parent));
  EXPECT_TRUE(ask_metadata(store(), child, 7, parent));
  EXPECT_EQ(store().metadata(parent).value(), R"({"n":1})");
}

TEST_P(StoreConformance, EveryAttemptNumbersItsRequestsAnew) {
  const RunId id = enqueued();
  const Claim first = claim_one();
  ASSERT_TRUE(ask_metadata(store(), first, 5, id));
  fail(first, RetryAt{now});
  const Claim second = claim_one();
  EXPECT_TRUE(ask_metadata(store(), second, 1, id));
  EXPECT_EQ(store().metadata(id).value(), R"({"n":2})");
}

TEST_P(StoreConformance, ARequestThatCouldNotBeDoneIsNotTakenForDone) {
  const RunId id = enqueued();
  const Claim claimed = claim_one();
  StreamAppend nameless = appended(claimed, 1, now);
  nameless.name.clear();
  EXPECT_EQ(append_stream(store(), nameless).code(), Code::kInvalid);
  EXPECT_EQ(append_stream(store(), nameless).code(), Code::kInvalid);
  EXPECT_TRUE(append_stream(store(), appended(claimed, 1, now)));
  EXPECT_EQ(store().streams(id).value().size(), 1u);
}

// What a request changes and that it is done are one write: after a power cut both are there, or neither.
TEST_P(StoreConformance, ARequestAndThatItIsDoneAreLostTogether) {
  if (!factory().can_lose_power()) GTEST_SKIP() << "the engine cannot lose power";
  const RunId id = enqueued();
  const Claim claimed = claim_one();
  ASSERT_TRUE(ask_metadata(store(), claimed, 1, id));
  ASSERT_TRUE(synced(store()));
  ASSERT_TRUE(ask_metadata(store(), claimed, 2, id));
  lose_power();
  ASSERT_TRUE(ask_metadata(store(), claimed, 1, id));
  ASSERT_TRUE(ask_metadata(store(), claimed, 2, id));
  EXPECT_EQ(store().metadata(id).value(), R"({"n":2})");
}

// The process of a run that waits has lost its host, and asks the next one for what it waits for.
TEST_P(StoreConformance, AWaitThatAnAdoptedAttemptAsksForAgainGoesOnAsItWas) {
  const RunId id = enqueued();
  const Claim claimed = claim_one();
  NewWait wait;
  wait.run = id;
  wait.number = claimed.attempt.number;
  wait.token = claimed.attempt.token;
  wait.name = "wait";
  wait.wait.call = 1;
  wait.wait.members = {{WaitpointKind::kTime, {}}};
  wait.until = now + seconds(60);
  wait.now = now;
  ASSERT_FALSE(begin_wait(store(), wait).value().over);
  reopen();
  ASSERT_EQ(recover_others(store(), now, {adopted(claimed)}).value(), 0u);
  EXPECT_EQ(status(id), RunStatus::kWaiting);
  wait.now = now += seconds(30);
  wait.until = now + seconds(60);
  const WaitBegun again = begin_wait(store(), wait).value();
  EXPECT_FALSE(again.over);
  EXPECT_EQ(again.call.until, claimed.run.updated_at + seconds(60)) << "the time that was recorded first";
  wait.wait.call = 2;
  EXPECT_EQ(begin_wait(store(), wait).status().code(), Code::kConflict) << "it waits for one thing at a time";
  now += seconds(30);
  ASSERT_TRUE(wake_due(store(), now));
  const Claim resumed = claim_one();
  EXPECT_TRUE(resumed.resumed);
  wait.wait.call = 1;
  wait.now = now;
  EXPECT_TRUE(begin_wait(store(), wait).value().over);
  EXPECT_EQ(succeed(resumed).status, RunStatus::kCompleted);
}

}  // namespace
}  // namespace perdure::store::conformance
