// Tokens that attempts create and complete: durable calls like steps, made once however often the run is tried.
#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

NewToken token_by(const Claim& claim, std::uint64_t call, Time now) {
  NewToken created;
  created.id = new_token_id(now);
  created.now = now;
  created.timeout_at = now + kTokenTimeout;
  created.by = AttemptCall{claim.run.id, claim.attempt.number, claim.attempt.token, call};
  return created;
}

TokenCompletion completion_by(const Claim& claim, std::uint64_t call, const TokenId& id, std::string output, Time now) {
  return {id, std::move(output), now, AttemptCall{claim.run.id, claim.attempt.number, claim.attempt.token, call}};
}

TEST_P(StoreConformance, ALaterAttemptGetsTheTokenThatTheFirstOneCreated) {
  const RunId id = enqueued();
  const Claim first = claim_one();
  const NewToken created = token_by(first, 1, now);
  const Token made = create_token(store(), created)->token;
  EXPECT_EQ(made.run, id);
  EXPECT_EQ(made.attempt, 1u);
  EXPECT_EQ(store().recorded_call(id, 1).value(), (RecordedCall{CallKind::kCreateToken, {}, created.id.text(), {}}));
  fail(first, RetryAt{now});
  reopen();
  const Claim second = claim_one();
  const NewToken again = token_by(second, 1, now);
  const CreatedToken got = create_token(store(), again).value();
  EXPECT_TRUE(got.existing);
  EXPECT_TRUE(got.token == made);
  EXPECT_EQ(store().token(again.id).status().code(), Code::kNotFound);
  EXPECT_FALSE(create_token(store(), token_by(second, 2, now))->existing) << "that is another call";
}

TEST_P(StoreConformance, ALaterAttemptGetsTheTokenThatAKeyFoundForTheFirstOne) {
  enqueued();
  NewToken outside;
  outside.id = new_token_id(now);
  outside.now = now;
  outside.timeout_at = now + kTokenTimeout;
  outside.idempotency_key = "key";
  outside.idempotency_ttl = seconds(1);
  ASSERT_TRUE(create_token(store(), outside));
  const Claim first = claim_one();
  NewToken created = token_by(first, 1, now);
  created.idempotency_key = "key";
  EXPECT_EQ(create_token(store(), created)->token.id, outside.id);
  fail(first, RetryAt{now});
  now += seconds(2);
  created = token_by(claim_one(), 1, now);
  created.idempotency_key = "key";
  EXPECT_EQ(create_token(store(), created)->token.id, outside.id) << "whatever became of the key";
}

TEST_P(StoreConformance, ACompletionByAnAttemptIsOneCall) {
  const RunId id = enqueued();
  const Claim first = claim_one();
  const TokenId token = create_token(store(), token_by(first, 1, now))->token.id;
  ASSERT_TRUE(complete_token(store(), completion_by(first, 2, token, "1", now)));
  EXPECT_EQ(store().recorded_call(id, 2).value(), (RecordedCall{CallKind::kCompleteToken, token.text(), {}, {}}));
  fail(first, RetryAt{now});
  const Claim second = claim_one();
  EXPECT_EQ(complete_token(store(), completion_by(second, 2, token, "2", now))->output, "1");
  EXPECT_EQ(complete_token(store(), completion_by(second, 1, token, "2", now)).status().code(), Code::kConflict)
      << "a token was created there";
  const Status step = record_step(store(), {id, second.attempt.number, second.attempt.token, 2, "charge", "1"});
  EXPECT_EQ(step.code(), Code::kConflict);
  EXPECT_NE(step.message().find("complete_token \"" + token.text() + "\", and not step"), std::string::npos)
      << step.message();
}

TEST_P(StoreConformance, OnlyTheAttemptThatExecutesMakesTokenCalls) {
  enqueued();
  const Claim claim = claim_one();
  const TokenId token = create_token(store(), token_by(claim, 1, now))->token.id;
  NewToken stranger = token_by(claim, 2, now);
  stranger.by->token = "another host's";
  EXPECT_EQ(create_token(store(), stranger).status().code(), Code::kConflict);
  EXPECT_EQ(store().token(stranger.id).status().code(), Code::kNotFound);
  succeed(claim);
  EXPECT_EQ(create_token(store(), token_by(claim, 2, now)).status().code(), Code::kConflict);
  EXPECT_EQ(complete_token(store(), completion_by(claim, 2, token, "1", now)).status().code(), Code::kConflict);
  EXPECT_EQ(store().token(token)->status, TokenStatus::kWaiting);
}

}  // namespace
}  // namespace perdure::store::conformance
