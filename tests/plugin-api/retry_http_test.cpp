// HTTP requests that are retried inside an attempt, against a server on loopback: which strategy counts, when it waits
// how long, and what ends it.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>

#include <perdure/retry_http.hpp>
#include <perdure/testing.hpp>

#include "tests/plugin-api/canned_server.h"

using namespace std::chrono_literals;

namespace perdure::test {
namespace {

using perdure::testing::Options;
using perdure::testing::Result;
using retry::Backoff;
using retry::HttpResponse;
using retry::HttpRetry;
using retry::RateLimit;
using retry::ResetFormat;

std::function<HttpResponse(Attempt&)> body;
constexpr Task<None, json::object> task{
    .id = "task", .run = [](None, Attempt& run) {
      const HttpResponse response = body(run);
      return json::object{{"status", response.status}, {"body", response.body}, {"attempts", response.attempts}};
    }};

constexpr Backoff at_once(int attempts) { return {.max_attempts = attempts, .min_timeout = 0ms, .max_timeout = 0ms}; }

class RetryHttp : public ::testing::Test {
 protected:
  void SetUp() override { setenv("no_proxy", "*", 1); }

  Result get(const std::string& url, const HttpRetry& retry, const Options& options = {}) {
    body = [url, retry](Attempt& run) { return retry::http(run, {.url = url}, retry); };
    return perdure::testing::run<task>({}, options);
  }
  static json::object result_of(const Result& outcome) {
    EXPECT_TRUE(outcome.succeeded()) << outcome.describe();
    return outcome.succeeded() ? outcome.output<json::object>() : json::object();
  }
};

TEST_F(RetryHttp, GivesBackWhatNoStrategyNamesAtOnce) {
  CannedServer server({answer(404, "", "none")});
  const json::object result = result_of(get(server.url("/"), {}));
  EXPECT_EQ(result.at("status"), 404);
  EXPECT_EQ(result.at("body"), "none");
  EXPECT_EQ(result.at("attempts"), 1);
}

TEST_F(RetryHttp, TriesAgainByStatusUntilItSucceeds) {
  CannedServer server({answer(500, "", ""), answer(503, "", ""), answer(200, "", "there")});
  const Result outcome = get(server.url("/"), {.by_status = {{"500-599", at_once(5)}}});
  EXPECT_EQ(result_of(outcome).at("body"), "there");
  EXPECT_EQ(result_of(outcome).at("attempts"), 3);
  ASSERT_EQ(outcome.logs.size(), 2u);
  EXPECT_EQ(outcome.logs[0].message, "request failed, trying again");
}

TEST_F(RetryHttp, GivesBackTheLastResponseWhenAStrategyIsUsedUp) {
  CannedServer server({answer(500, "", "1"), answer(500, "", "2")});
  const json::object result = result_of(get(server.url("/"), {.by_status = {{"500-599", at_once(2)}}}));
  EXPECT_EQ(result.at("status"), 500);
  EXPECT_EQ(result.at("body"), "2");
}

TEST_F(RetryHttp, CountsEachStrategyForItselfAndAllTogether) {
  CannedServer server({answer(500, "", ""), answer(429, "", ""), answer(500, "", ""), answer(429, "", "end")});
  const HttpRetry retry{.by_status = {{"429", at_once(9)}, {"5xx,500-599", at_once(9)}}, .max_attempts = 4};
  EXPECT_EQ(result_of(get(server.url("/"), retry)).at("body"), "end");
}

TEST_F(RetryHttp, WaitsUntilTheTimeThatTheServerNames) {
  CannedServer server({answer(429, "Retry-After: 1\r\n", ""), answer(200, "", "there")});
  const auto before = std::chrono::steady_clock::now();
  const json::object result = result_of(get(server.url("/"), {.by_status = {{"429,408", RateLimit{}}}}));
  EXPECT_EQ(result.at("body"), "there");
  EXPECT_GE(std::chrono::steady_clock::now() - before, 999ms);
}

TEST_F(RetryHttp, ReadsTheResetHeaderInItsFormat) {
  CannedServer server({answer(429, "x-reset: 20ms\r\nx-remaining: 0\r\n", ""), answer(200, "", "there")});
  const HttpRetry retry{.by_status = {{"429", RateLimit{.reset_header = "x-reset",
                                                        .remaining_header = "x-remaining",
                                                        .format = ResetFormat::kDuration,
                                                        .otherwise = {.min_timeout = 1h, .max_timeout = 1h}}}}};
  EXPECT_EQ(result_of(get(server.url("/"), retry)).at("attempts"), 2);
}

TEST_F(RetryHttp, DoesNotWaitForALimitThatIsResetTooLate) {
  CannedServer server({answer(429, "Retry-After: 7200\r\n", "later")});
  EXPECT_EQ(result_of(get(server.url("/"), {})).at("body"), "later");
}

TEST_F(RetryHttp, TriesConnectionsThatFailAgainAndThenSaysSo) {
  const Result outcome = get("http://127.0.0.1:1/", {.connection_error = at_once(3)});
  EXPECT_EQ(outcome.error().name, "HttpConnectionError");
  EXPECT_NE(outcome.error().message.find("GET http://127.0.0.1:1/: "), std::string::npos);
  EXPECT_EQ(outcome.logs.size(), 2u);
}

TEST_F(RetryHttp, GivesUpAResponseThatTakesTooLongByItsOwnStrategy) {
  CannedServer server({"", answer(200, "", "there")});
  const HttpRetry retry{.timeout = 200ms, .on_timeout = at_once(2)};
  EXPECT_EQ(result_of(get(server.url("/"), retry)).at("attempts"), 2);
  CannedServer silent({""});
  const Result outcome = get(silent.url("/"), {.timeout = 100ms, .on_timeout = at_once(1)});
  EXPECT_EQ(outcome.error().name, "HttpTimeout");
}

TEST_F(RetryHttp, LeavesWhenTheAttemptMustStopInATransferAndInAWait) {
  CannedServer silent({""});
  EXPECT_EQ(get(silent.url("/"), {}, {.cancel_when = [&] { silent.await_request(); }}).status, PERDURE_CANCELLED);
  CannedServer limited({answer(429, "Retry-After: 3000\r\n", "")});
  EXPECT_EQ(get(limited.url("/"), {}, {.cancel_when = [&] { limited.await_request(); }}).status, PERDURE_CANCELLED);
}

TEST_F(RetryHttp, ForbidsRetriesOfWhatCanNeverBeRequested) {
  EXPECT_EQ(get("ftp://127.0.0.1/", {}).status, PERDURE_ABORTED);
  CannedServer server({answer(200, "", "too long")});
  const Result outcome = get(server.url("/"), {.max_body = 3});
  EXPECT_EQ(outcome.status, PERDURE_ABORTED);
  EXPECT_NE(outcome.error().message.find("larger than 3 bytes"), std::string::npos) << outcome.error().message;
}

TEST_F(RetryHttp, SendsMethodHeadersAndBody) {
  CannedServer server({answer(201, "", "")});
  body = [&](Attempt& run) {
    return retry::http(run, {.url = server.url("/p"), .method = "PUT", .headers = {{"x-a", "1"}}, .body = "{\"b\":2}"});
  };
  EXPECT_EQ(result_of(perdure::testing::run<task>({}, {})).at("status"), 201);
  const std::string request = server.requests().at(0);
  EXPECT_TRUE(request.starts_with("PUT /p HTTP/1.1")) << request;
  EXPECT_NE(request.find("x-a: 1\r\n"), std::string::npos) << request;
  EXPECT_TRUE(request.ends_with("{\"b\":2}")) << request;
}

TEST(ResetTime, IsReadInEveryFormat) {
  const Instant now(1'000'000ms);
  const auto in = [&](const char* text, ResetFormat format) { return retry::reset_time(text, format, now); };
  EXPECT_EQ(in("1700000000", ResetFormat::kUnixSeconds), Instant(1'700'000'000'000ms));
  EXPECT_EQ(in("1700000000123", ResetFormat::kUnixMilliseconds), Instant(1'700'000'000'123ms));
  EXPECT_EQ(in("1970-01-01T00:00:01Z", ResetFormat::kIso8601), Instant(1000ms));
  EXPECT_EQ(in("1970-01-01T00:00:01.25Z", ResetFormat::kIso8601), Instant(1250ms));
  EXPECT_EQ(in("1970-01-01T02:30:00+02:30", ResetFormat::kIso8601), Instant(0ms));
  EXPECT_EQ(in("1m12s", ResetFormat::kDuration), now + 72s);
  EXPECT_EQ(in("6ms", ResetFormat::kDuration), now + 6ms);
  EXPECT_EQ(in("1.5s", ResetFormat::kDuration), now + 1500ms);
  EXPECT_EQ(in("1d2h", ResetFormat::kDuration), now + 26h);
  EXPECT_EQ(in("30", ResetFormat::kRetryAfter), now + 30s);
  EXPECT_EQ(in("Sun, 06 Nov 1994 08:49:37 GMT", ResetFormat::kRetryAfter), Instant(784'111'777'000ms));
}

TEST(ResetTime, IsNothingWhenItIsOfAnotherFormat) {
  for (const ResetFormat format : {ResetFormat::kUnixSeconds, ResetFormat::kUnixMilliseconds, ResetFormat::kIso8601,
                                   ResetFormat::kDuration, ResetFormat::kRetryAfter}) {
    for (const char* text : {"", "-1", "soon", "1x", "99999999999999999999", "1970-13-01T00:00:00Z", "1994-11-06 08:49",
                             "Sun, 06 Foo 1994 08:49:37 GMT", "\xff"}) {
      EXPECT_FALSE(retry::reset_time(text, format, Instant{})) << text;
    }
  }
}

TEST(StatusList, NamesSingleOnesAndRanges) {
  using retry::detail::names_status;
  EXPECT_TRUE(names_status("429", 429));
  EXPECT_TRUE(names_status("408, 429", 429));
  EXPECT_TRUE(names_status("400,500-599", 599));
  EXPECT_FALSE(names_status("400,500-599", 499));
  EXPECT_FALSE(names_status("5xx", 500));
  EXPECT_FALSE(names_status("", 0));
}

}  // namespace
}  // namespace perdure::test
