// Waiting for a run: one question that the host holds, asked again when the host goes away, given up when told so.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

#include "tests/client/canned.h"

using namespace std::chrono_literals;

namespace perdure::test {
namespace {

TEST(ClientWait, AsksOnceAndTheHostHoldsTheQuestion) {
  CannedServer server(
      {answer(200, "", run_json("COMPLETED", std::string(kFinished) + R"(,"output":{"message":"hi"})"))});
  const RunResult<json::object> result = Client(options_for(server)).wait<json::object>("run_1");
  EXPECT_EQ(result.unwrap().at("message").as_string(), "hi");
  ASSERT_EQ(server.requests().size(), 1u);
  EXPECT_TRUE(server.requests().at(0).starts_with("GET /perdure/v1/runs/run_1?wait=30s HTTP/1.1"));
}

TEST(ClientWait, GivesOutputsOfEveryKind) {
  const auto waited = [](const std::string& more) { return answer(200, "", run_json("COMPLETED", kFinished + more)); };
  CannedServer server({waited(R"(,"output":42)"), waited(R"(,"output":{"a":[1,2]})"), waited("")});
  const Client client(options_for(server));
  EXPECT_EQ(client.wait<int>("run_1").unwrap(), 42);
  EXPECT_EQ(client.wait<RawJson>("run_1").unwrap().text, R"({"a":[1,2]})");
  EXPECT_NO_THROW(client.wait<None>("run_1").unwrap());
}

TEST(ClientWait, GivesTheErrorOfARunThatFailedAsAValue) {
  CannedServer server(
      {answer(200, "",
              run_json("CRASHED",
                       std::string(kFinished) + R"(,"error":{"code":"CRASHED","name":"SIGSEGV","message":"died"})")),
       answer(200, "", run_json("CANCELED", kFinished))});
  const Client client(options_for(server));
  const RunResult<int> crashed = client.wait<int>("run_1");
  EXPECT_FALSE(crashed.ok());
  EXPECT_EQ(crashed.error().name, "SIGSEGV");
  EXPECT_EQ(crashed.error().status, "CRASHED");
  EXPECT_EQ(crashed.error().run_id, "run_1");
  EXPECT_EQ(crashed.error().all.at("code").as_string(), "CRASHED");
  try {
    client.wait<int>("run_1").unwrap();
    FAIL() << "nothing was thrown";
  } catch (const RunFailed& e) {
    EXPECT_EQ(e.error().name, "CANCELED");
  }
}

TEST(ClientWait, SaysWhenAnOutputIsOfAnotherType) {
  CannedServer server({answer(200, "", run_json("COMPLETED", std::string(kFinished) + R"(,"output":"text")"))});
  try {
    Client(options_for(server)).wait<int>("run_1");
    FAIL() << "nothing was thrown";
  } catch (const client::AnswerInvalid& e) {
    EXPECT_NE(std::string(e.what()).find("the output of run run_1"), std::string::npos) << e.what();
  }
}

TEST(ClientWait, AsksAgainWhenTheRunHasNotEndedOrTheHostWentAway) {
  CannedServer server({answer(200, "", run_json("EXECUTING")), "HTTP/1.1 200 OK\r\nConnection: close\r\n",
                       answer(503, "", "{}"), answer(200, "", run_json("COMPLETED", kFinished))});
  client::Options options = options_for(server);
  options.retry.max_attempts = 1;  // of calls, which a wait is not
  EXPECT_TRUE(Client(options).wait("run_1").ok());
  EXPECT_EQ(server.requests().size(), 4u);
}

TEST(ClientWait, GivesAHostUpThatStaysAway) {
  const std::string busy = answer(503, "", "{}");
  CannedServer server({busy, busy, busy, busy, busy, busy, busy, busy});
  client::Options options = options_for(server);
  options.outage = 150ms;
  EXPECT_THROW(Client(options).wait("run_1"), client::HostFailed);
}

TEST(ClientWait, EndsWithItsTimeout) {
  CannedServer server({""});
  EXPECT_THROW(Client(options_for(server)).wait("run_1", {.timeout = 500ms}), client::WaitTimedOut);
  EXPECT_TRUE(server.requests().at(0).starts_with("GET /perdure/v1/runs/run_1?wait=1s HTTP/1.1"));
}

TEST(ClientWait, TakesATimeoutThatIsLongerThanTimeItself) {
  CannedServer server({answer(200, "", run_json("COMPLETED", kFinished))});
  EXPECT_TRUE(Client(options_for(server)).wait("run_1", {.timeout = milliseconds::max()}).ok());
}

TEST(ClientWait, EndsWhenItIsStoppedWhileTheHostHoldsTheQuestion) {
  CannedServer server({""});
  std::stop_source stop;
  std::thread stopper([&] {
    server.await_request();
    stop.request_stop();
  });
  EXPECT_THROW(Client(options_for(server)).wait("run_1", {.stop = stop.get_token()}), client::Stopped);
  stopper.join();
}

TEST(ClientWait, AsksForNothingWhenItIsStoppedAlready) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(Client("http://127.0.0.1:1").wait("run_1", {.stop = stop.get_token()}), client::Stopped);
}

}  // namespace
}  // namespace perdure::test
