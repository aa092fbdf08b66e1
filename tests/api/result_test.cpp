// What came of a run and what happened in it, in the public contract's words: results, typed errors, events, traces.
#include "tests/api/api_test.h"

namespace perdure::api {
namespace {

using store::FailureKind;
using store::RunStatus;

class Results : public ApiTest {
 protected:
  [[nodiscard]] Answer result(const store::RunId& id) const { return get("/api/v1/runs/" + id.text() + "/result"); }
  [[nodiscard]] boost::json::value error_after(const store::Failure& failure, RunStatus end) const {
    const store::RunId id = engine->make_run();
    engine->fail(engine->claim(), failure, store::GiveUp{end});
    const Answer answer = result(id);
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(at(answer.json(), "ok"), boost::json::value(false));
    return at(answer.json(), "error");
  }
};

TEST_F(Results, OfASuccessHasTheOutputAsAPacket) {
  const store::RunId id = engine->make_run();
  EXPECT_EQ(result(id).status, 404) << "there is none yet";
  engine->succeed(engine->claim(), R"({"a":[1]})");
  const Answer answer = result(id);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(at(answer.json(), "ok"), boost::json::value(true));
  EXPECT_EQ(text_at(answer.json(), "id"), id.text());
  EXPECT_EQ(text_at(answer.json(), "taskIdentifier"), "echo");
  EXPECT_EQ(text_at(answer.json(), "output"), R"({"a":[1]})");
  EXPECT_EQ(text_at(answer.json(), "outputType"), "application/json");
}

TEST_F(Results, OfATasksOwnErrorIsThatError) {
  const auto error =
      error_after({FailureKind::kTaskError, "FixtureError", "boom", "at run (a.cpp:3)", ""}, RunStatus::kFailed);
  EXPECT_EQ(text_at(error, "type"), "BUILT_IN_ERROR");
  EXPECT_EQ(text_at(error, "name"), "FixtureError");
  EXPECT_EQ(text_at(error, "message"), "boom");
  EXPECT_EQ(text_at(error, "stackTrace"), "at run (a.cpp:3)");
  EXPECT_EQ(text_at(error_after({FailureKind::kAborted, "", "no", "", ""}, RunStatus::kFailed), "stackTrace"), "");
}

TEST_F(Results, OfWhatTheHostSawHasTheContractsCode) {
  const std::vector<std::pair<store::Failure, std::string>> cases{
      {{FailureKind::kCrashed, "SIGSEGV", "it crashed", "#0 main", ""}, "TASK_PROCESS_SIGSEGV"},
      {{FailureKind::kCrashed, "SIGTERM", "", "", ""}, "TASK_PROCESS_SIGTERM"},
      {{FailureKind::kCrashed, "SIGABRT", "", "", ""}, "TASK_RUN_CRASHED"},
      {{FailureKind::kExitedWithoutResult, "", "", "", ""}, "TASK_PROCESS_EXITED_WITH_NON_ZERO_CODE"},
      {{FailureKind::kOutOfMemory, "", "", "", ""}, "TASK_PROCESS_OOM_KILLED"},
      {{FailureKind::kMaxDurationExceeded, "", "", "", ""}, "MAX_DURATION_EXCEEDED"},
      {{FailureKind::kStalled, "", "", "", ""}, "TASK_RUN_HEARTBEAT_TIMEOUT"},
      {{FailureKind::kOutputTooLarge, "", "", "", ""}, "TASK_OUTPUT_ERROR"},
      {{FailureKind::kPayloadInvalid, "", "", "", ""}, "TASK_INPUT_ERROR"},
      {{FailureKind::kHostLost, "", "", "", ""}, "TASK_EXECUTION_FAILED"}};
  for (const auto& [failure, code] : cases) {
    const auto error = error_after(failure, RunStatus::kCrashed);
    EXPECT_EQ(text_at(error, "type"), "INTERNAL_ERROR") << code;
    EXPECT_EQ(text_at(error, "code"), code);
  }
}

TEST_F(Results, OfACanceledRunSaysSo) {
  const store::RunId id = engine->make_run();
  EXPECT_EQ(post("/api/v2/runs/" + id.text() + "/cancel").status, 200);
  EXPECT_EQ(text_at(result(id).json(), "error.code"), "TASK_RUN_CANCELLED");
}

TEST_F(Results, OfAnUnknownRunAreNone) {
  for (const char* part : {"result", "events", "trace"}) {
    EXPECT_EQ(get("/api/v1/runs/run_00000000000000000000000000/" + std::string(part)).status, 404) << part;
    EXPECT_EQ(get("/api/v1/runs/nonsense/" + std::string(part)).status, 404) << part;
  }
}

TEST_F(Results, ATraceHasTheRunAboveItsAttemptsAboveWhatHappenedInThem) {
  const store::RunId id = engine->make_run();
  engine->fail(engine->claim(), {FailureKind::kTaskError, "E", "boom", "", ""}, store::GiveUp{RunStatus::kFailed});
  const auto trace = get("/api/v1/runs/" + id.text() + "/trace").json();
  EXPECT_EQ(text_at(trace, "trace.rootSpan.runId"), id.text());
  EXPECT_EQ(text_at(trace, "trace.rootSpan.data.message"), "echo");
  EXPECT_EQ(at(trace, "trace.rootSpan.data.isError"), boost::json::value(true));
  EXPECT_EQ(at(trace, "trace.rootSpan.data.isPartial"), boost::json::value(false));
  bool attempt = false;
  const boost::json::value children = at(trace, "trace.rootSpan.children");
  for (const auto& child : children.as_array()) {
    EXPECT_EQ(text_at(child, "parentId"), text_at(trace, "trace.rootSpan.id"));
    if (text_at(child, "data.message") != "Attempt 1") continue;
    attempt = true;
    EXPECT_NE(at(child, "children"), boost::json::value(boost::json::array()));
    EXPECT_EQ(text_at(child, "data.level"), "ERROR");
  }
  EXPECT_TRUE(attempt);
}

TEST_F(Results, ATraceByPagesIsFlat) {
  const store::RunId id = engine->make_run();
  engine->fail(engine->claim(), {FailureKind::kTaskError, "E", "boom", "", ""}, store::GiveUp{RunStatus::kFailed});
  const auto page = get("/api/v1/runs/" + id.text() + "/trace?page%5Bsize%5D=100").json();
  const boost::json::array& spans = page.at("data").as_array();
  EXPECT_EQ(text_at(spans.at(0), "message"), "echo");
  EXPECT_EQ(page.at("attemptFailures").as_array().size(), 1u);
  EXPECT_EQ(at(page, "pagination"), boost::json::value(boost::json::object()));
  const boost::json::value document = get("/api/v1/runs/" + id.text() + "/events").json();
  const boost::json::array& events = document.at("events").as_array();
  EXPECT_EQ(events.size(), spans.size());
  for (const auto& event : events) EXPECT_EQ(text_at(event, "runId"), id.text());
}

}  // namespace
}  // namespace perdure::api
