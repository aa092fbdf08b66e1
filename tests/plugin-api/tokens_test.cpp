// Waitpoint tokens through the SDK: made, waited for, completed.
#include <gtest/gtest.h>

#include <string>

#include <perdure/testing.hpp>

using namespace std::chrono_literals;

namespace perdure::test {
namespace {

using perdure::testing::Options;
using perdure::testing::Plugin;
using perdure::testing::Result;

struct Approval {
  std::string by;
  bool granted = false;
};
BOOST_DESCRIBE_STRUCT(Approval, (), (by, granted))

// The attempt does what a test has set.
void (*body)(Attempt& run) = nullptr;
constexpr Task<> task{.id = "task", .run = [](None, Attempt& run) {
                        body(run);
                        return None{};
                      }};

Result run(void (*what)(Attempt&), const Options& options = {}) {
  static const Plugin plugin(
      [](const perdure_registrar* registrar) { return perdure::detail::register_all<task>(registrar, "tests", "1"); });
  body = what;
  return plugin.task("task").run(nullptr, options);
}

TEST(Tokens, AreMadeWithWhatIsSaidOfThem) {
  EXPECT_EQ(detail::token_json({}), "");
  EXPECT_EQ(detail::token_json({.timeout = 1h, .tags = {"a", "b"}, .idempotency_key = "k", .idempotency_ttl = 5s}),
            R"({"timeoutMs":3600000,"tags":["a","b"],"idempotencyKey":"k","idempotencyKeyTtlMs":5000})");
  const Result result = run([](Attempt& attempt) {
    const Token token = attempt.create_token({.timeout = 1h});
    attempt.log.info(token.id + " " + token.url);
  });
  ASSERT_TRUE(result.succeeded()) << result.describe();
  EXPECT_NE(result.find_log("token_1 http://127.0.0.1/tokens/token_1"), nullptr);
}

TEST(Tokens, GiveTheValueTheyWereCompletedWithAsTheTypeThatIsAskedFor) {
  const auto wait = [](Attempt& attempt) {
    const TokenResult<Approval> approval = attempt.wait_for_token<Approval>(attempt.create_token().id);
    EXPECT_TRUE(approval.ok());
    EXPECT_FALSE(approval.timed_out());
    attempt.log.info(approval.value().by + " " + approval.unwrap().by + approval.error());
  };
  const Result result = run(wait, {.tokens = {{"token_1", {{"by", "Ada"}, {"granted", true}}}}});
  ASSERT_TRUE(result.succeeded()) << result.describe();
  EXPECT_NE(result.find_log("Ada Ada"), nullptr);
  const Result again = run(wait, {.attempt = 2, .recorded = result.steps});
  EXPECT_TRUE(again.succeeded()) << "a later attempt gets what was recorded: " << again.describe();
  const Result wrong = run(wait, {.tokens = {{"token_1", "no approval"}}});
  EXPECT_FALSE(wrong.succeeded());
}

TEST(Tokens, ThatTimeOutAreAValueUntilTheyAreUnwrapped) {
  const Result value = run([](Attempt& attempt) {
    const auto came = attempt.wait_for_token(attempt.create_token({.timeout = 5s}).id);
    EXPECT_TRUE(came.timed_out());
    EXPECT_FALSE(came.ok());
    EXPECT_THROW((void)came.value(), std::bad_optional_access);
  });
  EXPECT_TRUE(value.succeeded()) << value.describe();
  const Result error = run([](Attempt& attempt) { attempt.wait_for_token<int>(attempt.create_token().id).unwrap(); });
  EXPECT_EQ(error.error().name, "WaitpointTimeoutError");
  EXPECT_EQ(error.error().message, "the token \"token_1\" was not completed in time");
}

TEST(Tokens, AreCompletedFromInsideOnce) {
  const Result result = run([](Attempt& attempt) {
    const std::string id = attempt.create_token().id;
    attempt.complete_token(id, Approval{"Ada", true});
    attempt.complete_token(id, RawJson{"0.10"});
    EXPECT_EQ(attempt.wait_for_token<Approval>(id).value().by, "Ada");
  });
  ASSERT_TRUE(result.succeeded()) << result.describe();
  EXPECT_EQ(to_json(result.tokens.at("token_1")), R"({"by":"Ada","granted":true})");
}

TEST(Tokens, ThatAreNoneAbortTheRun) {
  EXPECT_TRUE(run([](Attempt& attempt) { attempt.complete_token("token_9", 1); }).aborted());
  EXPECT_TRUE(run([](Attempt& attempt) { attempt.wait_for_token("token_9"); }).aborted());
}

}  // namespace
}  // namespace perdure::test
