// POST /api/v1/runs/{id}/reschedule, and of idempotency keys that are reset.
#include "tests/api/api_test.h"

namespace perdure::api {
namespace {

class Reschedule : public ApiTest {
 protected:
  std::string delayed() {
    return engine->make_run("echo", [](store::NewRun& run) { run.delayed_until = run.now + std::chrono::hours(1); })
        .text();
  }
  Answer reschedule(const std::string& id, const std::string& body) {
    return post("/api/v1/runs/" + id + "/reschedule", body);
  }
};

TEST_F(Reschedule, AnswersTheWholeRunWithItsNewTime) {
  const std::string id = delayed();
  const Answer answer = reschedule(id, R"({"delay":"2999-01-01T00:00:00.000Z"})");
  EXPECT_EQ(answer.status, 200) << answer.body;
  const auto run = answer.json();
  EXPECT_EQ(text_at(run, "id"), id);
  EXPECT_EQ(text_at(run, "status"), "DELAYED");
  EXPECT_EQ(text_at(run, "delayedUntil"), "2999-01-01T00:00:00.000Z");
  EXPECT_FALSE(at(run, "relatedRuns").is_null());
  EXPECT_TRUE(engine->store().run(store::RunId(id))->calendar);
}

TEST_F(Reschedule, TakesADurationFromNow) {
  const std::string id = delayed();
  const auto clock = [] { return std::chrono::floor<store::Duration>(std::chrono::system_clock::now()); };
  const store::Time before = clock();
  EXPECT_EQ(reschedule(id, R"({"delay":"2h"})").status, 200);
  const store::Run run = engine->store().run(store::RunId(id)).value();
  EXPECT_GE(*run.ready_at, before + std::chrono::hours(2));
  EXPECT_LE(*run.ready_at, clock() + std::chrono::hours(2));
  EXPECT_FALSE(run.calendar);
}

TEST_F(Reschedule, IsForDelayedRunsOnly) {
  const std::string queued = engine->make_run().text();
  const Answer answer = reschedule(queued, R"({"delay":"1h"})");
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.body.find("is QUEUED, and only a DELAYED run can be rescheduled"), std::string::npos) << answer.body;
  const store::Claim claim = engine->claim();
  engine->fail(claim, {}, store::RetryAt{claim.run.created_at + std::chrono::hours(1)});
  EXPECT_EQ(reschedule(queued, R"({"delay":"1h"})").status, 400);  // a backoff is no delay
  EXPECT_EQ(reschedule("run_nothing", R"({"delay":"1h"})").status, 404);
  EXPECT_EQ(reschedule(store::new_run_id(store::Time{}).text(), R"({"delay":"1h"})").status, 404);
}

TEST_F(Reschedule, RefusesADelayThatIsNone) {
  const std::string id = delayed();
  for (const std::string body : {"", "{}", R"({"delay":"soon"})", R"({"delay":5})", "[]", "{"}) {
    EXPECT_EQ(reschedule(id, body).status, 400) << body;
  }
}

using IdempotencyKeys = ApiTest;

TEST_F(IdempotencyKeys, ThatAreResetMakeARunAgain) {
  const std::string body = R"({"options":{"idempotencyKey":"a/b"}})";
  const std::string first = text_at(trigger(body).json(), "id");
  EXPECT_EQ(text_at(trigger(body).json(), "id"), first);
  const Answer reset = post("/api/v1/idempotencyKeys/a%2Fb/reset", R"({"taskIdentifier":"echo"})");
  EXPECT_EQ(reset.status, 200) << reset.body;
  EXPECT_EQ(reset.body, R"({"id":"a/b"})");
  EXPECT_NE(text_at(trigger(body).json(), "id"), first);
}

TEST_F(IdempotencyKeys, ThatNoRunHasAre404) {
  EXPECT_EQ(post("/api/v1/idempotencyKeys/k/reset", R"({"taskIdentifier":"echo"})").status, 404);
  EXPECT_EQ(trigger(R"({"options":{"idempotencyKey":"k"}})").status, 200);
  EXPECT_EQ(post("/api/v1/idempotencyKeys/k/reset", R"({"taskIdentifier":"team/report"})").status, 404);
  for (const std::string body : {"", "{}", R"({"taskIdentifier":7})", R"({"taskIdentifier":""})"}) {
    EXPECT_EQ(post("/api/v1/idempotencyKeys/k/reset", body).status, 400) << body;
  }
}

}  // namespace
}  // namespace perdure::api
