// Live subscriptions: the conversation as the contract has it, every way a row may be written, and hosts that break the
// rules.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tests/client/canned.h"

using namespace std::chrono_literals;

namespace perdure::test {
namespace {

const std::string kUpToDate = R"({"headers":{"control":"up-to-date"}})";

std::string heads(const std::string& offset) {
  return "electric-offset: " + offset + "\r\nelectric-handle: h1\r\nelectric-cursor: 7\r\n";
}
std::string row(const std::string& run, const std::string& status, const std::string& updated,
                const std::string& more = "", const std::string& operation = "update") {
  return R"({"key":"\"public\".\"TaskRun\"/\")" + run + R"(\"","value":{"friendlyId":")" + run +
         R"(","taskIdentifier":"sleep","status":")" + status +
         R"(","createdAt":"2026-11-23T13:34:57.904","updatedAt":")" + updated + "\"" + more +
         R"(},"headers":{"operation":")" + operation + R"("}},)";
}
std::string told(const std::string& offset, const std::string& rows) {
  return kept(200, heads(offset), "[" + rows + kUpToDate + "]");
}
const std::string kDone = R"(,"completedAt":"2026-11-23T13:34:58.215")";

// What a subscription to run_1 that is answered so calls back.
std::vector<client::Run> heard(CannedServer& server) {
  std::vector<client::Run> runs;
  EXPECT_TRUE(Client(options_for(server)).subscribe("run_1", [&](const client::Run& run) { runs.push_back(run); }));
  return runs;
}

TEST(ClientSubscription, FollowsARunToItsEnd) {
  CannedServer server(
      {told("1_1", row("run_1", "PENDING", "2026-11-23T13:34:57.904", R"(,"payload":"{\"ms\":300}")", "insert")),
       told("2_3", row("run_1", "EXECUTING", "2026-11-23T13:34:57.908")), told("2_3", ""),
       told("3_1", row("run_1", "COMPLETED_SUCCESSFULLY", "2026-11-23T13:34:58.216",
                       kDone + R"(,"output":"{\"slept\":300}")"))});
  const std::vector<client::Run> runs = heard(server);
  ASSERT_EQ(runs.size(), 3u);
  EXPECT_EQ(runs[0].status, "QUEUED");
  EXPECT_EQ(runs[1].status, "EXECUTING");
  EXPECT_EQ(runs[1].payload, (json::value{{"ms", 300}})) << "what an update does not say stays";
  EXPECT_TRUE(runs[2].completed());
  EXPECT_EQ(runs[2].result<json::object>().unwrap().at("slept"), 300);
  EXPECT_EQ(runs[2].finished_at, Instant(1795440898215ms));
  ASSERT_EQ(server.requests().size(), 4u);
  EXPECT_TRUE(server.requests()[0].starts_with("GET /realtime/v1/runs/run_1?skipColumns=&log=full&offset=-1 HTTP/1.1"));
  EXPECT_TRUE(server.requests()[2].starts_with(
      "GET /realtime/v1/runs/run_1?skipColumns=&log=full&offset=2_3&handle=h1&live=true&cursor=7 HTTP/1.1"));
}

TEST(ClientSubscription, ReadsRowsAsTheWireHasThem) {
  CannedServer server(
      {told("1_1", row("run_1", "COMPLETED_WITH_ERRORS", "2026-11-23T13:34:58.216",
                       kDone + R"(,"isTest":"t","usageDurationMs":"301","runTags":"{\"we\\\"ird, tag\",\"a:b\"}")"
                               R"(,"metadata":"{\"p\":1}","payload":"{\"json\":{\"ms\":3}}","payloadType":)"
                               R"("application/super+json","startedAt":null,"error":)"
                               R"("{\"type\":\"BUILT_IN_ERROR\",\"name\":\"FixtureError\",\"message\":\"boom\"}")"))});
  const client::Run run = heard(server).at(0);
  EXPECT_EQ(run.status, "FAILED");
  EXPECT_TRUE(run.is_test);
  EXPECT_EQ(run.executed, 301ms);
  EXPECT_EQ(run.tags, (std::vector<std::string>{R"(we"ird, tag)", "a:b"}));
  EXPECT_EQ(run.metadata, (json::object{{"p", 1}}));
  EXPECT_EQ(run.payload, (json::value{{"ms", 3}}));
  EXPECT_EQ(run.error->name, "FixtureError");
  EXPECT_EQ(run.error->message, "boom");
  EXPECT_EQ(run.result<int>().error().run_id, "run_1");
}

TEST(ClientSubscription, ReadsRowsThatAreJsonThemselves) {
  CannedServer server(
      {told("1_1", row("run_1", "CRASHED", "2026-11-23T13:34:58.216",
                       kDone + R"(,"isTest":false,"usageDurationMs":301,"runTags":["a"],"payload":"plain")"
                               R"(,"payloadType":"text/plain","metadata":{"p":1},"error":)"
                               R"({"type":"INTERNAL_ERROR","code":"TASK_PROCESS_SIGSEGV"})"))});
  const client::Run run = heard(server).at(0);
  EXPECT_EQ(run.executed, 301ms);
  EXPECT_EQ(run.tags, (std::vector<std::string>{"a"}));
  EXPECT_EQ(run.payload, json::value("plain"));
  EXPECT_EQ(run.error->name, "TASK_PROCESS_SIGSEGV");
}

TEST(ClientSubscription, BeginsAgainWhenTheHostSaysSoAndTellsNothingTwice) {
  const std::string first = row("run_1", "PENDING", "2026-11-23T13:34:57.904", "", "insert");
  CannedServer server({told("1_1", first),
                       kept(409, "electric-handle: h2\r\n", R"([{"headers":{"control":"must-refetch"}}])"),
                       told("1_1", first), told("2_2", row("run_1", "CANCELED", "2026-11-23T13:34:58.216", kDone))});
  EXPECT_EQ(heard(server).size(), 2u);
  EXPECT_NE(server.requests()[2].find("&offset=-1&handle=h2 "), std::string::npos) << server.requests()[2];
}

TEST(ClientSubscription, AsksAgainWhenTheHostGoesAway) {
  CannedServer server({told("1_1", row("run_1", "PENDING", "2026-11-23T13:34:57.904", "", "insert")),
                       "HTTP/1.1 200 OK\r\nConnection: close\r\n", answer(503, "", "{}"),
                       told("2_2", row("run_1", "CANCELED", "2026-11-23T13:34:58.216", kDone))});
  EXPECT_EQ(heard(server).size(), 2u);
}

TEST(ClientSubscription, EndsWhenTheCallbackSaysSoOrThrows) {
  const std::string first = told("1_1", row("run_1", "PENDING", "2026-11-23T13:34:57.904", "", "insert"));
  CannedServer server({first, first});
  const Client client(options_for(server));
  EXPECT_FALSE(client.subscribe("run_1", [](const client::Run&) { return false; }));
  EXPECT_THROW(client.subscribe("run_1", [](const client::Run&) { throw std::runtime_error("mine"); }),
               std::runtime_error);
}

TEST(ClientSubscription, EndsWhenItIsStoppedWhileTheHostHoldsTheQuestion) {
  CannedServer server({told("1_1", row("run_1", "PENDING", "2026-11-23T13:34:57.904", "", "insert")), ""});
  std::stop_source stop;
  std::thread stopper([&] {
    server.await_request();
    server.await_request();
    stop.request_stop();
  });
  int heard = 0;
  EXPECT_FALSE(
      Client(options_for(server)).subscribe("run_1", [&](const client::Run&) { ++heard; }, {.stop = stop.get_token()}));
  EXPECT_EQ(heard, 1);
  stopper.join();
}

TEST(ClientSubscription, SaysThatARunDoesNotExist) {
  CannedServer server({answer(404, "x-should-retry: false\r\n", R"({"error":"no such run"})")});
  EXPECT_THROW(Client(options_for(server)).subscribe("run_1", [](const client::Run&) {}), client::NotFound);
}

TEST(ClientSubscription, DoesNotHangOnAHostThatBreaksTheRules) {
  const std::string bodies[] = {
      "{}",
      "[1]",
      R"([{"headers":1}])",
      R"([{"value":{},"headers":{"operation":"insert"}}])",
      "[" + row("run_1", "PENDING", "yesterday") + kUpToDate + "]",
      "[" + row("run_1", "PENDING", "2026-11-23T13:34:57.904", R"(,"runTags":"a")") + kUpToDate + "]",
      "[" + row("run_1", "PENDING", "2026-11-23T13:34:57.904", R"(,"payload":"{")") + kUpToDate + "]"};
  for (const std::string& body : bodies) {
    CannedServer server({answer(200, heads("1_1"), body)});
    EXPECT_THROW(heard(server), client::AnswerInvalid) << body;
  }
  CannedServer server({answer(200, "electric-offset: 1_1\r\n", "[" + kUpToDate + "]")});
  EXPECT_THROW(heard(server), client::AnswerInvalid);
}

TEST(ClientSubscription, DoesNotAskAHostInAHurryWithoutPause) {
  std::vector<std::string> answers(6, told("1_1", ""));
  answers.push_back(told("2_2", row("run_1", "CANCELED", "2026-11-23T13:34:58.216", kDone)));
  CannedServer server(answers);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(heard(server).size(), 1u);
  EXPECT_GT(std::chrono::steady_clock::now() - began, 500ms);
}

TEST(ClientSubscription, OfABatchEndsWithItsLastRun) {
  CannedServer server({told("1_0", row("run_1", "CANCELED", "2026-11-23T13:34:58.216", kDone, "insert") +
                                       row("run_2", "PENDING", "2026-11-23T13:34:57.904", "", "insert")),
                       told("2_0", row("run_2", "CANCELED", "2026-11-23T13:34:59.216", kDone))});
  const client::Batch<> batch{.id = "batch_1", .runs = {{"run_1"}, {""}, {"run_2"}}};
  std::vector<std::string> ids;
  EXPECT_TRUE(Client(options_for(server))
                  .subscribe(batch, [&](const client::Run& run) { ids.push_back(run.id); },
                             {.payload = false, .output = false}));
  EXPECT_EQ(ids, (std::vector<std::string>{"run_1", "run_2", "run_2"}));
  EXPECT_TRUE(
      server.requests()[0].starts_with("GET /realtime/v1/batches/batch_1?skipColumns=payload%2Coutput&log=full"));
}

TEST(ClientSubscription, ByTagsNamesThem) {
  CannedServer server({told("1_0", row("run_1", "PENDING", "2026-11-23T13:34:57.904", "", "insert"))});
  EXPECT_FALSE(Client(options_for(server))
                   .subscribe_tags({"a", "b&c"}, [](const client::Run&) { return false; }, {.created_within = 1h}));
  EXPECT_TRUE(
      server.requests()[0].starts_with("GET /realtime/v1/runs?skipColumns=&tags=a%2Cb%26c&createdAt=3600s&log=full"));
}

}  // namespace
}  // namespace perdure::test
