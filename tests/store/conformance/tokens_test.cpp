// Waitpoint tokens: created once, over once, by completion or by timeout, and removed.
#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

NewToken token_at(Time now, Duration timeout = kTokenTimeout) {
  NewToken created;
  created.id = new_token_id(now);
  created.now = now;
  created.timeout_at = now + timeout;
  return created;
}

TEST_P(StoreConformance, ATokenIsKeptWhole) {
  NewToken created = token_at(now, hours(1));
  created.tags = {"a", "b"};
  created.idempotency_key = "key";
  created.idempotency_ttl = minutes(5);
  const CreatedToken made = create_token(store(), created).value();
  EXPECT_FALSE(made.existing);
  Token expected;
  expected.id = created.id;
  expected.created_at = now;
  expected.timeout_at = now + hours(1);
  expected.tags = {"a", "b"};
  expected.idempotency_key = "key";
  expected.key_expires_at = now + minutes(5);
  EXPECT_TRUE(made.token == expected);
  EXPECT_TRUE(store().token(created.id).value() == expected);
  reopen();
  EXPECT_TRUE(store().token(created.id).value() == expected);
  EXPECT_EQ(create_token(store(), created).value().existing, true);
  EXPECT_EQ(store().token(new_token_id(now)).status().code(), Code::kNotFound);
  EXPECT_EQ(store().token(TokenId("waitpoint_x")).status().code(), Code::kNotFound);
}

TEST_P(StoreConformance, ATokenIsCompletedOnceAndKeepsItsFirstValue) {
  const NewToken created = token_at(now);
  ASSERT_TRUE(create_token(store(), created));
  now += seconds(1);
  const Token completed = complete_token(store(), {created.id, R"({"yes":1})", now, {}}).value();
  EXPECT_EQ(completed.status, TokenStatus::kCompleted);
  EXPECT_EQ(completed.output, R"({"yes":1})");
  EXPECT_EQ(completed.completed_at, now);
  now += seconds(1);
  EXPECT_TRUE(complete_token(store(), {created.id, "2", now, {}}).value() == completed);
  reopen();
  EXPECT_TRUE(store().token(created.id).value() == completed);
  EXPECT_FALSE(store().next_due()) << "what is over has no timeout";
  now += hours(1);
  EXPECT_EQ(wake_due(store(), now).value(), 0u);
  EXPECT_TRUE(store().token(created.id).value() == completed);
}

TEST_P(StoreConformance, ATokenMayBeCompletedWithNothing) {
  const NewToken created = token_at(now);
  ASSERT_TRUE(create_token(store(), created));
  EXPECT_EQ(complete_token(store(), {created.id, "", now, {}}).value().status, TokenStatus::kCompleted);
  EXPECT_EQ(store().token(created.id).value().output, "");
}

TEST_P(StoreConformance, WhatIsNoTokenIsNeitherCreatedNorCompleted) {
  NewToken created = token_at(now);
  created.tags = std::vector<std::string>(11, "t");
  EXPECT_EQ(create_token(store(), created).status().code(), Code::kInvalid);
  created.tags.clear();
  created.idempotency_key = std::string(kLongestTokenKey + 1, 'k');
  EXPECT_EQ(create_token(store(), created).status().code(), Code::kInvalid);
  created.idempotency_key.clear();
  EXPECT_EQ(complete_token(store(), {created.id, "1", now, {}}).status().code(), Code::kNotFound);
  EXPECT_EQ(complete_token(store(), {TokenId("run_1"), "1", now, {}}).status().code(), Code::kNotFound);
  ASSERT_TRUE(create_token(store(), created));
  EXPECT_EQ(create_token(store(), created).status().code(), Code::kConflict) << "the id is another's";
  EXPECT_EQ(complete_token(store(), {created.id, "{", now, {}}).status().code(), Code::kInvalid);
  EXPECT_EQ(store().token(created.id).value().status, TokenStatus::kWaiting);
  created.id = TokenId("waitpoint_1");
  EXPECT_EQ(create_token(store(), created).status().code(), Code::kInvalid);
}

TEST_P(StoreConformance, ATokenThatNobodyCompletesTimesOut) {
  const NewToken late = token_at(now, minutes(10)), early = token_at(now, minutes(1));
  ASSERT_TRUE(create_token(store(), late));
  ASSERT_TRUE(create_token(store(), early));
  ASSERT_TRUE(listener.wait_until([](const auto& told) { return told.due_changed >= 2; }));
  reopen();
  EXPECT_EQ(store().next_due(), now + minutes(1));
  EXPECT_EQ(wake_due(store(), now + minutes(1) - milliseconds(1)).value(), 0u);
  now += minutes(1);
  EXPECT_EQ(wake_due(store(), now).value(), 1u);
  const Token over = store().token(early.id).value();
  EXPECT_EQ(over.status, TokenStatus::kTimedOut);
  EXPECT_EQ(over.completed_at, now);
  EXPECT_TRUE(complete_token(store(), {early.id, "1", now, {}}).value() == over) << "it is too late, and no failure";
  EXPECT_EQ(store().next_due(), late.timeout_at);
  EXPECT_EQ(store().token(late.id).value().status, TokenStatus::kWaiting);
  reopen();
  EXPECT_TRUE(store().token(early.id).value() == over);
  EXPECT_EQ(store().next_due(), late.timeout_at);
}

TEST_P(StoreConformance, ManyTokensTimeOutAtOnce) {
  std::vector<TokenId> ids;
  for (int i = 0; i < 600; ++i) {
    const NewToken created = token_at(now, minutes(1));
    ids.push_back(created.id);
    store().create_token(created, [](const Result<CreatedToken>& made) { EXPECT_TRUE(made); });
  }
  ASSERT_TRUE(synced(store()));
  EXPECT_EQ(wake_due(store(), now + minutes(1)).value(), ids.size());
  for (const TokenId& id : ids) ASSERT_EQ(store().token(id).value().status, TokenStatus::kTimedOut);
  EXPECT_FALSE(store().next_due());
}

TEST_P(StoreConformance, ATimeoutThatIsADurationSurvivesAClockThatIsSetAndACalendarTimeDoesNot) {
  set_clock(Duration(1'000'000));  // how it stands at first
  NewToken duration = token_at(now, hours(1)), calendar = token_at(now, hours(30));
  calendar.calendar = true;
  duration.idempotency_key = "key";
  duration.idempotency_ttl = hours(2);
  ASSERT_TRUE(create_token(store(), duration));
  ASSERT_TRUE(create_token(store(), calendar));
  set_clock(hours(24));
  EXPECT_EQ(store().token(duration.id)->timeout_at, now + hours(1));
  EXPECT_EQ(store().token(duration.id)->key_expires_at, now + hours(2));
  EXPECT_EQ(store().token(calendar.id)->timeout_at, now + hours(6));
  reopen();
  EXPECT_EQ(store().next_due(), now + hours(1));
  now += hours(1);
  EXPECT_EQ(wake_due(store(), now).value(), 1u);
  const Token over = store().token(duration.id).value();
  set_clock(hours(5));
  EXPECT_EQ(store().token(duration.id)->timeout_at, over.timeout_at) << "what is over does not move";
  EXPECT_EQ(wake_due(store(), now).value(), 1u);
  EXPECT_EQ(store().token(calendar.id)->status, TokenStatus::kTimedOut);
  NewToken again = token_at(now);
  again.idempotency_key = "key";
  EXPECT_EQ(create_token(store(), again)->token.id, duration.id) << "the key holds for an hour more";
  now += hours(1);
  again.now = now;
  EXPECT_EQ(create_token(store(), again)->token.id, again.id);
}

TEST_P(StoreConformance, AnIdempotencyKeyMakesOneToken) {
  NewToken first = token_at(now);
  first.idempotency_key = "key";
  first.idempotency_ttl = minutes(1);
  ASSERT_TRUE(create_token(store(), first));
  NewToken repeat = token_at(now);
  repeat.idempotency_key = "key";
  CreatedToken got = create_token(store(), repeat).value();
  EXPECT_TRUE(got.existing);
  EXPECT_EQ(got.token.id, first.id);
  EXPECT_EQ(store().token(repeat.id).status().code(), Code::kNotFound);
  ASSERT_TRUE(complete_token(store(), {first.id, "1", now, {}}));
  reopen();
  got = create_token(store(), repeat).value();
  EXPECT_EQ(got.token.id, first.id) << "a token that is over keeps its key";
  EXPECT_EQ(got.token.output, "1");
  NewToken other = token_at(now);
  other.idempotency_key = "ke";
  EXPECT_FALSE(create_token(store(), other)->existing);
  NewRun keyed = new_run();
  keyed.options.idempotency_key = "key";
  EXPECT_FALSE(enqueue(store(), keyed)->existing) << "runs have keys of their own";
  repeat.now = now + minutes(1);
  got = create_token(store(), repeat).value();
  EXPECT_FALSE(got.existing) << "the key has expired";
  EXPECT_EQ(got.token.id, repeat.id);
}

TEST_P(StoreConformance, TokensThatAreOverAreRemovedOldestEndFirst) {
  std::vector<NewToken> created;
  for (int i = 0; i < 4; ++i) {
    created.push_back(token_at(now, hours(100)));
    created.back().tags = {"t"};
    created.back().idempotency_key = "key" + std::to_string(i);
    ASSERT_TRUE(create_token(store(), created.back()));
  }
  for (const std::size_t i : {2u, 0u, 1u}) {
    now += hours(1);
    ASSERT_TRUE(complete_token(store(), {created[i].id, "1", now, {}}));
  }
  EXPECT_EQ(remove_tokens(store(), now - hours(2), 10).value(), 0u);
  EXPECT_EQ(remove_tokens(store(), now, 1).value(), 1u);
  EXPECT_EQ(store().token(created[2].id).status().code(), Code::kNotFound);
  EXPECT_EQ(remove_tokens(store(), now, 10).value(), 1u);
  EXPECT_EQ(store().token(created[0].id).status().code(), Code::kNotFound);
  EXPECT_TRUE(store().token(created[1].id)) << "it was completed at that time, not before";
  EXPECT_EQ(remove_tokens(store(), now + hours(1000), 10).value(), 1u);
  EXPECT_TRUE(store().token(created[3].id)) << "it waits";
  TokenFilter tagged;
  tagged.tags = {"t"};
  EXPECT_EQ(store().tokens(tagged)->tokens.size(), 1u);
  NewToken again = token_at(now);
  again.idempotency_key = "key2";
  EXPECT_FALSE(create_token(store(), again)->existing) << "its key is free";
}

TEST_P(StoreConformance, TokensSurviveAPowerCut) {
  if (!factory().can_lose_power()) GTEST_SKIP() << "this engine has no disk";
  const NewToken waits = token_at(now, minutes(1)), completed = token_at(now), timed_out = token_at(now, seconds(1));
  for (const NewToken& each : {waits, completed, timed_out}) ASSERT_TRUE(create_token(store(), each));
  ASSERT_TRUE(complete_token(store(), {completed.id, "7", now, {}}));
  EXPECT_EQ(wake_due(store(), now + seconds(1)).value(), 1u);
  lose_power();
  EXPECT_EQ(store().token(waits.id)->status, TokenStatus::kWaiting);
  EXPECT_EQ(store().token(completed.id)->output, "7");
  EXPECT_EQ(store().token(timed_out.id)->status, TokenStatus::kTimedOut);
  EXPECT_EQ(store().next_due(), now + minutes(1));
}

TEST_P(StoreConformance, WhatWasAnsweredWithAnErrorWasNotDoneToATokenEither) {
  if (!factory().can_fail_writes()) GTEST_SKIP() << "the engine cannot fail writes";
  const NewToken there = token_at(now);
  ASSERT_TRUE(create_token(store(), there));
  factory().fail_writes();
  NewToken refused = token_at(now);
  refused.idempotency_key = "key";
  EXPECT_FALSE(create_token(store(), refused));
  EXPECT_FALSE(complete_token(store(), {there.id, "1", now, {}}));
  factory().heal();
  ASSERT_TRUE(listener.wait_until([](const auto& told) { return !told.health.empty() && told.health.back(); }));
  EXPECT_EQ(store().token(refused.id).status().code(), Code::kNotFound);
  EXPECT_EQ(store().token(there.id)->status, TokenStatus::kWaiting);
  EXPECT_EQ(complete_token(store(), {there.id, "2", now, {}})->output, "2");
  EXPECT_FALSE(create_token(store(), refused)->existing);
}

}  // namespace
}  // namespace perdure::store::conformance
