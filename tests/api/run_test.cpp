// GET /api/v3/runs/{id}, GET /perdure/v1/runs/{id}, its trace, and cancelling.
#include <boost/json/parse.hpp>

#include "tests/api/api_test.h"

namespace perdure::api {
namespace {

using OneRun = ApiTest;

store::Failure boom() { return {store::FailureKind::kTaskError, "FixtureError", "boom", "at run (a.cpp:3)", ""}; }

// The fields that the client's validator insists on.
constexpr const char* kRequired[] = {
    "id",          "taskIdentifier",  "status",      "isQueued", "isExecuting",     "isWaiting",   "isCompleted",
    "isSuccess",   "isFailed",        "isCancelled", "isTest",   "createdAt",       "updatedAt",   "tags",
    "costInCents", "baseCostInCents", "durationMs",  "depth",    "triggerFunction", "relatedRuns",
};

void expect_complete(const boost::json::value& run) {
  for (const char* field : kRequired) EXPECT_FALSE(at(run, field).is_null()) << field;
  for (const auto& [name, value] : run.as_object()) EXPECT_FALSE(value.is_null()) << name << " must be left out";
}

TEST_F(OneRun, ThatIsQueuedHasEveryRequiredField) {
  const store::RunId id = engine->make_run("echo", [](store::NewRun& run) { run.options.tags = {"b", "a"}; });
  const Answer answer = get("/api/v3/runs/" + id.text());
  ASSERT_EQ(answer.status, 200) << answer.body;
  const auto run = answer.json();
  expect_complete(run);
  EXPECT_EQ(text_at(run, "status"), "QUEUED");
  EXPECT_EQ(at(run, "isQueued"), boost::json::value(true));
  EXPECT_EQ(at(run, "isCompleted"), boost::json::value(false));
  EXPECT_EQ(at(run, "payload.n"), boost::json::value(1));
  EXPECT_EQ(at(run, "tags"), boost::json::value({"a", "b"}));
  EXPECT_EQ(at(run, "attemptCount"), boost::json::value(0));
  EXPECT_EQ(at(run, "relatedRuns"), boost::json::value(boost::json::object()));
  for (const char* absent : {"output", "error", "startedAt", "finishedAt", "delayedUntil", "expiredAt", "ttl"}) {
    EXPECT_TRUE(at(run, absent).is_null()) << absent;
  }
}

TEST_F(OneRun, ThatCompletedHasItsOutputAndNoError) {
  const store::RunId id = engine->make_run();
  const store::Claim first = engine->claim();
  engine->fail(first, boom(), store::RetryAt{first.run.created_at});
  engine->succeed(engine->claim(), R"({"k":0.10})");
  const Answer answer = get("/api/v3/runs/" + id.text());
  const auto run = answer.json();
  expect_complete(run);
  EXPECT_EQ(text_at(run, "status"), "COMPLETED");
  for (const char* yes : {"isCompleted", "isSuccess"}) EXPECT_EQ(at(run, yes), boost::json::value(true)) << yes;
  for (const char* no : {"isFailed", "isCancelled", "isQueued", "isExecuting", "isWaiting"}) {
    EXPECT_EQ(at(run, no), boost::json::value(false)) << no;
  }
  EXPECT_NE(answer.body.find(R"("output":{"k":0.10})"), std::string::npos);
  EXPECT_TRUE(at(run, "error").is_null());
  EXPECT_EQ(at(run, "attemptCount"), boost::json::value(2));
  EXPECT_EQ(at(run, "durationMs"), boost::json::value(12));
  EXPECT_TRUE(text_at(run, "startedAt").ends_with("Z"));
  EXPECT_TRUE(text_at(run, "finishedAt").ends_with("Z"));
}

TEST_F(OneRun, ThatFailedHasItsErrorAndNoOutput) {
  const store::RunId id = engine->make_run();
  engine->fail(engine->claim(), boom(), store::GiveUp{store::RunStatus::kFailed});
  const auto run = get("/api/v3/runs/" + id.text()).json();
  EXPECT_EQ(text_at(run, "status"), "FAILED");
  EXPECT_EQ(text_at(run, "error.name"), "FixtureError");
  EXPECT_EQ(text_at(run, "error.message"), "boom");
  EXPECT_EQ(text_at(run, "error.stackTrace"), "at run (a.cpp:3)");
  EXPECT_EQ(at(run, "isFailed"), boost::json::value(true));
  EXPECT_EQ(at(run, "isCompleted"), boost::json::value(true));
  EXPECT_TRUE(at(run, "output").is_null());
}

TEST_F(OneRun, ThatCrashedNamesTheSignal) {
  const store::RunId id = engine->make_run();
  engine->fail(engine->claim(), {store::FailureKind::kCrashed, "SIGSEGV", "a null pointer was read", "", ""},
               store::GiveUp{store::RunStatus::kCrashed});
  EXPECT_NE(text_at(get("/api/v3/runs/" + id.text()).json(), "error.message").find("SIGSEGV"), std::string::npos);
}

TEST_F(OneRun, BetweenTwoAttemptsIsQueuedAlsoDuringItsBackoff) {
  const store::RunId id = engine->make_run();
  const store::Claim first = engine->claim();
  engine->fail(first, boom(), store::RetryAt{first.run.created_at + std::chrono::hours(1)});
  ASSERT_EQ(engine->store().run(id)->status, store::RunStatus::kDelayed);
  const auto run = get("/api/v3/runs/" + id.text()).json();
  EXPECT_EQ(text_at(run, "status"), "QUEUED");
  EXPECT_TRUE(at(run, "delayedUntil").is_null());
  EXPECT_TRUE(at(run, "error").is_null());
  EXPECT_TRUE(text_at(get("/perdure/v1/runs/" + id.text()).json(), "retryAt").ends_with("Z"));
}

TEST_F(OneRun, ThatIsDelayedSaysUntilWhen) {
  const store::RunId id = engine->make_run("echo", [](store::NewRun& run) {
    run.delayed_until = run.now + std::chrono::hours(1);
    run.options.ttl = std::chrono::minutes(10);
    run.options.metadata = R"({"m":1})";
    run.options.idempotency_key = std::string(64, 'f');
    run.options.idempotency_shown = "order-7";
    run.options.is_test = true;
  });
  const auto run = get("/api/v3/runs/" + id.text()).json();
  EXPECT_EQ(text_at(run, "status"), "DELAYED");
  EXPECT_TRUE(text_at(run, "delayedUntil").ends_with("Z"));
  EXPECT_EQ(text_at(run, "ttl"), "10m");
  EXPECT_EQ(at(run, "metadata.m"), boost::json::value(1));
  EXPECT_EQ(text_at(run, "idempotencyKey"), "order-7");
  EXPECT_EQ(at(run, "isTest"), boost::json::value(true));
}

TEST_F(OneRun, ThatDoesNotExistIs404Everywhere) {
  const std::string unknown = store::new_run_id(store::Time{}).text();
  for (const std::string& id : {unknown, std::string("run_short"), std::string("..%2f..%2fetc"), std::string("%00")}) {
    for (const std::string& target :
         {"/api/v3/runs/" + id, "/perdure/v1/runs/" + id, "/perdure/v1/runs/" + id + "?wait=5s",
          "/perdure/v1/runs/" + id + "/trace", "/perdure/v1/runs/" + id + "/logs",
          "/perdure/v1/runs/" + id + "/logs?follow=1"}) {
      const Answer answer = get(target);
      EXPECT_EQ(answer.status, 404) << target;
      EXPECT_EQ(answer.header("x-should-retry"), "false");
    }
    EXPECT_EQ(post("/api/v2/runs/" + id + "/cancel").status, 404);
  }
}

TEST_F(OneRun, IsShownOnlyOnceItIsDurable) {
  const store::RunId id = engine->make_run();
  engine->disk.hold();
  HttpConnection connection(server->port());
  connection.send(request_text("GET", "/api/v3/runs/" + id.text()));
  engine->disk.await_waiting(1);
  EXPECT_EQ(get("/healthz").status, 200);
  engine->disk.release();
  EXPECT_EQ(connection.read().status, 200);
}

TEST_F(OneRun, CanBeReadWhileTheDiskIsFull) {
  const store::RunId id = engine->make_run();
  engine->break_store(store::Status::no_space("full"));
  EXPECT_EQ(trigger("{}").status, 507);
  EXPECT_EQ(get("/api/v3/runs/" + id.text()).status, 200);
}

TEST_F(OneRun, CanceledIsAnsweredWithItsId) {
  const store::RunId id = engine->make_run();
  const Answer answer = post("/api/v2/runs/" + id.text() + "/cancel");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"id":")" + id.text() + "\"}");
  const auto run = get("/api/v3/runs/" + id.text()).json();
  EXPECT_EQ(text_at(run, "status"), "CANCELED");
  EXPECT_EQ(at(run, "isCancelled"), boost::json::value(true));
}

TEST_F(OneRun, ThatHasEndedIsNotChangedByCanceling) {
  const store::RunId id = engine->make_run();
  engine->succeed(engine->claim(), "1");
  EXPECT_EQ(post("/api/v2/runs/" + id.text() + "/cancel").status, 200);
  EXPECT_EQ(engine->store().run(id)->status, store::RunStatus::kCompleted);
}

TEST_F(OneRun, InItsLongFormHasItsAttempts) {
  const store::RunId id = engine->make_run();
  const store::Claim first = engine->claim();
  store::Failure crash{store::FailureKind::kCrashed, "SIGSEGV", "SIGSEGV at address 0", "#0 crash at c.cpp:9",
                       R"({"signal":11})"};
  engine->fail(first, crash, store::RetryAt{first.run.created_at});
  engine->succeed(engine->claim(), R"("done")");
  const auto run = get("/perdure/v1/runs/" + id.text()).json();
  expect_complete(run);
  EXPECT_EQ(text_at(run, "output"), "done");
  EXPECT_EQ(text_at(run, "queue"), "task/echo");
  const auto& attempts = run.at("attempts").as_array();
  ASSERT_EQ(attempts.size(), 2u);
  EXPECT_EQ(at(attempts[0], "number"), boost::json::value(1));
  EXPECT_EQ(text_at(attempts[0], "error.code"), "CRASHED");
  EXPECT_EQ(text_at(attempts[0], "error.name"), "SIGSEGV");
  EXPECT_EQ(text_at(attempts[0], "error.stackTrace"), "#0 crash at c.cpp:9");
  EXPECT_EQ(at(attempts[0], "error.details.signal"), boost::json::value(11));
  EXPECT_TRUE(at(attempts[1], "error").is_null());
}

TEST_F(OneRun, TraceHasEveryEventInOrder) {
  const store::RunId id = engine->make_run();
  engine->succeed(engine->claim(), "1");
  const auto trace = get("/perdure/v1/runs/" + id.text() + "/trace").json();
  const auto& events = trace.at("events").as_array();
  ASSERT_GE(events.size(), 3u);
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(at(events[i], "sequence").to_number<std::size_t>(), i + 1);
    EXPECT_TRUE(text_at(events[i], "at").ends_with("Z"));
  }
  EXPECT_EQ(text_at(events.back(), "status"), "COMPLETED");
  EXPECT_EQ(trace.at("attempts").as_array().size(), 1u);
}

TEST_F(OneRun, WaitedForIsAnsweredAtItsEnd) {
  const store::RunId id = engine->make_run();
  HttpConnection connection(server->port());
  connection.send(request_text("GET", "/perdure/v1/runs/" + id.text() + "?wait=60s"));
  engine->await_watchers(1);
  engine->succeed(engine->claim(), R"({"k":1})");
  const auto run = connection.read().json();
  EXPECT_EQ(text_at(run, "status"), "COMPLETED");
  EXPECT_EQ(at(run, "output.k"), boost::json::value(1));
  engine->await_watchers(0);
}

TEST_F(OneRun, WaitedForInVainIsAnsweredAsItIs) {
  const store::RunId id = engine->make_run();
  EXPECT_EQ(text_at(get("/perdure/v1/runs/" + id.text() + "?wait=0s").json(), "status"), "QUEUED");
  EXPECT_EQ(text_at(get("/perdure/v1/runs/" + id.text() + "?wait=1s").json(), "status"), "QUEUED");
  engine->await_watchers(0);
}

TEST_F(OneRun, ThatHasEndedIsNotWaitedFor) {
  const store::RunId id = engine->make_run();
  engine->succeed(engine->claim(), "1");
  EXPECT_EQ(text_at(get("/perdure/v1/runs/" + id.text() + "?wait=60s").json(), "status"), "COMPLETED");
}

TEST_F(OneRun, IsNotWaitedForLongerThanTheLimit) {
  const store::RunId id = engine->make_run();
  for (const std::string wait : {"1h", "soon", "", "-1s"}) {
    const Answer answer = get("/perdure/v1/runs/" + id.text() + "?wait=" + wait);
    EXPECT_EQ(answer.status, 400) << wait;
    EXPECT_EQ(answer.error(), "Query Error");
  }
}

TEST_F(OneRun, TellsWhatAnAttemptWasStartedWithToTheLetter) {
  const store::RunId id = engine->make_run();
  engine->claim();
  const Answer answer = get("/perdure/v1/runs/" + id.text() + "/start?attempt=1");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const auto start = answer.json();
  EXPECT_EQ(text_at(start, "task"), "echo");
  EXPECT_EQ(at(start, "attempt"), boost::json::value(1));
  EXPECT_EQ(at(start, "maxDurationMs"), boost::json::value(60'000));
  EXPECT_EQ(text_at(start, "plugin.path"), "/data/plugins/demo.so");
  EXPECT_NE(answer.body.find(R"("start":{"config":{"key":"k"}},"payload":{"n":1.0})"), std::string::npos);
}

TEST_F(OneRun, TellsNoStartOfAnAttemptThatThereIsNot) {
  const store::RunId id = engine->make_run();
  engine->claim();
  EXPECT_EQ(get("/perdure/v1/runs/" + id.text() + "/start?attempt=2").status, 404);
  EXPECT_EQ(get("/perdure/v1/runs/" + id.text() + "/start?attempt=0").status, 400);
  EXPECT_EQ(get("/perdure/v1/runs/run_unknown/start").status, 404);
}

TEST_F(OneRun, ThatExecutesTellsWhereItsThreadsAreAndAnotherDoesNot) {
  const store::RunId id = engine->make_run();
  EXPECT_EQ(get("/perdure/v1/runs/" + id.text() + "/stack").status, 422);
  engine->claim();
  const auto stack = get("/perdure/v1/runs/" + id.text() + "/stack").json();
  EXPECT_EQ(at(stack, "attempt"), boost::json::value(1));
  EXPECT_EQ(at(stack, "pid"), boost::json::value(4711));
  EXPECT_EQ(at(stack, "threads"), boost::json::parse(R"([{"tid":4711}])"));
  EXPECT_EQ(text_at(stack, "text"), "thread 4711");
  EXPECT_EQ(get("/perdure/v1/runs/run_unknown/stack").status, 404);
}

}  // namespace
}  // namespace perdure::api
