// Batches: two requests that make one, a third that names its runs, in the order of the items whatever became of them.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/client/canned.h"

namespace perdure::test {
namespace {

const std::string kCreated = R"({"id":"batch_1","runCount":3,"isCached":false})";
const std::string kSealed = R"({"id":"batch_1","itemsAccepted":3,"itemsDeduplicated":0,"sealed":true})";

std::string state(const std::string& runs, const std::string& errors = "") {
  return R"({"id":"batch_1","status":"PROCESSING","runCount":3,"runs":[)" + runs + R"(],"processing":{"errors":[)" +
         errors + "]}}";
}

TEST(ClientBatch, SendsItsItemsAsLinesAndNamesItsRuns) {
  CannedServer server(
      {answer(202, "", kCreated), answer(200, "", kSealed), answer(200, "", state(R"("run_a","run_b","run_c")"))});
  const client::Batch<int> batch = Client(options_for(server))
                                       .batch<int>("double", std::vector<int>{1, 2, 3}, {.tags = {"t"}},
                                                   {.idempotency_key = "k", .idempotency_ttl = milliseconds(1)});
  EXPECT_EQ(batch.id, "batch_1");
  ASSERT_EQ(batch.runs.size(), 3u);
  EXPECT_EQ(batch.runs[2].id, "run_c");
  EXPECT_EQ(body_of(server.requests().at(0)), R"({"runCount":3,"idempotencyKey":"k","idempotencyKeyTTL":"1s"})");
  EXPECT_TRUE(server.requests().at(1).starts_with("POST /api/v3/batches/batch_1/items HTTP/1.1"));
  EXPECT_EQ(header_of(server.requests().at(1), "content-type"), "application/x-ndjson");
  const std::string options = R"("options":{"tags":["t"],"payloadType":"application/json"}})";
  EXPECT_EQ(body_of(server.requests().at(1)), R"({"index":0,"task":"double","payload":"1",)" + options + "\n" +
                                                  R"({"index":1,"task":"double","payload":"2",)" + options + "\n" +
                                                  R"({"index":2,"task":"double","payload":"3",)" + options + "\n");
}

TEST(ClientBatch, SendsAllItemsAgainWhenAnAnswerIsLost) {
  CannedServer server({answer(202, "", kCreated), "HTTP/1.1 200 OK\r\nConnection: close\r\n", answer(200, "", kSealed),
                       answer(200, "", state(R"("run_a","run_b","run_c")"))});
  Client(options_for(server)).batch("double", std::vector<int>{1, 2, 3});
  EXPECT_EQ(body_of(server.requests().at(1)), body_of(server.requests().at(2)));
}

TEST(ClientBatch, SendsNothingOfABatchThatIsThereAlready) {
  CannedServer server({answer(202, "", R"({"id":"batch_1","runCount":3,"isCached":true})"),
                       answer(200, "", state(R"("run_a","run_b","run_c")"))});
  const auto batch = Client(options_for(server)).batch("double", std::vector<int>{1, 2, 3});
  EXPECT_TRUE(batch.cached);
  EXPECT_EQ(batch.runs.at(0).id, "run_a");
}

TEST(ClientBatch, KeepsTheOrderOfItsItemsWhenSomeMadeNoRun) {
  CannedServer server(
      {answer(202, "", kCreated), answer(200, "", kSealed),
       answer(200, "",
              state(R"("run_a","run_c")", R"({"index":1,"taskIdentifier":"nope","error":"there is no task nope"})")),
       answer(200, "", run_json("COMPLETED", std::string(kFinished) + R"(,"output":1)")),
       answer(404, "", R"({"error":"gone"})")});
  const Client client(options_for(server));
  const auto batch = client.batch<int>({item("double", 1), item("nope", 2), item("double", 3)});
  EXPECT_EQ(batch.runs.at(0).id, "run_a");
  EXPECT_EQ(batch.runs.at(1).id, "");
  EXPECT_EQ(batch.runs.at(2).id, "run_c");
  const BatchResult<int> results = client.wait(batch);
  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(results[0].unwrap(), 1);
  EXPECT_EQ(results[1].error().name, "TRIGGER_FAILED");
  EXPECT_EQ(results[1].error().message, "there is no task nope");
  EXPECT_EQ(results[2].error().name, "RUN_GONE");
  EXPECT_THROW(results.unwrap(), RunFailed);
}

TEST(ClientBatch, DoesNotTakeABatchForWholeThatTheHostDoesNot) {
  CannedServer server({answer(202, "", kCreated), answer(200, "", R"({"id":"batch_1","sealed":false})")});
  EXPECT_THROW(Client(options_for(server)).batch("double", std::vector<int>{1, 2, 3}), client::AnswerInvalid);
}

TEST(ClientBatch, SurvivesAHostThatNamesMoreThanItSays) {
  const json::object hostile = from_json<json::object>(
      R"({"id":"b","status":"X","runCount":4000000000,"runs":["run_a"],"processing":{"errors":[{"index":3999999999}]}})");
  EXPECT_THROW(client::detail::read_batch(hostile), JsonError);
}

TEST(ClientBatch, SendsMuchInSeveralRequests) {
  std::vector<BatchItem> items(3, BatchItem{"t", '"' + std::string(10'000'000, 'x') + '"', ""});
  const std::vector<std::string> texts = client::detail::batch_lines(items);
  ASSERT_EQ(texts.size(), 3u);
  EXPECT_TRUE(texts[2].starts_with(R"({"index":2,)"));
}

}  // namespace
}  // namespace perdure::test
