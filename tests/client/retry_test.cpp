// Calls that are made again: when, how often, and always as the same call.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tests/client/canned.h"

using namespace std::chrono_literals;

namespace perdure::test {
namespace {

const std::string kTriggered = R"({"id":"run_1","isCached":false})";
const std::string kLost = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\nConnection: close\r\n\r\n{\"id\":";

TEST(ClientRetry, IsOneCallToTheHostHoweverOftenItIsMade) {
  CannedServer server({answer(500, "", ""), answer(503, "", ""), kLost, answer(200, "", kTriggered)});
  const Client client(options_for(server));
  EXPECT_EQ(client.trigger("hello", 1).id, "run_1");
  ASSERT_EQ(server.requests().size(), 4u);
  const std::string name = header_of(server.requests().at(0), "x-trigger-request-idempotency-key");
  EXPECT_FALSE(name.empty());
  for (const std::string& request : server.requests()) {
    EXPECT_EQ(header_of(request, "x-trigger-request-idempotency-key"), name);
  }
}

TEST(ClientRetry, NamesTwoCallsDifferently) {
  CannedServer server({answer(200, "", kTriggered), answer(200, "", kTriggered)});
  const Client client(options_for(server));
  client.trigger("hello", 1);
  client.trigger("hello", 1);
  EXPECT_NE(header_of(server.requests().at(0), "x-trigger-request-idempotency-key"),
            header_of(server.requests().at(1), "x-trigger-request-idempotency-key"));
}

TEST(ClientRetry, GivesUpAfterFiveTriesWithTheHostsWords) {
  const std::string refusal = answer(507, "", R"({"error":"the disk is full"})");
  CannedServer server({refusal, refusal, refusal, refusal, refusal});
  const Client client(options_for(server));
  try {
    client.trigger("hello", 1);
    FAIL() << "nothing was thrown";
  } catch (const client::HostFailed& e) {
    EXPECT_EQ(e.status(), 507);
    EXPECT_STREQ(e.what(), "triggering hello: the disk is full");
  }
  EXPECT_EQ(server.requests().size(), 5u);
}

TEST(ClientRetry, StopsWhenTheHostSaysThatItIsOfNoUse) {
  CannedServer server({answer(500, "x-should-retry: false\r\n", R"({"error":"never"})")});
  EXPECT_THROW(Client(options_for(server)).trigger("hello", 1), client::HostFailed);
}

TEST(ClientRetry, GoesOnWhenTheHostSaysThatItHelps) {
  CannedServer server({answer(404, "x-should-retry: true\r\n", R"({"error":"not yet"})"), answer(200, "", kTriggered)});
  EXPECT_EQ(Client(options_for(server)).trigger("hello", 1).id, "run_1");
}

TEST(ClientRetry, ComesBackWhenARateLimitIsOver) {
  CannedServer server({answer(429, "x-ratelimit-reset: 1000\r\n", "{}"), answer(200, "", kTriggered)});
  EXPECT_EQ(Client(options_for(server)).trigger("hello", 1).id, "run_1");
}

TEST(ClientRetry, DoesNotWaitForARateLimitThatLastsLonger) {
  CannedServer server({answer(429, "x-ratelimit-reset: 32503680000000\r\n", R"({"error":"too much"})")});
  try {
    Client(options_for(server)).trigger("hello", 1);
    FAIL() << "nothing was thrown";
  } catch (const client::RateLimited& e) {
    EXPECT_EQ(e.reset(), Instant(32503680000000ms));
  }
}

TEST(ClientRetry, DoesNotRepeatWhatMayHaveBeenDone) {
  CannedServer server({kLost});
  const Client client(options_for(server));
  try {
    client.change_metadata("run_1", {client::MetadataChange::increment("n")});
    FAIL() << "nothing was thrown";
  } catch (const client::Unreachable& e) {
    EXPECT_FALSE(e.is_unsent());
  }
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST(ClientRetry, RepeatsWhatIsDoneOnceHoweverOften) {
  CannedServer server({kLost, answer(200, "", R"({"metadata":{"n":1}})")});
  EXPECT_EQ(Client(options_for(server)).change_metadata("run_1", {client::MetadataChange::set("n", 1)}),
            (json::object{{"n", 1}}));
  EXPECT_EQ(body_of(server.requests().at(1)), R"({"operations":[{"type":"set","key":"n","value":1}]})");
}

TEST(ClientRetry, TakesAHostThatIsSilentForOneThatDoesNotAnswer) {
  CannedServer server({"", answer(200, "", kTriggered)});
  client::Options options = options_for(server);
  options.answer_timeout = 500ms;
  EXPECT_EQ(Client(options).trigger("hello", 1).id, "run_1");
}

}  // namespace
}  // namespace perdure::test
