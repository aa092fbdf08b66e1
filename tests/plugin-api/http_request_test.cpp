// The http-request plugin, as it ships, against a server on loopback: what is a result, what is a failure, and when it
// is tried again.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>

#include <perdure/testing.hpp>

#include "tests/plugin-api/canned_server.h"

namespace perdure::test {
namespace {

using namespace std::chrono_literals;
using perdure::testing::Plugin;
using perdure::testing::Result;

std::size_t threads() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) ++count;
  return count;
}

class HttpRequest : public ::testing::Test {
 protected:
  void SetUp() override {
    setenv("no_proxy", "*", 1);  // libcurl heeds the environment's proxies
  }

  // At a time long past, so that one that the policy chooses is told from one that a server names.
  Result request(const json::object& payload, std::function<void()> cancel_when = {}) {
    return plugin.task("http-request").run(payload, {.now = Instant{}, .cancel_when = cancel_when});
  }
  static json::object result_of(const Result& outcome) {
    EXPECT_TRUE(outcome.succeeded()) << outcome.describe();
    return outcome.succeeded() ? outcome.output<json::object>() : json::object();
  }
  static bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }

  Plugin plugin{PERDURE_TEST_PLUGIN_DIR "/http-request.so"};
};

TEST_F(HttpRequest, StartsNoThreadWhenItIsLoaded) { EXPECT_EQ(threads(), 1u); }

TEST_F(HttpRequest, GivesBackStatusHeadersAndBody) {
  CannedServer server({answer(200, "X-One: 1\r\nX-One: 2\r\n", "héllo")});
  const json::object result = result_of(request({{"url", server.url("/a?b=c")}}));
  EXPECT_EQ(result.at("status"), 200);
  EXPECT_EQ(result.at("body"), "héllo");
  EXPECT_EQ(result.at("headers").at("x-one"), "1, 2");
  EXPECT_FALSE(result.contains("encoding"));
  EXPECT_EQ(server.requests().at(0).substr(0, 19), "GET /a?b=c HTTP/1.1");
}

TEST_F(HttpRequest, SendsMethodHeadersAndBody) {
  CannedServer server({answer(201, "", "")});
  const json::object result = result_of(request({{"url", server.url("/")},
                                                 {"method", "PUT"},
                                                 {"headers", {{"X-Key", "secret"}, {"X-Empty", ""}}},
                                                 {"body", "plain text"}}));
  EXPECT_EQ(result.at("status"), 201);
  const std::string& sent = server.requests().at(0);
  EXPECT_EQ(sent.substr(0, 14), "PUT / HTTP/1.1");
  EXPECT_TRUE(contains(sent, "X-Key: secret\r\n"));
  EXPECT_TRUE(contains(sent, "X-Empty:\r\n"));
  EXPECT_TRUE(contains(sent, "Content-Type: text/plain; charset=utf-8\r\n"));
  EXPECT_TRUE(contains(sent, "\r\n\r\nplain text"));
}

TEST_F(HttpRequest, PostsABodyThatIsNoTextAsJson) {
  CannedServer server({answer(200, "", "")});
  (void)result_of(request({{"url", server.url("/")}, {"body", json::object{{"a", 0.5}}}}));
  const std::string& sent = server.requests().at(0);
  EXPECT_EQ(sent.substr(0, 4), "POST");
  EXPECT_TRUE(contains(sent, "Content-Type: application/json\r\n"));
  EXPECT_TRUE(contains(sent, "\r\n\r\n{\"a\":0.5}")) << sent;
}

TEST_F(HttpRequest, LeavesTheContentTypeToWhoNamesOne) {
  CannedServer server({answer(200, "", "")});
  (void)result_of(request({{"url", server.url("/")}, {"body", "<a/>"}, {"headers", {{"content-type", "text/xml"}}}}));
  const std::string& sent = server.requests().at(0);
  EXPECT_TRUE(contains(sent, "content-type: text/xml\r\n"));
  EXPECT_FALSE(contains(sent, "Content-Type: text/plain"));
}

TEST_F(HttpRequest, TakesEveryOtherStatusForAResult) {
  for (const int status : {204, 304, 404, 418}) {
    CannedServer server({answer(status, "", "")});
    EXPECT_EQ(result_of(request({{"url", server.url("/")}})).at("status"), status);
  }
}

TEST_F(HttpRequest, FailsOnAServersErrorUnderThePolicy) {
  for (const int status : {429, 500, 503}) {
    CannedServer server({answer(status, "", "busy")});
    const Result outcome = request({{"url", server.url("/x")}});
    EXPECT_EQ(outcome.status, PERDURE_FAILED);
    EXPECT_EQ(outcome.error().name, "HttpStatus");
    EXPECT_EQ(outcome.error().message, server.url("/x") + " answered with status " + std::to_string(status));
    EXPECT_EQ(to_json(outcome.error().details), R"({"status":)" + std::to_string(status) + R"(,"body":"busy"})");
    EXPECT_TRUE(outcome.retried);
    EXPECT_LT(outcome.retry_at, Instant(24h));
  }
}

TEST_F(HttpRequest, RetriesWhenRetryAfterSays) {
  using namespace std::chrono;
  for (const int status : {429, 503}) {
    CannedServer server({answer(status, "Retry-After: 120\r\n", "")});
    const auto before = time_point_cast<milliseconds>(system_clock::now());
    const Result outcome = request({{"url", server.url("/")}});
    EXPECT_EQ(outcome.status, PERDURE_FAILED);
    EXPECT_EQ(outcome.error().name, "HttpStatus");
    EXPECT_GE(outcome.retry_at, before + 120s);
    EXPECT_LE(outcome.retry_at, before + 180s);
  }
}

TEST_F(HttpRequest, FollowsRedirects) {
  CannedServer server({answer(302, "Location: /there\r\n", ""), answer(200, "", "arrived")});
  EXPECT_EQ(result_of(request({{"url", server.url("/here")}})).at("body"), "arrived");
}

TEST_F(HttpRequest, SpeaksOnlyHttp) {
  for (const std::string url : {"file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/"}) {
    EXPECT_EQ(request({{"url", url}}).status, PERDURE_ABORTED) << url;
  }
  CannedServer server({answer(302, "Location: file:///etc/passwd\r\n", "")});
  EXPECT_EQ(request({{"url", server.url("/")}}).status, PERDURE_ABORTED);
}

TEST_F(HttpRequest, RefusesHeadersThatWouldSmuggleOthers) {
  EXPECT_EQ(request({{"url", "http://127.0.0.1:1/"}, {"headers", {{"X-A", "1\r\nX-B: 2"}}}}).status, PERDURE_ABORTED);
  EXPECT_EQ(request({{"url", "http://127.0.0.1:1/"}, {"headers", {{"X A", "1"}}}}).status, PERDURE_ABORTED);
  EXPECT_EQ(request({{"url", "http://127.0.0.1:1/"}, {"method", "GET /x"}}).status, PERDURE_ABORTED);
}

TEST_F(HttpRequest, FailsWhenNobodyListens) {
  std::string url;
  {
    CannedServer server({});
    url = server.url("/");
  }
  const Result outcome = request({{"url", url}});
  EXPECT_EQ(outcome.status, PERDURE_FAILED);
  EXPECT_EQ(outcome.error().name, "HttpRequestFailed");
  EXPECT_TRUE(contains(outcome.error().message, "GET " + url)) << outcome.error().message;
}

TEST_F(HttpRequest, FailsWhenTheAnswerTakesTooLong) {
  CannedServer server({""});
  const Result outcome = request({{"url", server.url("/")}, {"timeout_ms", 20}});
  EXPECT_EQ(outcome.status, PERDURE_FAILED);
  EXPECT_EQ(outcome.error().name, "HttpRequestFailed");
}

TEST_F(HttpRequest, GivesUpOnABodyThatIsTooLarge) {
  CannedServer server({answer(200, "", std::string((std::size_t{4} << 20) + 1, 'x'))});
  const Result outcome = request({{"url", server.url("/")}});
  EXPECT_EQ(outcome.status, PERDURE_ABORTED);
  EXPECT_TRUE(contains(outcome.error().message, "larger than 4194304 bytes")) << outcome.error().message;
}

TEST_F(HttpRequest, CarriesABodyThatIsNoTextInBase64) {
  CannedServer server({answer(200, "", std::string("\xff\x00\xfe\x01", 4))});
  const json::object result = result_of(request({{"url", server.url("/")}}));
  EXPECT_EQ(result.at("body"), "/wD+AQ==");
  EXPECT_EQ(result.at("encoding"), "base64");
}

TEST_F(HttpRequest, EndsTheExchangeWhenTheAttemptMustStop) {
  CannedServer server({""});
  const Result outcome = request({{"url", server.url("/")}}, [&] { server.await_request(); });
  EXPECT_EQ(outcome.status, PERDURE_CANCELLED);
}

}  // namespace
}  // namespace perdure::test
