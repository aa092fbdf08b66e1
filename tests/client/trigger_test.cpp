// What a trigger, and the other verbs, send: path, headers, body; and what they make of a good answer.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tests/client/canned.h"

using namespace std::chrono_literals;

namespace perdure::test {
namespace {

struct Greeting {
  std::string name;
};
BOOST_DESCRIBE_STRUCT(Greeting, (), (name))

constexpr Task<Greeting, std::string> hello{.id = "greet/hello",
                                            .run = [](Greeting in, Attempt&) { return "Hello, " + in.name; }};

const std::string kTriggered = R"({"id":"run_1","isCached":false,"later":{}})";

json::object sent_options(const TriggerOptions& options) {
  return client::detail::http_options(perdure::detail::trigger_json(options));
}

TEST(ClientTrigger, SendsThePayloadAsTextThatNothingBreaksOutOf) {
  CannedServer server({answer(200, "", kTriggered)});
  const Client client(options_for(server));
  client.trigger("hello", RawJson{R"(1,"options":{"tags":["x"]})"});
  const std::string request = server.requests().at(0);
  EXPECT_EQ(from_json<json::object>(body_of(request)).at("payload").as_string(), R"(1,"options":{"tags":["x"]})");
  EXPECT_EQ(from_json<json::object>(body_of(request)).at("options"),
            (json::object{{"payloadType", "application/json"}}));
}

TEST(ClientTrigger, NamesTaskKeyAndCall) {
  CannedServer server({answer(200, "", kTriggered)});
  const Client client(options_for(server));
  const client::Handle<std::string> run = client.trigger(hello, {.name = "Ada"});
  EXPECT_EQ(run.id, "run_1");
  EXPECT_FALSE(run.cached);
  const std::string request = server.requests().at(0);
  EXPECT_TRUE(request.starts_with("POST /api/v1/tasks/greet%2Fhello/trigger HTTP/1.1\r\n")) << request;
  EXPECT_EQ(header_of(request, "authorization"), "Bearer tr_prod_test");
  EXPECT_EQ(header_of(request, "content-type"), "application/json");
  EXPECT_EQ(header_of(request, "x-trigger-request-idempotency-key").size(), 32u);
  EXPECT_EQ(from_json<json::object>(body_of(request)).at("payload").as_string(), R"({"name":"Ada"})");
}

TEST(ClientTrigger, SaysOptionsAsTheInterfaceHasThem) {
  EXPECT_EQ(sent_options({}), json::object());
  EXPECT_EQ(sent_options({.delay = 90s,
                          .ttl = 1500ms,
                          .idempotency_key = "k",
                          .idempotency_ttl = 1h,
                          .queue = "q",
                          .queue_concurrency_limit = 3,
                          .concurrency_key = "c",
                          .priority = 10s,
                          .max_attempts = 2,
                          .max_duration = 5500ms,
                          .machine = "micro",
                          .tags = {"a", "b"},
                          .metadata = {{"m", 1}},
                          .allow_pending = true}),
            (json::object{{"delay", "90s"},
                          {"ttl", "2s"},
                          {"idempotencyKey", "k"},
                          {"idempotencyKeyTTL", "3600s"},
                          {"queue", {{"name", "q"}, {"concurrencyLimit", 3}}},
                          {"concurrencyKey", "c"},
                          {"priority", 10},
                          {"maxAttempts", 2},
                          {"maxDuration", 5.5},
                          {"machine", "micro"},
                          {"tags", {"a", "b"}},
                          {"metadata", {{"m", 1}}},
                          {"allowPending", true}}));
  EXPECT_EQ(sent_options({.delay_until = Instant(1795440873216ms)}),
            (json::object{{"delay", "2026-11-23T13:34:33.216Z"}}));
  EXPECT_EQ(
      sent_options({.debounce = Debounce{.key = "d", .delay = 1s, .mode = DebounceMode::kTrailing, .max_delay = 1min}}),
      (json::object{{"debounce", {{"key", "d"}, {"delay", "1s"}, {"maxDelay", "60s"}, {"mode", "trailing"}}}}));
  EXPECT_EQ(sent_options({.idempotency_key = "k", .idempotency_scope = KeyScope::kAttempt}),
            (json::object{{"idempotencyKey", "k"}}));
}

TEST(ClientTrigger, RefusesWhatOnlyATaskCanSay) {
  EXPECT_THROW(sent_options({.when = When::kOnSuccess}), client::Invalid);
  EXPECT_THROW(sent_options({.queue_concurrency_limit = 3}), client::Invalid);
}

TEST(ClientTrigger, KeepsItsConnectionOpen) {
  CannedServer server({kept(200, "", kTriggered), kept(200, "", kTriggered), answer(200, "", kTriggered)});
  const Client client(options_for(server));
  const Client copy = client;
  for (const Client& each : {client, copy, client}) each.trigger("hello", None{});
  EXPECT_EQ(server.connections(), 1);
}

TEST(ClientRuns, AreReadWithWhateverIsToldOfThem) {
  CannedServer server(
      {answer(200, "",
              run_json("FAILED", std::string(kFinished) +
                                     R"(,"tags":["a"],"attemptCount":3,"payload":{"name":"x"},"metadata":{"k":1},)"
                                     R"("durationMs":12,"error":{"code":"TASK_ERROR","name":"Boom","message":"no",)"
                                     R"("details":7},"unknown":[{}],"startedAt":null)"))});
  const client::Run run = Client(options_for(server)).retrieve("run_1");
  EXPECT_EQ(run.created_at, Instant(1795440873216ms));
  EXPECT_TRUE(run.finished());
  EXPECT_FALSE(run.started_at.has_value());
  EXPECT_EQ(run.payload_as<Greeting>().name, "x");
  EXPECT_EQ(run.attempts, 3);
  EXPECT_EQ(run.executed, 12ms);
  ASSERT_TRUE(run.error.has_value());
  EXPECT_EQ(run.error->name, "Boom");
  EXPECT_EQ(run.error->all.at("details"), 7);
  EXPECT_EQ(run.all.at("unknown"), (json::array{json::object()}));
  EXPECT_THROW(run.result<int>().unwrap(), RunFailed);
}

TEST(ClientRuns, AreListedPageAfterPage) {
  const std::string first = R"({"data":[)" + run_json("QUEUED") + R"(],"pagination":{"next":"run_9"}})";
  CannedServer server({kept(200, "", first), answer(200, "", R"({"data":[],"pagination":{"previous":"run_1"}})")});
  const Client client(options_for(server));
  int seen = 0;
  client.for_each_run({.statuses = {"QUEUED", "FAILED"}, .tags = {"a&b"}, .from = Instant(5ms), .page_size = 2},
                      [&](const client::Run& run) { seen += run.status == "QUEUED" ? 1 : 100; });
  EXPECT_EQ(seen, 1);
  EXPECT_TRUE(
      server.requests().at(0).starts_with("GET /api/v1/runs?page%5Bsize%5D=2&filter%5Bstatus%5D=QUEUED%2CFAILED"
                                          "&filter%5Btag%5D=a%26b&filter%5BcreatedAt%5D%5Bfrom%5D=5 HTTP/1.1"))
      << server.requests().at(0);
  EXPECT_NE(server.requests().at(1).find("&page%5Bafter%5D=run_9 "), std::string::npos);
}

TEST(ClientTokens, AreCompletedWithAPlainValue) {
  CannedServer server({kept(200, "", R"({"success":true})"), answer(200, "", R"({"success":true})")});
  const Client client(options_for(server));
  client.complete_token("waitpoint_1", Greeting{"Ada"});
  client.complete_token("waitpoint_1");
  EXPECT_EQ(body_of(server.requests().at(0)), R"({"data":{"name":"Ada"}})");
  EXPECT_EQ(body_of(server.requests().at(1)), "{}");
}

TEST(ClientPublicTokens, AreForOneThingForSomeTime) {
  CannedServer server({answer(200, "", R"({"token":"eyJ.x.y"})")});
  const Client client(options_for(server));
  EXPECT_EQ(client.public_token(client::Handle<int>{.id = "run_1"}, {.lifetime = 1h}), "eyJ.x.y");
  EXPECT_EQ(body_of(server.requests().at(0)),
            R"({"scopes":["read:runs:run_1"],"expirationTime":"3600s","oneTimeUse":false})");
}

TEST(ClientQueues, NamesSlashesTheWayTheHostReadsThem) {
  CannedServer server({answer(200, "", R"({"paused":true,"running":1,"queued":2,"concurrencyLimit":null})")});
  const client::QueueState queue = Client(options_for(server)).pause_queue("task/a b");
  EXPECT_TRUE(queue.paused);
  EXPECT_FALSE(queue.concurrency_limit.has_value());
  EXPECT_TRUE(server.requests().at(0).starts_with("POST /api/v1/queues/task%252Fa%20b/pause HTTP/1.1"));
}

}  // namespace
}  // namespace perdure::test
