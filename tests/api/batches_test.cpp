// /api/v3/batches, their items, and /api/v2/batches/{id}.
#include <boost/json/serialize.hpp>
#include <cstdio>

#include "tests/api/api_test.h"

namespace perdure::api {
namespace {

namespace json = boost::json;

const std::string kLines = "content-type: application/x-ndjson\r\n";

class Batches : public ApiTest {
 protected:
  [[nodiscard]] Answer create(const std::string& body) const { return post("/api/v3/batches", body); }
  [[nodiscard]] std::string created(int count) const {
    return text_at(create("{\"runCount\":" + std::to_string(count) + "}").json(), "id");
  }
  [[nodiscard]] Answer send(const std::string& id, const std::string& lines) const {
    return post("/api/v3/batches/" + id + "/items", lines, kLines);
  }
  [[nodiscard]] json::value show(const std::string& id) const { return get("/api/v2/batches/" + id).json(); }
  [[nodiscard]] static std::string line(int index, const std::string& payload = "1", const std::string& task = "echo") {
    return R"({"index":)" + std::to_string(index) + R"(,"task":")" + task + R"(","payload":)" + payload + "}\n";
  }
};

TEST_F(Batches, AreMadeInTwoPhases) {
  const Answer made = create(R"({"runCount":2,"taskIdentifiers":["echo"],"idempotencyKey":"7a7d"})");
  EXPECT_EQ(made.status, 202) << made.body;
  const std::string id = text_at(made.json(), "id");
  EXPECT_TRUE(id.starts_with("batch_"));
  EXPECT_EQ(made.body, R"({"id":")" + id + R"(","runCount":2,"isCached":false,"idempotencyKey":"7a7d"})");
  EXPECT_EQ(made.header("x-trigger-jwt-claims"), R"({"sub":"env_local","pub":true})");
  EXPECT_EQ(text_at(show(id), "status"), "PENDING");
  EXPECT_EQ(stored_runs(), 0u);

  const Answer sent = send(
      id,
      R"({"index":0,"task":"echo","payload":"{\"json\":{\"z\":1}}","options":{"payloadType":"application/super+json","tags":["t"]}})"
      "\n\n"
      R"({"index":1,"task":"team/report","payload":"{\"json\":7}","options":{"payloadType":"application/super+json"}})");
  EXPECT_EQ(sent.status, 200) << sent.body;
  EXPECT_EQ(sent.body, R"({"id":")" + id + R"(","itemsAccepted":2,"itemsDeduplicated":0,"sealed":true})");
  const json::value batch = show(id);
  EXPECT_EQ(text_at(batch, "status"), "PROCESSING");
  EXPECT_EQ(text_at(batch, "idempotencyKey"), "7a7d");
  const json::array runs = at(batch, "runs").as_array();
  ASSERT_EQ(runs.size(), 2u);
  const json::value first = get("/api/v3/runs/" + std::string(runs[0].as_string())).json();
  EXPECT_EQ(text_at(first, "taskIdentifier"), "echo");
  EXPECT_EQ(text_at(first, "batchId"), id);
  EXPECT_EQ(text_at(first, "triggerFunction"), "batchTrigger");
  EXPECT_EQ(json::serialize(at(first, "payload")), R"({"z":1})");
  EXPECT_EQ(json::serialize(at(first, "tags")), R"(["t"])");
  EXPECT_EQ(text_at(get("/api/v3/runs/" + std::string(runs[1].as_string())).json(), "taskIdentifier"), "team/report");

  EXPECT_EQ(send(id, line(0) + line(1)).body,
            R"({"id":")" + id + R"(","itemsAccepted":0,"itemsDeduplicated":2,"sealed":true})");
  EXPECT_EQ(text_at(create(R"({"runCount":2,"idempotencyKey":"7a7d"})").json(), "id"), id);
  EXPECT_TRUE(at(create(R"({"runCount":2,"idempotencyKey":"7a7d"})").json(), "isCached").as_bool());
  EXPECT_EQ(stored_runs(), 2u);
}

TEST_F(Batches, WaitForAllOfTheirItems) {
  const std::string id = created(3);
  EXPECT_EQ(send(id, line(0, "10") + line(0, "11") + line(2, "12")).body,
            R"({"id":")" + id +
                R"(","itemsAccepted":2,"itemsDeduplicated":1,"sealed":false,"enqueuedCount":2,"expectedCount":3})");
  EXPECT_EQ(stored_runs(), 0u);
  EXPECT_EQ(send(id, line(2, "99") + line(1, "13")).body,
            R"({"id":")" + id + R"(","itemsAccepted":1,"itemsDeduplicated":1,"sealed":true})");
  std::string payloads;
  const json::array runs = at(show(id), "runs").as_array();
  for (const json::value& run : runs) {
    payloads += engine->store().payload(store::RunId(std::string(run.as_string()))).value() + " ";
  }
  EXPECT_EQ(payloads, "10 13 12 ");
}

TEST_F(Batches, TakeItemsThatArriveInPieces) {
  const std::string id = created(2);
  const std::string lines = line(0) + line(1);
  std::string chunks;
  for (std::size_t begin = 0; begin < lines.size(); begin += 17) {
    const std::string part = lines.substr(begin, 17);
    char size[24];
    std::snprintf(size, sizeof size, "%zx\r\n", part.size());
    chunks += size + part + "\r\n";
  }
  const std::string request =
      request_text("POST", "/api/v3/batches/" + id + "/items", {}, kLines + "transfer-encoding: chunked\r\n");
  const Answer sent = ask(request + chunks + "0\r\n\r\n");
  EXPECT_EQ(sent.status, 200) << sent.body;
  EXPECT_TRUE(at(sent.json(), "sealed").as_bool());
}

TEST_F(Batches, MayBeLargerThanOtherBodies) {
  Limits limits;
  limits.body = 2000;
  limits.batch_body = 20'000;
  start(limits);
  const std::string id = created(1);
  EXPECT_EQ(send(id, line(0, '"' + std::string(15'000, 'x') + '"')).status, 400) << "that is no JSON in a string";
  EXPECT_EQ(send(id, line(0, '[' + std::string(15'000, ' ') + ']')).status, 200);
  EXPECT_EQ(send(id, line(0, '[' + std::string(25'000, ' ') + ']')).status, 413);
  EXPECT_EQ(trigger(R"({"payload":[)" + std::string(3000, ' ') + "]}").status, 413);
}

TEST_F(Batches, AreRefusedWholeForOneWrongLine) {
  const std::string id = created(2);
  const auto refused = [&](const std::string& wrong, int status, const std::string& why) {
    const Answer answer = send(id, line(0) + wrong);
    EXPECT_EQ(answer.status, status) << answer.body;
    EXPECT_NE(text_at(answer.json(), "error").find(why), std::string::npos) << answer.body;
  };
  refused("{\"index\":1", 400, "line 2: the item is not acceptable JSON");
  refused("[]", 400, "an item is an object");
  refused(line(2), 422, "the index 2 is none of a batch of 2 items");
  refused(R"({"task":"echo"})", 422, "\"index\"");
  refused(R"({"index":1})", 422, "names its \"task\"");
  refused(R"({"index":1,"task":"echo","options":{"maxAttempts":0}})", 422, "options.maxAttempts");
  EXPECT_EQ(post("/api/v3/batches/" + id + "/items", line(0), "content-type: text/html\r\n").status, 415);
  EXPECT_EQ(send("batch_none", line(0)).status, 404);
  EXPECT_EQ(get("/api/v2/batches/batch_none").status, 404);
  EXPECT_EQ(create("{}").status, 400);
  EXPECT_EQ(create(R"({"runCount":0})").status, 400);
  EXPECT_EQ(create(R"({"runCount":1001})").status, 422);
  EXPECT_EQ(create(R"({"runCount":1,"idempotencyKey":7})").status, 422);
  EXPECT_EQ(stored_runs(), 0u);
  EXPECT_EQ(text_at(show(id), "status"), "PENDING");
}

TEST_F(Batches, NameItemsThatMadeNoRun) {
  const std::string id = created(2);
  EXPECT_TRUE(at(send(id, line(0) + line(1, "1", "nope")).json(), "sealed").as_bool());
  const json::value batch = show(id);
  EXPECT_EQ(text_at(batch, "status"), "PARTIAL_FAILED");
  EXPECT_EQ(at(batch, "runs").as_array().size(), 1u);
  const json::array errors = at(batch, "processing.errors").as_array();
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].at("index").as_int64(), 1);
  EXPECT_EQ(text_at(errors[0], "taskIdentifier"), "nope");
  EXPECT_EQ(text_at(errors[0], "errorCode"), "TRIGGER_FAILED");
  EXPECT_NE(text_at(errors[0], "error").find("nope"), std::string::npos);
  const std::string none = created(1);
  EXPECT_TRUE(at(send(none, line(0, "1", "nope")).json(), "sealed").as_bool());
  EXPECT_EQ(text_at(show(none), "status"), "ABORTED");
}

TEST_F(Batches, TellHowFarTheirRunsAre) {
  const std::string id = created(2);
  ASSERT_EQ(send(id, line(0) + line(1)).status, 200);
  EXPECT_EQ(json::serialize(at(show(id), "progress")),
            R"({"unfinished":2,"completed":0,"unsuccessful":0,"removed":0})");
  engine->succeed(engine->claim(), "1");
  EXPECT_EQ(text_at(show(id), "status"), "PROCESSING");
  engine->fail(engine->claim(),
               {.kind = store::FailureKind::kTaskError, .name = "E", .message = "m", .stack = {}, .details = {}},
               store::GiveUp{store::RunStatus::kFailed});
  const json::value batch = show(id);
  EXPECT_EQ(text_at(batch, "status"), "COMPLETED");
  EXPECT_EQ(json::serialize(at(batch, "progress")), R"({"unfinished":0,"completed":1,"unsuccessful":1,"removed":0})");
}

TEST_F(Batches, TellWhatCameOfTheirRunsInOrder) {
  const std::string id = created(3);
  ASSERT_EQ(send(id, line(0) + line(1) + line(2)).status, 200);
  const std::string target = "/api/v1/batches/" + id + "/results";
  EXPECT_EQ(json::serialize(get(target).json()), R"({"id":")" + id + R"(","items":[]})");
  const store::Claim first = engine->claim(), second = engine->claim();
  engine->fail(second,
               {.kind = store::FailureKind::kTaskError, .name = "E", .message = "m", .stack = {}, .details = {}},
               store::GiveUp{store::RunStatus::kFailed});
  engine->succeed(first, "7");
  const json::array items = at(get(target).json(), "items").as_array();
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(text_at(items[0], "id"), first.run.id.text());
  EXPECT_EQ(text_at(items[0], "output"), "7");
  EXPECT_FALSE(at(items[1], "ok").as_bool());
  EXPECT_EQ(get("/api/v1/batches/batch_none/results").status, 404);
}

TEST_F(Batches, AreAFilterOfTheList) {
  const std::string id = created(2);
  ASSERT_EQ(send(id, line(0) + line(1, "1", "team/report")).status, 200);
  engine->make_run();
  const auto listed = [&](const std::string& query) {
    return at(get("/api/v1/runs?" + query).json(), "data").as_array();
  };
  EXPECT_EQ(listed("filter%5Bbatch%5D=" + id).size(), 2u);
  EXPECT_EQ(listed("filter%5Bbatch%5D=" + id + "&filter%5BtaskIdentifier%5D=echo").size(), 1u);
  EXPECT_EQ(listed("page%5Bsize%5D=10").size(), 3u);
}

}  // namespace
}  // namespace perdure::api
