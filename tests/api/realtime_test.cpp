// Live updates: the conversation with a client that follows a run, and with one that follows all runs with some tags.
#include <boost/json/parse.hpp>

#include "host/api/auth/public_token.h"
#include "host/api/realtime/run_row.h"
#include "tests/api/api_test.h"

namespace perdure::api {
namespace {

namespace json = boost::json;

class Realtime : public ApiTest {
 protected:
  // The messages of an answer but the last, which has to say that it is up to date.
  static json::array messages(const Answer& answer) {
    EXPECT_EQ(answer.status, 200) << answer.body;
    json::array all = answer.json().as_array();
    EXPECT_EQ(text_at(all.back(), "headers.control"), "up-to-date") << answer.body;
    all.pop_back();
    return all;
  }
  static json::value row(const Answer& answer) {
    const json::array all = messages(answer);
    return all.size() == 1 ? all[0].at("value") : json::value();
  }
  static std::string live(const Answer& answer) {
    return "live=true&cursor=" + answer.header("electric-cursor") + "&handle=" + answer.header("electric-handle") +
           "&log=full&offset=" + answer.header("electric-offset");
  }
  [[nodiscard]] static std::string of_run(const store::RunId& id) { return "/realtime/v1/runs/" + id.text() + "?"; }
  [[nodiscard]] Answer begin(const std::string& target) const { return get(target + "log=full&offset=-1"); }
  void hold_for(std::chrono::milliseconds time) {
    ApiOptions options;
    options.limits.live_hold = time;
    start(std::move(options));
  }
};

TEST_F(Realtime, BeginsWithTheWholeRow) {
  const store::RunId id = engine->make_run("echo", [](store::NewRun& run) {
    run.options.tags = {"we\"ird, tag", "a:b", "back\\slash"};
    run.options.metadata = R"({"p":{"q":1}})";
  });
  const Answer answer = begin(of_run(id));
  const json::value value = row(answer);
  EXPECT_EQ(text_at(value, "id"), id.text());
  EXPECT_EQ(text_at(value, "friendlyId"), id.text());
  EXPECT_EQ(text_at(value, "taskIdentifier"), "echo");
  EXPECT_EQ(text_at(value, "status"), "PENDING");
  EXPECT_EQ(text_at(value, "payload"), R"({"n":1})");
  EXPECT_EQ(text_at(value, "payloadType"), "application/json");
  EXPECT_EQ(text_at(value, "metadata"), R"({"p":{"q":1}})");
  EXPECT_EQ(text_at(value, "isTest"), "f");
  EXPECT_EQ(text_at(value, "number"), "0");
  EXPECT_EQ(text_at(value, "runTags"), R"({"we\"ird, tag","a:b","back\\slash"})");
  EXPECT_EQ(text_at(value, "realtimeStreams"), "{}");
  EXPECT_FALSE(text_at(value, "createdAt").ends_with('Z')) << "clients add it";
  for (const char* absent : {"startedAt", "completedAt", "expiredAt", "output", "error", "ttl"}) {
    EXPECT_TRUE(value.as_object().at(absent).is_null()) << absent;
  }
  const json::object message = messages(answer).at(0).as_object();
  EXPECT_EQ(text_at(message, "headers.operation"), "insert");
  EXPECT_EQ(text_at(message, "key"), R"("public"."TaskRun"/")" + id.text() + "\"");
  EXPECT_EQ(answer.header("electric-handle"), "run-" + id.text());
  EXPECT_TRUE(answer.headers.contains("electric-up-to-date"));
  EXPECT_FALSE(answer.headers.contains("electric-cursor"));
  EXPECT_EQ(answer.header("content-type"), "application/json");
  EXPECT_EQ(answer.header("cache-control"), "no-store");
  const json::value schema = json::parse(answer.header("electric-schema"));
  for (const auto& [name, ignored] : value.as_object()) {
    EXPECT_TRUE(schema.as_object().contains(name)) << name;
  }
  EXPECT_EQ(text_at(schema, "runTags.type"), "text");
  EXPECT_EQ(at(schema, "runTags.dims"), json::value(1));
  EXPECT_EQ(text_at(schema, "isTest.type"), "bool");
}

TEST_F(Realtime, TellsOfEachChangeWhenItHappens) {
  const store::RunId id = engine->make_run();
  const Answer first = begin(of_run(id));
  HttpConnection connection(server->port());
  connection.send(request_text("GET", of_run(id) + live(first)));
  engine->await_watchers(1);
  const store::Claim claim = engine->claim();
  const Answer second = connection.read();
  const json::value executing = row(second);
  EXPECT_EQ(text_at(executing, "status"), "EXECUTING");
  EXPECT_EQ(text_at(messages(second).at(0), "headers.operation"), "update");
  EXPECT_FALSE(executing.as_object().contains("payload")) << "it cannot have changed";
  EXPECT_TRUE(second.headers.contains("electric-cursor"));
  EXPECT_FALSE(second.headers.contains("electric-schema"));

  connection.send(request_text("GET", of_run(id) + live(second)));
  engine->await_watchers(1);
  engine->succeed(claim, R"({"m":2})");
  const json::value done = row(connection.read());
  EXPECT_EQ(text_at(done, "status"), "COMPLETED_SUCCESSFULLY");
  EXPECT_EQ(text_at(done, "output"), R"({"m":2})");
  EXPECT_FALSE(done.as_object().at("completedAt").is_null()) << "or a client never ends";
}

TEST_F(Realtime, WhatHappenedBetweenTwoRequestsIsToldAtOnce) {
  const store::RunId id = engine->make_run();
  const Answer first = begin(of_run(id));
  engine->fail(engine->claim(), {store::FailureKind::kTaskError, "FixtureError", "boom", "at x", ""},
               store::GiveUp{store::RunStatus::kFailed});
  const json::value failed = row(get(of_run(id) + live(first)));
  EXPECT_EQ(text_at(failed, "status"), "COMPLETED_WITH_ERRORS");
  const json::value error = json::parse(text_at(failed, "error"));
  EXPECT_EQ(text_at(error, "type"), "BUILT_IN_ERROR");
  EXPECT_EQ(text_at(error, "name"), "FixtureError");
  EXPECT_EQ(text_at(error, "message"), "boom");
  EXPECT_EQ(text_at(error, "stackTrace"), "at x");
}

TEST_F(Realtime, SaysAfterAWhileThatNothingIsNewAndRepeatsTheOffset) {
  hold_for(std::chrono::milliseconds(50));
  const store::RunId id = engine->make_run();
  const Answer first = begin(of_run(id));
  const Answer second = get(of_run(id) + live(first));
  EXPECT_TRUE(messages(second).empty());
  EXPECT_EQ(second.header("electric-offset"), first.header("electric-offset"));
  EXPECT_TRUE(second.headers.contains("electric-cursor"));
}

TEST_F(Realtime, WhoGoesAwayIsNotWaitedForAnyMore) {
  const store::RunId id = engine->make_run();
  const Answer first = begin(of_run(id));
  HttpConnection connection(server->port());
  connection.send(request_text("GET", of_run(id) + live(first)));
  engine->await_watchers(1);
  connection.half_close();
  engine->await_watchers(0);
}

TEST_F(Realtime, LogLinesAreNoNewsOfARow) {
  hold_for(std::chrono::milliseconds(300));
  const store::RunId id = engine->make_run();
  const Answer first = begin(of_run(id));
  HttpConnection connection(server->port());
  connection.send(request_text("GET", of_run(id) + live(first)));
  engine->await_watchers(1);
  engine->log(id, "a line");
  EXPECT_TRUE(messages(connection.read()).empty());
}

TEST_F(Realtime, LeavesOutWhatIsToBeSkippedButNotWhatIsNeeded) {
  const store::RunId id = engine->make_run();
  const json::value value = row(begin(of_run(id) + "skipColumns=payload,metadata,status,id&"));
  EXPECT_FALSE(value.as_object().contains("payload"));
  EXPECT_FALSE(value.as_object().contains("metadata"));
  EXPECT_TRUE(value.as_object().contains("status"));
  EXPECT_TRUE(value.as_object().contains("id"));
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const std::string token = auth::sign_public_token(
      {.scopes = {"read:runs"}, .expires = now + std::chrono::hours(1), .skip_columns = {"payload"}}, kTestKey, now);
  const Answer limited = ask("GET " + of_run(id) + "offset=-1 HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer " +
                             token + "\r\norigin: https://shop.example\r\n\r\n");
  EXPECT_FALSE(row(limited).as_object().contains("payload")) << "the token says so";
  EXPECT_EQ(limited.header("access-control-allow-origin"), "*");
  EXPECT_NE(limited.header("access-control-expose-headers").find('*'), std::string::npos);
}

TEST_F(Realtime, KnowsNoRunThatIsNotThere) {
  EXPECT_EQ(begin("/realtime/v1/runs/run_00000000000000000000000000?").status, 404);
  EXPECT_EQ(begin("/realtime/v1/runs/nonsense?").status, 404);
}

// ---- By tag
// -----------------------------------------------------------------------------------------------------------

std::function<void(store::NewRun&)> tagged(std::vector<std::string> tags) {
  return [tags](store::NewRun& run) { run.options.tags = tags; };
}

std::vector<std::string> ids(const json::array& messages) {
  std::vector<std::string> found;
  for (const json::value& message : messages) found.push_back(text_at(message, "value.id"));
  std::ranges::sort(found);
  return found;
}
std::vector<std::string> sorted(std::vector<store::RunId> runs) {
  std::vector<std::string> found;
  for (const store::RunId& run : runs) found.push_back(run.text());
  std::ranges::sort(found);
  return found;
}

TEST_F(Realtime, OfTagsBeginsWithTheRunsThatHaveThemAll) {
  const store::RunId both = engine->make_run("echo", tagged({"a", "b"}));
  const store::RunId more = engine->make_run("echo", tagged({"b", "c", "a"}));
  engine->make_run("echo", tagged({"a"}));
  engine->make_run();
  const Answer answer = begin("/realtime/v1/runs?tags=a,b&");
  EXPECT_EQ(ids(messages(answer)), sorted({both, more}));
  EXPECT_FALSE(answer.header("electric-handle").empty());
  EXPECT_NE(begin("/realtime/v1/runs?tags=a,b&").header("electric-handle"), answer.header("electric-handle"));
}

TEST_F(Realtime, OfTagsTellsOfNewRunsAndOfChangedOnes) {
  const std::string target = "/realtime/v1/runs?tags=a&";
  const Answer first = begin(target);
  EXPECT_TRUE(messages(first).empty());
  const store::RunId run = engine->make_run("echo", tagged({"a"}));
  engine->make_run("echo", tagged({"b"}));
  const Answer second = get(target + live(first));
  ASSERT_EQ(ids(messages(second)), sorted({run}));
  EXPECT_EQ(text_at(messages(second).at(0), "headers.operation"), "insert");
  EXPECT_EQ(text_at(row(second), "payload"), R"({"n":1})");

  HttpConnection connection(server->port());
  connection.send(request_text("GET", target + live(second)));
  engine->succeed(engine->claim(), "1");
  Answer third = connection.read();
  if (text_at(row(third), "status") == "EXECUTING") third = get(target + live(third));
  EXPECT_EQ(text_at(row(third), "status"), "COMPLETED_SUCCESSFULLY");
  EXPECT_EQ(text_at(messages(third).at(0), "headers.operation"), "update");
}

TEST_F(Realtime, OfTagsRepeatsAnAnswerThatGotLost) {
  const std::string target = "/realtime/v1/runs?tags=a&";
  const Answer first = begin(target);
  const store::RunId run = engine->make_run("echo", tagged({"a"}));
  EXPECT_EQ(ids(messages(get(target + live(first)))), sorted({run}));
  const store::RunId another = engine->make_run("echo", tagged({"a"}));
  Answer again = get(target + live(first));
  auto got = ids(messages(again));
  while (got.size() < 2) {
    again = get(target + live(again));
    for (const std::string& id : ids(messages(again))) got.push_back(id);
  }
  std::ranges::sort(got);
  EXPECT_EQ(got, sorted({run, another}));
}

TEST_F(Realtime, OfTagsBeginsAgainWhenItIsNotKnownAnyMore) {
  const std::string target = "/realtime/v1/runs?tags=a&";
  const Answer first = begin(target);
  start(ApiOptions{});
  const Answer lost = get(target + live(first));
  EXPECT_EQ(lost.status, 409);
  EXPECT_EQ(lost.body, R"([{"headers":{"control":"must-refetch"}}])");
  EXPECT_FALSE(lost.header("electric-handle").empty());
  const Answer current = begin(target);
  EXPECT_EQ(get("/realtime/v1/runs?tags=b&" + live(current)).status, 409) << "it is another's";
}

TEST_F(Realtime, OfTagsLooksBackAsFarAsItIsTold) {
  engine->make_run("echo", tagged({"a"}));
  EXPECT_EQ(messages(begin("/realtime/v1/runs?tags=a&createdAt=1h&")).size(), 1u);
  EXPECT_EQ(begin("/realtime/v1/runs?tags=a&createdAt=soon&").status, 400);
  EXPECT_EQ(begin("/realtime/v1/runs?").status, 400);
  EXPECT_EQ(begin("/realtime/v1/runs?tags=&").status, 400);
}

TEST_F(Realtime, OfTagsNeedsTheScopeOfOneOfThem) {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto status = [&](const std::string& scope) {
    const std::string token = auth::sign_public_token(
        {.scopes = {scope}, .expires = now + std::chrono::hours(1), .skip_columns = {}}, kTestKey, now);
    return ask("GET /realtime/v1/runs?tags=a,b&offset=-1 HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer " +
               token + "\r\n\r\n")
        .status;
  };
  EXPECT_EQ(status("read:tags:b"), 200);
  EXPECT_EQ(status("read:tags"), 200);
  EXPECT_EQ(status("read:runs"), 200);
  EXPECT_EQ(status("read:tags:c"), 403);
  EXPECT_EQ(status("read:runs:run_1"), 403);
}

TEST_F(Realtime, OfABatchTellsOfItsRuns) {
  const std::string batch = text_at(post("/api/v3/batches", R"({"runCount":2})").json(), "id");
  EXPECT_EQ(begin("/realtime/v1/batches/batch_000000000000000000000000?").status, 404);
  const std::string target = "/realtime/v1/batches/" + batch + "?";
  const Answer first = begin(target);
  EXPECT_TRUE(messages(first).empty()) << "it has no runs yet";
  engine->make_run();
  const Answer filled =
      post("/api/v3/batches/" + batch + "/items", "{\"index\":0,\"task\":\"echo\"}\n{\"index\":1,\"task\":\"echo\"}",
           "content-type: application/x-ndjson\r\n");
  ASSERT_EQ(filled.status, 200) << filled.body;
  Answer news = get(target + live(first));
  auto got = ids(messages(news));
  while (got.size() < 2) {
    news = get(target + live(news));
    for (const std::string& id : ids(messages(news))) got.push_back(id);
  }
  EXPECT_EQ(messages(begin(target)).size(), 2u);
}

TEST_F(Realtime, TheResultsOfABatchAreInItsOrder) {
  const std::string batch = text_at(post("/api/v3/batches", R"({"runCount":2})").json(), "id");
  const Answer filled =
      post("/api/v3/batches/" + batch + "/items", "{\"index\":0,\"task\":\"echo\"}\n{\"index\":1,\"task\":\"echo\"}",
           "content-type: application/x-ndjson\r\n");
  ASSERT_EQ(filled.status, 200) << filled.body;
  const std::string target = "/api/v1/batches/" + batch + "/results";
  EXPECT_EQ(at(get(target).json(), "items"), json::value(json::array())) << "none has ended";
  engine->succeed(engine->claim(), "1");
  engine->succeed(engine->claim(), "2");
  const json::value results = get(target).json();
  EXPECT_EQ(text_at(results, "id"), batch);
  const json::value runs = get("/api/v2/batches/" + batch).json();
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(text_at(results.at("items").at(i), "id"), std::string(runs.at("runs").at(i).as_string()));
  }
  EXPECT_EQ(get("/api/v1/batches/batch_000000000000000000000000/results").status, 404);
}

// ---- Rows
// -------------------------------------------------------------------------------------------------------------

TEST(Rows, HaveAMarkThatANumberOfJavaScriptHolds) {
  EXPECT_NE(mark_of("a"), mark_of("b"));
  EXPECT_EQ(mark_of("a"), mark_of("a"));
  for (int i = 0; i < 1000; ++i) EXPECT_LT(mark_of(std::to_string(i)), std::uint64_t{1} << 53);
}

}  // namespace
}  // namespace perdure::api
