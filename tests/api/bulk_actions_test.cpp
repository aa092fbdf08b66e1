// /api/v1/bulk-actions.
#include "tests/api/api_test.h"

namespace perdure::api {
namespace {

class BulkActions : public ApiTest {
 protected:
  [[nodiscard]] Answer begin(const std::string& body) const { return post("/api/v1/bulk-actions", body); }
  store::BulkAction stored(const Answer& begun) {
    return engine->store().bulk_action(store::BulkActionId(text_at(begun.json(), "id"))).value();
  }
};

TEST_F(BulkActions, AreAcceptedByRunIdsOrByFilter) {
  const std::string run = engine->make_run().text();
  const Answer by_ids = begin(R"({"action":"cancel","name":"mine","runIds":[")" + run + R"("]})");
  EXPECT_EQ(by_ids.status, 202) << by_ids.body;
  EXPECT_EQ(stored(by_ids).runs, std::vector<store::RunId>{store::RunId(run)});
  EXPECT_EQ(stored(by_ids).name, "mine");
  EXPECT_EQ(stored(by_ids).kind, store::BulkKind::kCancel);
  const Answer by_filter = begin(R"({"action":"replay","filter":{
    "status":["FAILED","QUEUED"],"taskIdentifier":"echo","tag":["a","b"],"version":"v","isTest":false,
    "queue":[{"type":"task","name":"echo"},"q"],"machine":"micro","schedule":"sched_1","from":1700000000000,
    "to":"2030-01-01T00:00:00Z"}})");
  EXPECT_EQ(by_filter.status, 202) << by_filter.body;
  const store::RunFilter filter = stored(by_filter).filter;
  EXPECT_EQ(filter.statuses, (std::vector{store::RunStatus::kFailed, store::RunStatus::kQueued}));
  EXPECT_TRUE(filter.told);
  EXPECT_EQ(filter.tasks, std::vector<store::TaskId>{store::TaskId("echo")});
  EXPECT_EQ(filter.tags, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(filter.queues, (std::vector{store::QueueName("task/echo"), store::QueueName("q")}));
  EXPECT_EQ(filter.is_test, false);
  EXPECT_EQ(filter.from, store::Time(std::chrono::milliseconds(1'700'000'000'000)));
  EXPECT_TRUE(filter.to);
}

TEST_F(BulkActions, AreShownInTheContractsShape) {
  const Answer begun = begin(R"({"action":"cancel","filter":{"period":"1h"}})");
  const std::string id = text_at(begun.json(), "id");
  EXPECT_TRUE(id.starts_with("bulk_"));
  store::BulkAction action = stored(begun);
  action.success = 3;
  action.failure = 1;
  action.status = store::BulkStatus::kCompleted;
  action.completed_at = action.created_at;
  engine->store().put_bulk_action(action, {}, [](const store::Status&) {});
  const auto shown = get("/api/v1/bulk-actions/" + id).json();
  EXPECT_EQ(text_at(shown, "id"), id);
  EXPECT_EQ(text_at(shown, "type"), "CANCEL");
  EXPECT_EQ(text_at(shown, "status"), "COMPLETED");
  EXPECT_EQ(at(shown, "counts.total").to_number<int>(), 4);
  EXPECT_EQ(at(shown, "counts.success").to_number<int>(), 3);
  EXPECT_EQ(at(shown, "counts.failure").to_number<int>(), 1);
  EXPECT_FALSE(at(shown, "createdAt").is_null());
  EXPECT_FALSE(at(shown, "completedAt").is_null());
  EXPECT_EQ(get("/api/v1/bulk-actions/bulk_nothing").status, 404);
}

TEST_F(BulkActions, AreListedNewestFirstInPages) {
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    ids.push_back(text_at(begin(R"({"action":"cancel","filter":{"tag":"a"}})").json(), "id"));
  }
  const auto first = get("/api/v1/bulk-actions?page%5Bsize%5D=2").json();
  EXPECT_EQ(text_at(first.at("data").at(0), "id"), ids[2]);
  EXPECT_EQ(text_at(first, "pagination.next"), ids[1]);
  EXPECT_TRUE(at(first, "pagination.previous").is_null());
  const auto second = get("/api/v1/bulk-actions?page[size]=2&page[after]=" + ids[1]).json();
  EXPECT_EQ(text_at(second.at("data").at(0), "id"), ids[0]);
  EXPECT_EQ(text_at(second, "pagination.previous"), ids[0]);
  EXPECT_TRUE(at(second, "pagination.next").is_null());
  EXPECT_EQ(get("/api/v1/bulk-actions?page[after]=x").status, 400);
  EXPECT_EQ(get("/api/v1/bulk-actions?status=x").status, 400);
}

TEST_F(BulkActions, AreAborted) {
  const std::string id = text_at(begin(R"({"action":"cancel","filter":{"tag":"a"}})").json(), "id");
  const Answer aborted = post("/api/v1/bulk-actions/" + id + "/abort");
  EXPECT_EQ(aborted.status, 200);
  EXPECT_EQ(aborted.body, R"({"id":")" + id + R"("})");
  EXPECT_EQ(text_at(get("/api/v1/bulk-actions/" + id).json(), "status"), "ABORTED");
  EXPECT_EQ(post("/api/v1/bulk-actions/bulk_nothing/abort").status, 404);
}

TEST_F(BulkActions, ThatWouldTouchOtherRunsThanWereMeantAreRefused) {
  const std::string run = engine->make_run().text();
  for (const std::string& body : std::vector<std::string>{
           std::string(""), std::string("[]"), std::string(R"({"action":"delete","filter":{"tag":"a"}})"),
           std::string(R"({"filter":{"tag":"a"}})"), std::string(R"({"action":"cancel"})"),
           std::string(R"({"action":"cancel","filter":{}})"),
           std::string(R"({"action":"cancel","filter":{"tag":null}})"),
           std::string(R"({"action":"cancel","filter":{"tag":[]}})"), std::string(R"({"action":"cancel","runIds":[]})"),
           std::string(R"({"action":"cancel","runIds":["run_1"]})"),
           R"({"action":"cancel","runIds":[")" + run + R"("],"filter":{"tag":"a"}})",
           std::string(R"({"action":"cancel","filter":{"tags":"a"}})"),
           std::string(R"({"action":"cancel","filter":{"moon":"eu","tag":"a"}})"),
           std::string(R"({"action":"cancel","filter":{"batch":"batch_1"}})"),
           std::string(R"({"action":"cancel","filter":{"status":"BAD"}})"),
           std::string(R"({"action":"cancel","filter":{"period":"soon"}})")}) {
    EXPECT_EQ(begin(body).status, 400) << body;
  }
}

}  // namespace
}  // namespace perdure::api
