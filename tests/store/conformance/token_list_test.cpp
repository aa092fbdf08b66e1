// Tokens are found by status, tag, key, id and time, page by page.
#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

// Six tokens a second apart; number 1 is completed, number 4 timed out; 0, 2, 4 are tagged "even", 3 "three".
class Six {
 public:
  Six(Store& store, Time now) : store_(store) {
    for (int i = 0; i < 6; ++i) {
      NewToken created;
      created.now = now + seconds(i);
      created.id = new_token_id(created.now);
      created.timeout_at = created.now + (i == 4 ? seconds(10) : seconds(1000));
      if (i % 2 == 0) created.tags = {"even", "number"};
      if (i == 3) created.tags = {"three"};
      if (i == 2 || i == 5) created.idempotency_key = "key";
      created.idempotency_ttl = seconds(2);
      EXPECT_TRUE(create_token(store_, created));
      ids.push_back(created.id);
    }
    EXPECT_TRUE(complete_token(store_, {ids[1], "1", now, {}}));
    EXPECT_EQ(wake_due(store_, now + seconds(20)).value(), 1u);
  }

  // Which ones a page has, with "<" and ">" for more on a side.
  [[nodiscard]] std::string page(const TokenFilter& filter) const {
    const TokenPage found = store_.tokens(filter).value();
    std::string text = found.more_before ? "<" : "";
    for (const Token& token : found.tokens) {
      for (std::size_t i = 0; i < ids.size(); ++i) {
        if (ids[i] == token.id) text += std::to_string(i);
      }
    }
    return text + (found.more_after ? ">" : "");
  }

  std::vector<TokenId> ids;

 private:
  Store& store_;
};

TEST_P(StoreConformance, TokensAreListedNewestFirstPageByPage) {
  const Six six(store(), now);
  EXPECT_EQ(six.page({}), "543210");
  TokenFilter filter;
  filter.limit = 2;
  EXPECT_EQ(six.page(filter), "54>");
  filter.after = store().tokens(filter)->after;
  EXPECT_EQ(six.page(filter), "<32>");
  filter.before = store().tokens(filter)->before;
  filter.after = store().tokens(filter)->after;
  EXPECT_EQ(six.page(filter), "<10");
  filter.after = TokenId();
  EXPECT_EQ(six.page(filter), "54>");
  filter.before = six.ids[0];
  EXPECT_EQ(six.page(filter), "<21>");
  filter.before = TokenId("waitpoint_x");
  EXPECT_EQ(store().tokens(filter).status().code(), Code::kInvalid);
}

TEST_P(StoreConformance, TokensAreFoundByStatusTagKeyIdAndTime) {
  const Six before(store(), now);
  reopen();
  const Six six(store(), now + seconds(100));
  const auto of = [&](const std::function<void(TokenFilter&)>& say) {
    TokenFilter filter;
    filter.from = now + seconds(100);
    say(filter);
    return six.page(filter);
  };
  EXPECT_EQ(of([](TokenFilter& f) { f.statuses = {TokenStatus::kCompleted, TokenStatus::kTimedOut}; }), "41");
  EXPECT_EQ(of([](TokenFilter& f) { f.statuses = {TokenStatus::kWaiting}; }), "5320");
  EXPECT_EQ(of([](TokenFilter& f) { f.tags = {"even"}; }), "420");
  EXPECT_EQ(of([](TokenFilter& f) { f.tags = {"even", "three", "no such"}; }), "4320");
  EXPECT_EQ(of([](TokenFilter& f) { f.tags = {"eve"}; }), "");
  EXPECT_EQ(of([](TokenFilter& f) {
              f.tags = {"even"};
              f.statuses = {TokenStatus::kWaiting};
            }),
            "20");
  EXPECT_EQ(of([](TokenFilter& f) { f.idempotency_key = "key"; }), "52");
  EXPECT_EQ(of([](TokenFilter& f) { f.idempotency_key = "ke"; }), "");
  EXPECT_EQ(of([&](TokenFilter& f) { f.id = six.ids[3]; }), "3");
  EXPECT_EQ(of([&](TokenFilter& f) {
              f.id = six.ids[3];
              f.tags = {"even"};
            }),
            "");
  EXPECT_EQ(of([](TokenFilter& f) { f.id = TokenId("waitpoint_x"); }), "");
  EXPECT_EQ(of([&](TokenFilter& f) {
              f.from = now + seconds(102);
              f.to = now + seconds(104);
            }),
            "432");
  EXPECT_EQ(of([&](TokenFilter& f) { f.to = now + seconds(99); }), "");
}

}  // namespace
}  // namespace perdure::store::conformance
