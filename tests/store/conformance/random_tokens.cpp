// Random operations on waitpoint tokens. See random_operations.h.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/store/conformance/random_operations.h"
#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

constexpr std::uint64_t kKeys = 6;
constexpr std::uint64_t kTags = 3;

std::string said(const Token& token) {
  return token.id.text() + " " + std::string(token_status_name(token.status)) + " timeout " +
         std::to_string(token.timeout_at.time_since_epoch().count()) + " output " + token.output + " of " +
         token.run.text();
}

void expect_same(const Result<Token>& subject, const Result<Token>& reference, const char* what) {
  ASSERT_EQ(code_name(subject.status().code()), code_name(reference.status().code()))
      << what << ": " << subject.status().message() << reference.status().message();
  if (subject) {
    EXPECT_TRUE(*subject == *reference) << what << ": " << said(*subject) << " / " << said(*reference);
  }
}

}  // namespace

TokenId RandomOperations::some_token() {
  return tokens_.empty() || one_in(30) ? new_token_id(now_) : tokens_[below(tokens_.size())];
}

void RandomOperations::token(Store& store) {
  // The call of an attempt, which may be over; only its fence differs between the stores.
  std::optional<AttemptCall> by, reference_by;
  if (!claims_.empty() && one_in(2)) {
    const Claimed& claimed = claims_[claims_.size() - 1 - below(std::min<std::size_t>(claims_.size(), 10))];
    by = AttemptCall{claimed.subject.run.id, claimed.subject.attempt.number, claimed.subject.attempt.token,
                     1 + below(4)};
    reference_by = by;
    reference_by->token = claimed.reference.attempt.token;
  }
  switch (below(6)) {
    case 0:
    case 1: {
      NewToken created;
      created.id = one_in(30) ? some_token() : new_token_id(now_);
      created.now = now_;
      created.timeout_at = now_ + Duration(below(2000));
      created.calendar = one_in(3);
      if (one_in(3)) created.idempotency_key = pick("tk", kKeys);
      if (one_in(2)) created.idempotency_ttl = Duration(below(1000));
      for (std::uint64_t i = below(3); i > 0; --i) created.tags.push_back(pick("tt", kTags));
      created.by = by;
      const Result<CreatedToken> subject = create_token(store, created);
      created.by = reference_by;
      const Result<CreatedToken> reference = create_token(reference_, created);
      expect_same(subject ? Result<Token>(subject->token) : subject.status(),
                  reference ? Result<Token>(reference->token) : reference.status(), "create_token");
      if (!subject || !reference) return;
      EXPECT_EQ(subject->existing, reference->existing);
      if (!subject->existing) tokens_.push_back(created.id);
      return;
    }
    case 2: {
      TokenCompletion completion{some_token(), one_in(4) ? std::string() : std::to_string(below(100)), now_, by};
      const Result<Token> subject = complete_token(store, completion);
      completion.by = reference_by;
      return expect_same(subject, complete_token(reference_, completion), "complete_token");
    }
    case 3: {
      if (!one_in(4)) return;
      const Time before = now_ - Duration(below(3000));
      const std::size_t most = 1 + below(5);
      EXPECT_EQ(remove_tokens(store, before, most).value(), remove_tokens(reference_, before, most).value());
      return;
    }
    default:
      return compare_tokens(store);
  }
}

void RandomOperations::compare_tokens(Store& store) {
  const TokenId id = some_token();
  expect_same(store.token(id), reference_.token(id), "token");
  TokenFilter filter;
  filter.limit = 1 + below(8);
  if (one_in(3)) filter.statuses.push_back(static_cast<TokenStatus>(1 + below(3)));
  if (one_in(4)) filter.statuses.push_back(static_cast<TokenStatus>(1 + below(3)));
  if (one_in(3)) filter.tags = {pick("tt", kTags), pick("tt", kTags)};
  if (one_in(6)) filter.idempotency_key = pick("tk", kKeys);
  if (one_in(6)) filter.id = some_token();
  if (one_in(4)) filter.from = now_ - Duration(below(2000));
  if (one_in(4)) filter.to = now_ - Duration(below(1000));
  if (one_in(3)) (one_in(2) ? filter.after : filter.before) = some_token();
  const TokenPage subject = store.tokens(filter).value(), reference = reference_.tokens(filter).value();
  EXPECT_EQ(subject.more_after, reference.more_after);
  EXPECT_EQ(subject.more_before, reference.more_before);
  ASSERT_EQ(subject.tokens.size(), reference.tokens.size());
  for (std::size_t i = 0; i < subject.tokens.size(); ++i) {
    expect_same(subject.tokens[i], reference.tokens[i], "tokens");
  }
}

}  // namespace perdure::store::conformance
