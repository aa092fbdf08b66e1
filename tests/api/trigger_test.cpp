// POST /api/v1/tasks/{id}/trigger.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "tests/api/api_test.h"

namespace perdure::api {
namespace {

using Trigger = ApiTest;

std::string quoted(const std::string& text) { return boost::json::serialize(boost::json::value(text)); }

TEST_F(Trigger, AnswersIdAndClaimsOfAStoredRun) {
  const Answer answer = trigger(R"({"payload":"{\"name\":\"Ada\"}","options":{"payloadType":"application/json"}})");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.header("x-trigger-jwt-claims"), R"({"sub":"env_local","pub":true})");
  EXPECT_EQ(answer.header("content-type"), "application/json");
  const auto body = answer.json();
  EXPECT_EQ(at(body, "isCached"), boost::json::value(false));
  const store::RunId id(text_at(body, "id"));
  EXPECT_EQ(engine->store().payload(id).value(), R"({"name":"Ada"})");
}

TEST_F(Trigger, OfAPayloadThatDoesNotFitSaysWhereAndWhy) {
  engine->refuse_payloads({"/items/3/a~1b", "must be a number, not \"1\""});
  const Answer answer = trigger(R"({"payload":{"items":[]}})");
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.header("x-should-retry"), "false");
  EXPECT_EQ(answer.json(), boost::json::parse(R"({
    "error": "The payload is not what the task takes: payload/items/3/a~1b must be a number, not \"1\".",
    "issues": [{"code": "custom", "message": "payload/items/3/a~1b must be a number, not \"1\"",
                "path": ["payload", "items", 3, "a/b"], "pointer": "/items/3/a~1b"}]})"));
}

TEST_F(Trigger, OfATaskWithASlashArrivesPercentEncoded) {
  EXPECT_EQ(post("/api/v1/tasks/team%2Freport/trigger", "{}").status, 200);
  EXPECT_EQ(engine->last_trigger().task.text(), "team/report");
}

TEST_F(Trigger, WithoutBodyHasThePayloadNull) {
  EXPECT_EQ(trigger("").status, 200);
  EXPECT_EQ(engine->last_trigger().payload, "null");
  EXPECT_EQ(trigger(R"({"options":{"payloadType":"application/json","payloadSize":0}})").status, 200);
  EXPECT_EQ(engine->last_trigger().payload, "null");
}

TEST_F(Trigger, KeepsAPayloadOfJsonAsItIsWritten) {
  EXPECT_EQ(trigger(R"({"payload": {"n": 0.10, "big": 123456789012345678901234567890, "s":"\u00e9 }" } })").status,
            200);
  EXPECT_EQ(engine->last_trigger().payload, R"({"n": 0.10, "big": 123456789012345678901234567890, "s":"\u00e9 }" })");
}

TEST_F(Trigger, MakesPlainTextAJsonString) {
  EXPECT_EQ(trigger(R"({"payload":"just \"text\"","options":{"payloadType":"text/plain"}})").status, 200);
  EXPECT_EQ(engine->last_trigger().payload, R"("just \"text\"")");
}

TEST_F(Trigger, GivesTheTaskTheJsonMemberOfSuperjson) {
  const std::string packet = R"({"json":{"when":"1970-01-01T00:00:00.000Z"},"meta":{"values":{"when":["Date"]}}})";
  EXPECT_EQ(
      trigger(R"({"payload":)" + quoted(packet) + R"(,"options":{"payloadType":"application/super+json"}})").status,
      200);
  EXPECT_EQ(engine->last_trigger().payload, R"({"when":"1970-01-01T00:00:00.000Z"})");
  EXPECT_EQ(engine->last_trigger().options.payload_type, "application/super+json");
}

TEST_F(Trigger, ReadsEveryOption) {
  const Answer answer = trigger(R"({"payload":"1","options":{"queue":{"name":"q1"},"concurrencyKey":42,
    "idempotencyKey":"abc","idempotencyKeyTTL":"1h","idempotencyKeyOptions":{"key":["a","b"],"scope":"global"},
    "delay":"1h","ttl":600,"tags":["user:1","b"],"maxAttempts":2,"maxDuration":60.5,"metadata":{"a":0.10},
    "machine":"small-2x","priority":5,"test":true,"region":"eu","payloadSize":1,"externalDeploymentId":"d"}})");
  EXPECT_EQ(answer.status, 200) << answer.body;
  const engine::TriggerRequest asked = engine->last_trigger();
  EXPECT_EQ(asked.queue.value().text(), "q1");
  EXPECT_EQ(asked.concurrency_key, "42");
  EXPECT_EQ(asked.options.idempotency_key, "abc");
  EXPECT_EQ(asked.options.idempotency_shown, "a-b");
  EXPECT_EQ(asked.idempotency_ttl.value(), std::chrono::hours(1));
  EXPECT_EQ(asked.delay.value(), std::chrono::hours(1));
  EXPECT_FALSE(asked.delayed_until);
  EXPECT_EQ(asked.options.ttl.value(), std::chrono::minutes(10));
  EXPECT_EQ(asked.options.tags, (std::vector<std::string>{"user:1", "b"}));
  EXPECT_EQ(asked.options.max_attempts.value(), 2u);
  EXPECT_EQ(asked.options.max_duration.value(), std::chrono::milliseconds(60500));
  EXPECT_EQ(asked.options.metadata, R"({"a":0.10})");
  EXPECT_EQ(asked.options.machine, "small-2x");
  EXPECT_EQ(asked.priority, std::chrono::seconds(5));
  EXPECT_TRUE(asked.options.is_test);
}

TEST_F(Trigger, ReadsADebounce) {
  const Answer first = trigger(R"({"options":{"debounce":{"key":"k","delay":"5s"}}})");
  EXPECT_EQ(first.status, 200) << first.body;
  EXPECT_TRUE(engine->last_trigger().debounce.value() ==
              (store::Debounce{"k", std::chrono::seconds(5), false, std::nullopt}));
  const Answer second =
      trigger(R"({"options":{"debounce":{"key":"k","delay":"1m30s","mode":"trailing","maxDelay":"1h"}}})");
  EXPECT_TRUE(engine->last_trigger().debounce.value() ==
              (store::Debounce{"k", std::chrono::seconds(90), true, std::chrono::hours(1)}));
  EXPECT_EQ(text_at(second.json(), "id"), text_at(first.json(), "id"));
  EXPECT_EQ(at(first.json(), "isCached"), boost::json::value(false));
  EXPECT_EQ(at(second.json(), "isCached"), boost::json::value(true));
  EXPECT_EQ(text_at(get("/perdure/v1/runs/" + text_at(first.json(), "id")).json(), "debounceKey"), "k");
}

TEST_F(Trigger, RefusesADebounceThatIsNone) {
  for (const std::string debounce :
       {R"("k")", R"({"key":"k"})", R"({"delay":"5s"})", R"({"key":"","delay":"5s"})", R"({"key":"k","delay":"0s"})",
        R"({"key":"k","delay":"5s","mode":"both"})", R"({"key":"k","delay":"5s","mode":1})",
        R"({"key":"k","delay":"5s","maxDelay":"1s"})", R"({"key":"k","delay":"5s","maxDelay":7})"}) {
    EXPECT_EQ(trigger(R"({"options":{"debounce":)" + debounce + "}}").status, 422) << debounce;
  }
  EXPECT_EQ(trigger(R"({"options":{"debounce":{"key":"k","delay":"5s"},"delay":"1h"}})").status, 422);
  EXPECT_EQ(stored_runs(), 0u);
}

TEST_F(Trigger, TakesATimeAsDelayAndIgnoresAPastOne) {
  EXPECT_EQ(trigger(R"({"options":{"delay":"2999-01-01T00:00:00.000Z"}})").status, 200);
  EXPECT_TRUE(engine->last_trigger().delayed_until);
  EXPECT_EQ(trigger(R"({"options":{"delay":"1999-01-01T00:00:00.000Z"}})").status, 200);
  EXPECT_FALSE(engine->last_trigger().delayed_until);
}

TEST_F(Trigger, ReadsATtlOfZeroAsNone) {
  EXPECT_EQ(trigger(R"({"options":{"ttl":0}})").status, 200);
  EXPECT_EQ(engine->last_trigger().options.ttl.value(), store::Duration::zero());
}

TEST_F(Trigger, ReadsAMaximumDurationOfNone) {
  for (const char* none : {"0", "\"none\"", "2147483647"}) {
    EXPECT_EQ(trigger(R"({"options":{"maxDuration":)" + std::string(none) + "}}").status, 200) << none;
    EXPECT_EQ(engine->last_trigger().options.max_duration.value(), store::Duration::zero());
  }
  EXPECT_EQ(trigger(R"({"options":{"maxDuration":4}})").status, 422);
}

TEST_F(Trigger, IgnoresAnIdempotencyTtlItCannotRead) {
  EXPECT_EQ(trigger(R"({"options":{"idempotencyKey":"k","idempotencyKeyTTL":"1h30m"}})").status, 200);
  EXPECT_FALSE(engine->last_trigger().idempotency_ttl);
}

TEST_F(Trigger, WithAKnownIdempotencyKeyAnswersTheFirstRun) {
  const auto first = trigger(R"({"options":{"idempotencyKey":"k"}})").json();
  const auto second = trigger(R"({"options":{"idempotencyKey":"k"}})").json();
  EXPECT_EQ(text_at(first, "id"), text_at(second, "id"));
  EXPECT_EQ(at(second, "isCached"), boost::json::value(true));
}

TEST_F(Trigger, RepeatedWithItsRequestKeyIsAnsweredAsIfNew) {
  const std::string header = "x-trigger-request-idempotency-key: 7f9c\r\n";
  const auto first = trigger("{}", header).json();
  const auto second = trigger("{}", header).json();
  EXPECT_EQ(text_at(first, "id"), text_at(second, "id"));
  EXPECT_EQ(at(second, "isCached"), boost::json::value(false));
  EXPECT_EQ(stored_runs(), 1u);
}

TEST_F(Trigger, OfAnUnknownTaskIs404UnlessPendingRunsAreAllowed) {
  const Answer refused = post("/api/v1/tasks/nobody/trigger", "{}");
  EXPECT_EQ(refused.status, 404);
  EXPECT_EQ(refused.header("x-should-retry"), "false");
  EXPECT_NE(refused.error().find("nobody"), std::string::npos);
  EXPECT_EQ(post("/api/v1/tasks/not%20an%20id/trigger", "{}").status, 404);
  EXPECT_EQ(stored_runs(), 0u);
  EXPECT_EQ(post("/api/v1/tasks/nobody/trigger", R"({"options":{"allowPending":true}})").status, 200);
  ApiOptions options;
  options.allow_pending = true;
  start(std::move(options));
  EXPECT_EQ(post("/api/v1/tasks/nobody/trigger", "{}").status, 200);
}

TEST_F(Trigger, WhoseBodyDoesNotParseIs400InTheContractsShape) {
  for (const std::string body : {"{", "[]", "\"text\"", "{\"options\":[]}", "{\"payload\":1}x", "{\"payload\":1e999}",
                                 "{\"payload\":\"\xff\"}", "{\"payload\":\"\\ud800\"}"}) {
    const Answer answer = trigger(body);
    EXPECT_EQ(answer.status, 400) << body << " " << answer.body;
    EXPECT_TRUE(answer.error().starts_with("Invalid request body")) << answer.error();
    EXPECT_EQ(at(answer.json(), "issues").as_array().at(0).at("code").as_string(), "custom");
    EXPECT_EQ(answer.header("x-should-retry"), "false");
  }
  EXPECT_EQ(engine->triggers(), 0u);
}

TEST_F(Trigger, WhosePayloadIsNotWhatItsTypeSaysIs400) {
  for (const std::string body : {
           R"({"payload":"not json"})",
           R"({"payload":"1 2"})",
           R"({"payload":7,"options":{"payloadType":"text/plain"}})",
           R"({"payload":"{\"meta\":{}}","options":{"payloadType":"application/super+json"}})",
           R"({"payload":"[]","options":{"payloadType":"application/super+json"}})",
       }) {
    EXPECT_EQ(trigger(body).status, 400) << body;
  }
  EXPECT_EQ(engine->triggers(), 0u);
}

TEST_F(Trigger, NestsItsPayload128LevelsDeepAndNoFurther) {
  const auto nested = [](std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
  for (const bool as_text : {false, true}) {
    const auto body = [&](std::size_t levels) {
      return R"({"payload":)" + (as_text ? quoted(nested(levels)) : nested(levels)) + "}";
    };
    EXPECT_EQ(trigger(body(128)).status, 200);
    EXPECT_EQ(trigger(body(129)).status, 400);
    EXPECT_EQ(trigger(body(100000)).status, 400);
  }
}

TEST_F(Trigger, TakesThreeMegabytesAndNoMore) {
  const std::size_t most = 3u << 20;
  EXPECT_EQ(
      trigger(R"({"payload":")" + std::string(most - 2, 'x') + R"(","options":{"payloadType":"text/plain"}})").status,
      200);
  const Answer answer =
      trigger(R"({"payload":")" + std::string(most, 'x') + R"(","options":{"payloadType":"text/plain"}})");
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(trigger(R"({"payload":[)" + std::string(most, ' ') + "]}").status, 413);
  EXPECT_EQ(stored_runs(), 1u);
}

struct BadOption {
  const char* name;
  const char* value;
};

TEST_F(Trigger, RefusesAWrongOptionByName) {
  for (const BadOption& bad : {
           BadOption{"tags", R"(["1","2","3","4","5","6","7","8","9","10","11"])"},
           {"tags", R"([1])"},
           {"tags", R"([""])"},
           {"maxAttempts", "0"},
           {"maxAttempts", "1.5"},
           {"maxAttempts", R"("3")"},
           {"maxDuration", "4"},
           {"delay", R"("soon")"},
           {"delay", "5"},
           {"ttl", R"("forever")"},
           {"ttl", "-1"},
           {"ttl", "1.5"},
           {"queue", R"({})"},
           {"queue", R"({"name":""})"},
           {"concurrencyKey", "{}"},
           {"idempotencyKey", "1"},
           {"idempotencyKey", R"("")"},
           {"idempotencyKeyOptions", R"("k")"},
           {"metadata", "[]"},
           {"machine", R"("huge-9x")"},
           {"priority", R"("high")"},
           {"priority", "-1"},
           {"test", R"("yes")"},
           {"payloadType", "1"},
           {"allowPending", "1"},
       }) {
    const Answer answer = trigger(std::string(R"({"options":{")") + bad.name + "\":" + bad.value + "}}");
    EXPECT_EQ(answer.status, 422) << bad.name << " " << bad.value << " " << answer.body;
    EXPECT_TRUE(answer.error().starts_with(std::string("options.") + bad.name + " ")) << answer.error();
    EXPECT_EQ(answer.header("x-should-retry"), "false");
  }
  EXPECT_EQ(engine->triggers(), 0u);
}

TEST_F(Trigger, RefusesTooLongKeysTagsAndMetadata) {
  const auto with = [this](const std::string& name, const std::string& value) {
    return trigger(R"({"options":{")" + name + "\":" + value + "}}").status;
  };
  EXPECT_EQ(with("idempotencyKey", quoted(std::string(2048, 'k'))), 200);
  EXPECT_EQ(with("idempotencyKey", quoted(std::string(2049, 'k'))), 422);
  EXPECT_EQ(with("tags", quoted(std::string(128, 't'))), 200);
  EXPECT_EQ(with("tags", quoted(std::string(129, 't'))), 422);
  EXPECT_EQ(with("metadata", R"({"a":")" + std::string(300u << 10, 'm') + "\"}"), 422);
}

TEST_F(Trigger, CountsCharactersOfTagsNotBytes) {
  std::string tag;
  for (int i = 0; i < 128; ++i) tag += "\xc3\xa9";
  EXPECT_EQ(trigger(R"({"options":{"tags":")" + tag + "\"}}").status, 200);
}

TEST_F(Trigger, RefusesWhatItCannotHonourRatherThanIgnoreIt) {
  for (const std::string option :
       {R"("concurrency":["a"])", R"("parentRunId":"run_1")", R"("resumeParentOnCompletion":true)",
        R"("lockToVersion":"20260101.1")", R"("payloadType":"application/store")"}) {
    const Answer answer = trigger(R"({"payload":"1","options":{)" + option + "}}");
    EXPECT_EQ(answer.status, 422) << option;
  }
  EXPECT_EQ(trigger(R"({"options":{"resumeParentOnCompletion":false,"debounce":null,"somethingNew":1}})").status, 200);
  EXPECT_EQ(stored_runs(), 1u);
}

TEST_F(Trigger, NamesWhatAMisspeltOptionWasMeantToBe) {
  const Answer answer = trigger(R"({"payload":"1","options":{"maxAtempts":2}})");
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.error(), "options.maxAtempts is unknown; did you mean maxAttempts?");
  EXPECT_EQ(trigger(R"({"payload":"1","options":{"idempotencykey":"k"}})").status, 422);
  EXPECT_EQ(stored_runs(), 0u);
}

TEST_F(Trigger, WhosePayloadOrOptionIsNotWhereItBelongsIs400) {
  const Answer bare = trigger(R"({"name":"Ada"})");
  EXPECT_EQ(bare.status, 400);
  EXPECT_NE(bare.error().find("neither \"payload\" nor \"options\""), std::string::npos) << bare.error();
  const Answer outside = trigger(R"({"payload":"1","idempotencyKey":"k"})");
  EXPECT_EQ(outside.status, 400);
  EXPECT_NE(outside.error().find("is an option"), std::string::npos) << outside.error();
  EXPECT_EQ(trigger(R"({"payload":"1","context":{},"somethingNew":1})").status, 200);
  EXPECT_EQ(stored_runs(), 1u);
}

TEST_F(Trigger, TakesJsonOnly) {
  const std::string body = "payload=1";
  const Answer answer = ask("POST /api/v1/tasks/echo/trigger HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer " +
                            std::string(kTestKey) + "\r\ncontent-type: application/x-www-form-urlencoded\r\n" +
                            "content-length: 9\r\n\r\n" + body);
  EXPECT_EQ(answer.status, 415);
  EXPECT_EQ(engine->triggers(), 0u);
}

TEST_F(Trigger, OnAFullDiskIs507AndStoresNothing) {
  engine->break_store(store::Status::no_space("the disk is full"));
  const Answer answer = trigger("{}");
  EXPECT_EQ(answer.status, 507);
  EXPECT_NE(answer.error().find("the disk is full"), std::string::npos);
  engine->break_store(store::Status::ok());
  EXPECT_EQ(stored_runs(), 0u);
  EXPECT_EQ(trigger("{}").status, 200);
}

TEST_F(Trigger, WhenTheStoreIsAwayIs503AndSaysWhenToAskAgain) {
  engine->break_store(store::Status::unavailable("opening again"));
  const Answer answer = trigger("{}");
  EXPECT_EQ(answer.status, 503);
  EXPECT_TRUE(answer.headers.contains("retry-after"));
  EXPECT_FALSE(answer.headers.contains("x-should-retry"));
}

TEST_F(Trigger, AnswersOnlyOnceTheRunIsDurable) {
  engine->disk.hold();
  HttpConnection connection(server->port());
  connection.send(request_text("POST", "/api/v1/tasks/echo/trigger", "{}"));
  engine->disk.await_waiting(1);
  // Another connection is served meanwhile, and nothing of this one was.
  EXPECT_EQ(get("/healthz").status, 200);
  engine->disk.release();
  EXPECT_EQ(connection.read().status, 200);
}

}  // namespace
}  // namespace perdure::api
