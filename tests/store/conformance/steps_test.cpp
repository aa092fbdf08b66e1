// What attempts record of their steps, so that later ones do not do them again.
#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

NewStep step_of(const Claim& claim, std::uint64_t call, std::string name, std::string result) {
  return {claim.run.id, claim.attempt.number, claim.attempt.token, call, std::move(name), std::move(result)};
}

TEST_P(StoreConformance, AStepThatIsRecordedIsThereForLaterAttempts) {
  const RunId id = enqueued();
  const Claim first = claim_one();
  EXPECT_EQ(store().recorded_call(id, 1).status().code(), Code::kNotFound);
  ASSERT_TRUE(record_step(store(), step_of(first, 1, "charge", R"({"receipt":7})")));
  ASSERT_TRUE(record_step(store(), step_of(first, 3, "mail", "null")));
  fail(first, RetryAt{now});
  claim_one();
  const RecordedCall charge = store().recorded_call(id, 1).value();
  EXPECT_EQ(charge, (RecordedCall{CallKind::kStep, "charge", R"({"receipt":7})", {}}));
  EXPECT_EQ(store().recorded_call(id, 2).status().code(), Code::kNotFound);
  EXPECT_EQ(store().recorded_call(id, 3).value().name, "mail");
}

TEST_P(StoreConformance, ARecordedStepSurvivesAPowerCut) {
  if (!factory().can_lose_power()) GTEST_SKIP() << "this engine has no disk";
  const RunId id = enqueued();
  ASSERT_TRUE(record_step(store(), step_of(claim_one(), 1, "charge", "7")));
  lose_power();
  EXPECT_EQ(store().recorded_call(id, 1).value().result, "7");
}

TEST_P(StoreConformance, AStepThatIsRecordedTwiceKeepsItsFirstResult) {
  const RunId id = enqueued();
  const Claim claim = claim_one();
  ASSERT_TRUE(record_step(store(), step_of(claim, 1, "charge", "1")));
  EXPECT_TRUE(record_step(store(), step_of(claim, 1, "charge", "2")));
  EXPECT_EQ(store().recorded_call(id, 1).value().result, "1");
}

TEST_P(StoreConformance, OneCallIsOneThing) {
  const RunId id = enqueued();
  const Claim claim = claim_one();
  NewRun child = new_run("child");
  child.parent = child.root = id;
  child.call = 1;
  const RunId triggered = enqueue(store(), child).value().id;
  ASSERT_TRUE(record_step(store(), step_of(claim, 2, "charge", "1")));
  EXPECT_EQ(store().recorded_call(id, 1).value(), (RecordedCall{CallKind::kTrigger, "child", {}, triggered}));

  const Status step = record_step(store(), step_of(claim, 1, "charge", "1"));
  EXPECT_EQ(step.code(), Code::kConflict);
  EXPECT_NE(step.message().find("trigger \"child\", and not step \"charge\""), std::string::npos) << step.message();
  EXPECT_EQ(record_step(store(), step_of(claim, 2, "refund", "1")).code(), Code::kConflict);
  child.id = new_run_id(now);
  child.call = 2;
  EXPECT_EQ(enqueue(store(), child).status().code(), Code::kConflict);
}

TEST_P(StoreConformance, OnlyTheAttemptThatExecutesRecordsSteps) {
  const RunId id = enqueued();
  const Claim first = claim_one();
  NewStep stranger = step_of(first, 1, "charge", "1");
  stranger.token = "another host's";
  EXPECT_EQ(record_step(store(), stranger).code(), Code::kConflict);
  fail(first, RetryAt{now});
  EXPECT_EQ(record_step(store(), step_of(first, 1, "charge", "1")).code(), Code::kConflict) << "it waits";
  const Claim second = claim_one();
  EXPECT_EQ(record_step(store(), step_of(first, 1, "charge", "1")).code(), Code::kConflict) << "another one executes";
  succeed(second);
  EXPECT_EQ(record_step(store(), step_of(second, 1, "charge", "1")).code(), Code::kConflict) << "it is over";
  EXPECT_EQ(store().recorded_call(id, 1).status().code(), Code::kNotFound);
  stranger.run = new_run_id(now);
  EXPECT_EQ(record_step(store(), stranger).code(), Code::kNotFound);
  EXPECT_EQ(store().recorded_call(stranger.run, 1).status().code(), Code::kNotFound);
}

TEST_P(StoreConformance, AStepHasANameAndAResultThatIsJson) {
  enqueued();
  const Claim claim = claim_one();
  for (const auto& [name, result] :
       std::vector<std::pair<std::string, std::string>>{{"", "1"},
                                                        {std::string(kLongestStepName + 1, 'n'), "1"},
                                                        {"charge", ""},
                                                        {"charge", "no JSON"},
                                                        {"charge", '"' + std::string(kLargestStepResult, 'r') + '"'}}) {
    EXPECT_EQ(record_step(store(), step_of(claim, 1, name, result)).code(), Code::kInvalid) << name.size();
  }
  EXPECT_TRUE(record_step(store(), step_of(claim, 1, std::string(kLongestStepName, 'n'), "1")));
}

}  // namespace
}  // namespace perdure::store::conformance
