// POST /api/v1/runs/{id}/replay.
#include "tests/api/api_test.h"

namespace perdure::api {
namespace {

class Replay : public ApiTest {
 protected:
  // A run with every option set.
  std::string original() {
    return engine
        ->make_run("echo",
                   [](store::NewRun& run) {
                     run.queue = store::QueueName("q");
                     run.concurrency_key = "ck";
                     run.priority = std::chrono::seconds(3);
                     run.options.max_attempts = 2;
                     run.options.max_duration = std::chrono::minutes(1);
                     run.options.ttl = std::chrono::minutes(5);
                     run.options.machine = "small-2x";
                     run.options.idempotency_key = "key";
                     run.options.idempotency_shown = "shown";
                     run.options.tags = {"a", "b"};
                     run.options.metadata = R"({"m":1})";
                     run.options.payload_type = "application/super+json";
                     run.options.is_test = true;
                   })
        .text();
  }
  Answer replay(const std::string& id, const std::string& body = {}, const std::string& headers = {}) {
    return post("/api/v1/runs/" + id + "/replay", body, headers);
  }
};

TEST_F(Replay, TakesOverPayloadAndOptionsButTheKeyAndNamesTheOriginal) {
  const std::string id = original();
  const Answer answer = replay(id);
  EXPECT_EQ(answer.status, 200) << answer.body;
  const store::RunId made(text_at(answer.json(), "id"));
  EXPECT_NE(made.text(), id);
  const store::Run before = engine->store().run(store::RunId(id)).value(), run = engine->store().run(made).value();
  EXPECT_EQ(run.origin, id);
  EXPECT_EQ(engine->store().payload(made).value(), R"({"n":1})");
  store::RunOptions expected = before.options;
  expected.idempotency_key.clear();
  expected.idempotency_shown.clear();
  EXPECT_TRUE(run.options == expected);
  EXPECT_EQ(run.queue, before.queue);
  EXPECT_EQ(run.concurrency_key, before.concurrency_key);
  EXPECT_EQ(run.priority, before.priority);
  EXPECT_EQ(text_at(get("/perdure/v1/runs/" + made.text()).json(), "replayOf"), id);
}

TEST_F(Replay, ChangesWhatTheBodyOverrides) {
  const Answer answer = replay(original(), R"({
    "payload":"{\"json\":{\"ms\":5},\"meta\":{}}","payloadType":"application/super+json","tags":["rp"],
    "metadata":{"x":2},"queue":"other","concurrencyKey":"k","machine":"micro","region":"eu","delay":"1h","ttl":"2m",
    "idempotencyKey":"again","idempotencyKeyTTL":"1h","maxAttempts":5,"maxDuration":90,"priority":1,"version":null})");
  EXPECT_EQ(answer.status, 200) << answer.body;
  const engine::TriggerRequest asked = engine->last_trigger();
  EXPECT_EQ(asked.payload, R"({"ms":5})");
  EXPECT_EQ(asked.options.payload_type, "application/super+json");
  EXPECT_EQ(asked.options.tags, std::vector<std::string>{"rp"});
  EXPECT_EQ(asked.options.metadata, R"({"x":2})");
  EXPECT_EQ(asked.queue.value().text(), "other");
  EXPECT_EQ(asked.concurrency_key, "k");
  EXPECT_EQ(asked.options.machine, "micro");
  EXPECT_EQ(asked.delay.value(), std::chrono::hours(1));
  EXPECT_EQ(asked.options.ttl.value(), std::chrono::minutes(2));
  EXPECT_EQ(asked.options.idempotency_key, "again");
  EXPECT_EQ(asked.idempotency_ttl.value(), std::chrono::hours(1));
  EXPECT_EQ(asked.options.max_attempts.value(), 5u);
  EXPECT_EQ(asked.options.max_duration.value(), std::chrono::seconds(90));
  EXPECT_EQ(asked.priority, std::chrono::seconds(1));
}

TEST_F(Replay, OfAFinishedRunLeavesItAsItWas) {
  const std::string id = original();
  engine->succeed(engine->claim(), "1");
  EXPECT_EQ(replay(id).status, 200);
  EXPECT_EQ(engine->store().run(store::RunId(id))->status, store::RunStatus::kCompleted);
  EXPECT_EQ(stored_runs(), 2u);
}

TEST_F(Replay, SentTwiceUnderOneRequestKeyMakesOneRun) {
  const std::string id = original();
  const std::string header = "x-trigger-request-idempotency-key: call-1\r\n";
  const std::string once = text_at(replay(id, "", header).json(), "id");
  EXPECT_EQ(text_at(replay(id, "", header).json(), "id"), once);
  EXPECT_EQ(stored_runs(), 2u);
}

TEST_F(Replay, IsRefusedInWords) {
  const std::string id = original();
  EXPECT_EQ(replay("run_nothing").status, 404);
  EXPECT_EQ(replay(store::new_run_id(store::Time{}).text()).status, 404);
  for (const std::string body :
       {"[]", "{", R"({"delay":"soon"})", R"({"tags":[""]})", R"({"parentRunId":"run_1"})", R"({"paylod":1})",
        R"({"payload":"{","payloadType":"application/json"})", R"({"payload":1,"payloadType":7})"}) {
    EXPECT_EQ(replay(id, body).status, 400) << body;
  }
  EXPECT_NE(replay(id, R"({"maxAttempts":0})").body.find("maxAttempts"), std::string::npos);
  engine->refuse_payloads({"/n", "must be a string"});
  const Answer unfit = replay(id);
  EXPECT_EQ(unfit.status, 400);
  EXPECT_NE(unfit.body.find("must be a string"), std::string::npos);
  EXPECT_EQ(stored_runs(), 1u);
}

}  // namespace
}  // namespace perdure::api
