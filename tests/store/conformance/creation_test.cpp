// enqueue(): what a new run is, and when it is none.
#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

TEST_P(StoreConformance, ANewRunIsQueuedWithEverythingItWasTriggeredWith) {
  NewRun created = new_run("orders");
  created.queue = QueueName("mail");
  created.concurrency_key = "tenant-1";
  created.priority = seconds(10);
  created.origin = "run_before";
  created.options.max_attempts = 4;
  created.options.max_duration = minutes(2);
  created.options.ttl = minutes(3);
  created.options.machine = "large-1x";
  created.options.idempotency_key = "key";
  created.options.idempotency_shown = "the key";
  created.options.tags = {"a", "b:c"};
  created.options.metadata = "{\"m\":1}";
  created.options.payload_type = "application/super+json";
  created.options.payload_notes = R"({"values":{"at":["Date"]}})";
  created.options.is_test = true;
  created.payload = "{\"order\":\"\xe2\x82\xac\"}";
  const NewRun asked = created;
  const Result<Enqueued> answer = enqueue(store(), std::move(created));
  ASSERT_TRUE(answer) << answer.status().message();
  EXPECT_EQ(answer->id, asked.id);
  EXPECT_FALSE(answer->existing);
  EXPECT_FALSE(answer->same_request);

  store::Run expected;
  expected.id = asked.id;
  expected.task = asked.task;
  expected.status = RunStatus::kQueued;
  expected.queue = asked.queue;
  expected.concurrency_key = asked.concurrency_key;
  expected.priority = asked.priority;
  expected.created_at = expected.updated_at = now;
  expected.expires_at = now + minutes(3);
  expected.options = asked.options;
  expected.origin = asked.origin;
  EXPECT_EQ(run(asked.id), expected);
  EXPECT_EQ(store().payload(asked.id).value(), asked.payload);
  EXPECT_TRUE(attempts(asked.id).empty());
  EXPECT_EQ(events(asked.id), std::vector<std::string>{"triggered"});
  EXPECT_EQ(store().logs(asked.id, 0, 10).value().size(), 0u);
}

TEST_P(StoreConformance, AnIdThatIsNoRunIdIsRefused) {
  NewRun created = new_run();
  created.id = RunId("run_1");
  EXPECT_EQ(enqueue(store(), std::move(created)).status().code(), Code::kInvalid);
}

TEST_P(StoreConformance, AnIdThatIsTakenIsAConflictAndTheRunStaysAsItWas) {
  const RunId id = enqueued();
  const store::Run before = run(id);
  NewRun again = new_run("other");
  again.id = id;
  again.payload = "2";
  EXPECT_EQ(enqueue(store(), std::move(again)).status().code(), Code::kConflict);
  EXPECT_EQ(run(id), before);
  EXPECT_EQ(store().payload(id).value(), "{\"n\":1}");
}

TEST_P(StoreConformance, ALargePayloadAndOutputComeBackUnchanged) {
  NewRun created = new_run();
  const std::string payload = '"' + std::string(3 << 20, 'p') + '"';
  created.payload = payload;
  const RunId id = enqueued(std::move(created));
  const Claim claimed = claim_one();
  EXPECT_EQ(claimed.payload, payload);
  const std::string output = '"' + std::string(10 << 20, 'o') + '"';
  finish(success_of(claimed, now, output));
  EXPECT_EQ(store().output(id).value(), output);
}

TEST_P(StoreConformance, ATtlOfZeroIsNone) {
  NewRun created = new_run();
  created.options.ttl = Duration(0);
  EXPECT_FALSE(run(enqueued(std::move(created))).expires_at);
}

// ---- Idempotency keys -----------------------------------------------------------------------------------------------

NewRun with_key(NewRun created, const std::string& key) {
  created.options.idempotency_key = key;
  return created;
}

TEST_P(StoreConformance, ARepeatedIdempotencyKeyAnswersTheFirstRunAndCreatesNothing) {
  const RunId first = enqueued(with_key(new_run(), "k"));
  const NewRun repeat = with_key(new_run(), "k");
  const Result<Enqueued> answer = enqueue(store(), repeat);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->id, first);
  EXPECT_TRUE(answer->existing);
  EXPECT_FALSE(answer->same_request);
  EXPECT_EQ(store().run(repeat.id).status().code(), Code::kNotFound);
  EXPECT_EQ(store().counts()[RunStatus::kQueued], 1u);
}

TEST_P(StoreConformance, AnIdempotencyKeyBelongsToItsTask) {
  const RunId first = enqueued(with_key(new_run("one"), "k"));
  EXPECT_NE(enqueued(with_key(new_run("two"), "k")), first);
}

TEST_P(StoreConformance, AnEmptyIdempotencyKeyIsNone) { EXPECT_NE(enqueued(), enqueued()); }

TEST_P(StoreConformance, AnIdempotencyKeyHoldsUntilItsTtlIsOver) {
  NewRun created = with_key(new_run(), "k");
  created.idempotency_ttl = hours(1);
  const RunId first = enqueued(std::move(created));
  now += hours(1) - milliseconds(1);
  EXPECT_EQ(enqueued(with_key(new_run(), "k")), first);
  now += milliseconds(1);
  const RunId second = enqueued(with_key(new_run(), "k"));
  EXPECT_NE(second, first);
  EXPECT_EQ(enqueued(with_key(new_run(), "k")), second);
}

TEST_P(StoreConformance, ACompletedRunKeepsItsIdempotencyKey) {
  const RunId first = enqueued(with_key(new_run(), "k"));
  succeed(claim_one());
  EXPECT_EQ(enqueued(with_key(new_run(), "k")), first);
}

TEST_P(StoreConformance, ACanceledRunKeepsItsIdempotencyKey) {
  const RunId first = enqueued(with_key(new_run(), "k"));
  ASSERT_TRUE(cancel(store(), first, now));
  EXPECT_EQ(enqueued(with_key(new_run(), "k")), first);
}

TEST_P(StoreConformance, ARunThatEndsBadlyFreesItsIdempotencyKey) {
  for (const RunStatus end :
       {RunStatus::kFailed, RunStatus::kCrashed, RunStatus::kTimedOut, RunStatus::kSystemFailure}) {
    const std::string key(status_name(end));
    const RunId first = enqueued(with_key(new_run(), key));
    EXPECT_EQ(fail(claim_one(), GiveUp{end}).status, end);
    EXPECT_NE(enqueued(with_key(new_run(), key)), first) << key;
    succeed(claim_one());
  }
}

TEST_P(StoreConformance, AnExpiredRunFreesItsIdempotencyKey) {
  NewRun created = with_key(new_run(), "k");
  created.options.ttl = seconds(1);
  const RunId first = enqueued(std::move(created));
  now += seconds(1);
  ASSERT_EQ(wake_due(store(), now).value(), 1u);
  EXPECT_NE(enqueued(with_key(new_run(), "k")), first);
}

TEST_P(StoreConformance, ARetryKeepsTheIdempotencyKey) {
  const RunId first = enqueued(with_key(new_run(), "k"));
  fail(claim_one(), RetryAt{now});
  EXPECT_EQ(enqueued(with_key(new_run(), "k")), first);
}

TEST_P(StoreConformance, AFailedRunDoesNotFreeAKeyThatAnotherRunHasTakenMeanwhile) {
  NewRun created = with_key(new_run(), "k");
  created.idempotency_ttl = seconds(1);
  enqueued(std::move(created));
  const Claim old = claim_one();
  now += seconds(2);
  const RunId second = enqueued(with_key(new_run(), "k"));
  fail(old, GiveUp{RunStatus::kFailed});
  EXPECT_EQ(enqueued(with_key(new_run(), "k")), second);
}

// ---- Request ids ----------------------------------------------------------------------------------------------------

NewRun with_request(NewRun created, const std::string& request) {
  created.request_id = request;
  return created;
}

TEST_P(StoreConformance, ARepeatedRequestIsAnsweredAsTheFirstWas) {
  const RunId first = enqueued(with_request(new_run(), "r"));
  const NewRun repeat = with_request(new_run(), "r");
  const Result<Enqueued> answer = enqueue(store(), repeat);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->id, first);
  EXPECT_TRUE(answer->existing);
  EXPECT_TRUE(answer->same_request);
  EXPECT_EQ(store().run(repeat.id).status().code(), Code::kNotFound);
}

TEST_P(StoreConformance, ARequestIdBelongsToItsTaskAndIsNoIdempotencyKey) {
  const RunId first = enqueued(with_request(new_run("one"), "r"));
  EXPECT_NE(enqueued(with_request(new_run("two"), "r")), first);
  EXPECT_NE(enqueued(with_key(new_run("one"), "r")), first);
}

TEST_P(StoreConformance, ARepeatedRequestFindsItsRunEvenAfterItFailedAndFreedItsKey) {
  const RunId first = enqueued(with_request(with_key(new_run(), "k"), "r"));
  fail(claim_one(), GiveUp{RunStatus::kFailed});
  const Result<Enqueued> answer = enqueue(store(), with_request(with_key(new_run(), "k"), "r"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->id, first);
  EXPECT_TRUE(answer->same_request);
}

TEST_P(StoreConformance, ARequestIdIsForgottenAfterSomeMinutes) {
  const RunId first = enqueued(with_request(new_run(), "r"));
  now += minutes(1);
  EXPECT_EQ(enqueued(with_request(new_run(), "r")), first);
  now += hours(1);
  EXPECT_NE(enqueued(with_request(new_run(), "r")), first);
}

// ---- Permits --------------------------------------------------------------------------------------------------------

NewRun with_permit(NewRun created, const std::string& permit, Time until) {
  created.permit = permit;
  created.permit_expires = until;
  return created;
}

TEST_P(StoreConformance, APermitIsGoodForOneRunOfWhateverTask) {
  enqueued(with_permit(new_run("one"), "p", now + seconds(60)));
  const NewRun second = with_permit(new_run("two"), "p", now + seconds(60));
  EXPECT_EQ(enqueue(store(), second).status().code(), Code::kConflict);
  EXPECT_EQ(store().run(second.id).status().code(), Code::kNotFound);
  enqueued(with_permit(new_run("two"), "another", now + seconds(60)));
}

TEST_P(StoreConformance, APermitIsStillUsedUpAfterTheStoreWasOpenedAgain) {
  if (!factory().can_reopen()) GTEST_SKIP() << "the engine cannot be opened again";
  enqueued(with_permit(new_run(), "p", now + seconds(60)));
  reopen();
  EXPECT_EQ(enqueue(store(), with_permit(new_run(), "p", now + seconds(60))).status().code(), Code::kConflict);
}

TEST_P(StoreConformance, ATriggerThatAnIdempotencyKeyAnsweredUsesItsPermitUp) {
  const RunId first = enqueued(with_key(new_run(), "k"));
  const Result<Enqueued> again = enqueue(store(), with_permit(with_key(new_run(), "k"), "p", now + seconds(60)));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->id, first);
  EXPECT_EQ(enqueue(store(), with_permit(new_run(), "p", now + seconds(60))).status().code(), Code::kConflict);
}

TEST_P(StoreConformance, ARepeatedRequestIsAnsweredThoughItsPermitIsUsedUp) {
  const RunId first = enqueued(with_permit(with_request(new_run(), "r"), "p", now + seconds(60)));
  const Result<Enqueued> again = enqueue(store(), with_permit(with_request(new_run(), "r"), "p", now + seconds(60)));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->id, first);
}

}  // namespace
}  // namespace perdure::store::conformance
