// Metadata, tags, streams and children of a run.
#include <unistd.h>

#include <algorithm>

#include "store/model/metadata.h"
#include "tests/api/api_test.h"

namespace perdure::api {
namespace {

class Live : public ApiTest {
 protected:
  [[nodiscard]] Answer put(const store::RunId& id, const std::string& body) const {
    return ask(request_text("PUT", "/api/v1/runs/" + id.text() + "/metadata", body));
  }
  [[nodiscard]] std::string metadata(const store::RunId& id) const {
    return get("/api/v1/runs/" + id.text() + "/metadata").body;
  }
  [[nodiscard]] Answer tag(const store::RunId& id, const std::string& body) const {
    return post("/api/v1/runs/" + id.text() + "/tags", body);
  }
  [[nodiscard]] std::string stream(const store::RunId& id, const std::string& rest) const {
    return "/perdure/v1/runs/" + id.text() + "/streams/" + rest;
  }
};

// ---- Metadata -------------------------------------------------------------------------------------------------------

TEST_F(Live, MetadataIsReadReplacedAndChangedByOperationsInOrder) {
  const store::RunId id = engine->make_run("echo", [](store::NewRun& run) { run.options.metadata = R"({"a":0.10})"; });
  EXPECT_EQ(metadata(id), R"({"metadata":{"a":0.10}})");
  EXPECT_EQ(put(id, R"({"metadata":{"b":1}})").body, R"({"metadata":{"b":1}})");
  const Answer changed = put(id, R"({"metadata":{"n":1},"operations":[{"type":"increment","key":"n","value":2},
      {"type":"set","key":"$.o.p","value":{"q":1}},{"type":"append","key":"l","value":"x"},
      {"type":"append","key":"l","value":{"y":[1]}},{"type":"remove","key":"l","value":{"y":[1]}},
      {"type":"set","key":"gone","value":1},{"type":"delete","key":"gone"}]})");
  EXPECT_EQ(changed.status, 200);
  EXPECT_EQ(changed.body, R"({"metadata":{"n":3,"o":{"p":{"q":1}},"l":["x"]}})");
  EXPECT_EQ(put(id, R"({"operations":[{"type":"update","value":{"all":"new"}}]})").body,
            R"({"metadata":{"all":"new"}})");
  EXPECT_EQ(metadata(id), R"({"metadata":{"all":"new"}})");
  EXPECT_EQ(text_at(get("/api/v3/runs/" + id.text()).json(), "metadata.all"), "new");
  const auto page = get("/api/v1/runs").json();
  EXPECT_EQ(text_at(page.at("data").at(0), "metadata.all"), "new") << "a list shows it as it is now";
}

TEST_F(Live, MetadataOfParentAndRootIsChangedAlongAndARunWithoutAParentIsItsOwn) {
  const store::RunId parent = engine->make_run();
  const store::RunId child = engine->make_run("echo", [&](store::NewRun& run) { run.parent = run.root = parent; });
  EXPECT_EQ(put(child, R"({"operations":[{"type":"set","key":"c","value":1}],
      "parentOperations":[{"type":"append","key":"p","value":1}],
      "rootOperations":[{"type":"append","key":"p","value":2}]})")
                .body,
            R"({"metadata":{"c":1}})");
  EXPECT_EQ(metadata(parent), R"({"metadata":{"p":[1,2]}})");
  EXPECT_EQ(put(parent, R"({"rootOperations":[{"type":"set","key":"r","value":1}]})").body,
            R"({"metadata":{"p":[1,2],"r":1}})");
}

TEST_F(Live, MetadataThatIsNoneIsRefusedAndNothingHappens) {
  const store::RunId id = engine->make_run();
  for (const std::string body :
       {"", "[]", "{}", "{\"metadata\":[1]}", R"({"operations":{}})", R"({"operations":[1]})",
        R"({"operations":[{"type":"shake","key":"a","value":1}]})", R"({"operations":[{"type":"set","value":1}]})",
        R"({"operations":[{"type":"set","key":"a"}]})",
        R"({"operations":[{"type":"increment","key":"a","value":"1"}]})",
        R"({"operations":[{"type":"set","key":"__proto__","value":1}]})",
        R"({"operations":[{"type":"set","key":"$.a.__proto__","value":1}]})"}) {
    EXPECT_EQ(put(id, body).status, 400) << body;
  }
  EXPECT_EQ(
      put(id, R"({"operations":[{"type":"set","key":"a","value":1},{"type":"append","key":"a","value":1}]})").status,
      422);
  const std::string half(store::kMostMetadata / 2, 'x');
  EXPECT_EQ(put(id, R"({"operations":[{"type":"set","key":"a","value":")" + half +
                        R"("},{"type":"set","key":"b","value":")" + half + "\"}]}")
                .status,
            422);
  EXPECT_EQ(metadata(id), R"({"metadata":{}})");
  const store::RunId unknown = store::new_run_id(store::Time{});
  EXPECT_EQ(put(unknown, R"({"metadata":{}})").status, 404);
  EXPECT_EQ(get("/api/v1/runs/" + unknown.text() + "/metadata").status, 404);
  EXPECT_EQ(get("/api/v1/runs/nonsense/metadata").status, 404);
  EXPECT_EQ(post("/api/v1/runs/" + id.text() + "/metadata", "{}").header("allow"), "GET, HEAD, PUT");
}

// ---- Tags -----------------------------------------------------------------------------------------------------------

TEST_F(Live, TagsAreAddedAsAWordOrAListWithoutBlankAndKnownOnes) {
  const store::RunId id = engine->make_run();
  EXPECT_EQ(tag(id, R"({"tags":"one"})").body, R"({"message":"Successfully set 1 new tag."})");
  EXPECT_EQ(tag(id, R"({"tags":["one"," ","two","","three"]})").body, R"({"message":"Successfully set 2 new tags."})");
  EXPECT_EQ(tag(id, R"({"tags":["one"]})").body, R"({"message":"No new tags to add"})");
  EXPECT_EQ(at(get("/api/v3/runs/" + id.text()).json(), "tags"), boost::json::value({"one", "three", "two"}));
  EXPECT_EQ(tag(id, R"({"tags":["1","2","3","4","5","6","7","8"]})").status, 422);
  EXPECT_EQ(tag(id, R"({"tags":")" + std::string(129, 'x') + "\"}").status, 422);
  EXPECT_EQ(at(get("/api/v3/runs/" + id.text()).json(), "tags").as_array().size(), 3u);
  for (const std::string body : {"", "{}", "[]", R"({"tags":1})", R"({"tags":[1]})"}) {
    EXPECT_EQ(tag(id, body).status, 400) << body;
  }
  EXPECT_EQ(tag(store::new_run_id(store::Time{}), R"({"tags":"a"})").status, 404);
}

// ---- Family ---------------------------------------------------------------------------------------------------------

TEST_F(Live, ARunShowsItsParentRootAndChildren) {
  const store::RunId root = engine->make_run();
  const auto below = [&](const store::RunId& parent, std::uint32_t depth) {
    return engine->make_run("team/report", [&](store::NewRun& run) {
      run.parent = parent;
      run.root = root;
      run.depth = depth;
      run.options.metadata = R"({"large":1})";
    });
  };
  const store::RunId child = below(root, 1);
  const store::RunId grandchild = below(child, 2);
  const auto shown = get("/api/v3/runs/" + child.text()).json();
  EXPECT_EQ(at(shown, "depth"), boost::json::value(1));
  EXPECT_EQ(text_at(shown, "relatedRuns.root.id"), root.text());
  EXPECT_EQ(text_at(shown, "relatedRuns.parent.id"), root.text());
  const auto children = at(shown, "relatedRuns.children");
  ASSERT_EQ(children.as_array().size(), 1u);
  EXPECT_EQ(text_at(children.at(0), "id"), grandchild.text());
  EXPECT_EQ(text_at(children.at(0), "triggerFunction"), "trigger");
  EXPECT_EQ(at(children.at(0), "depth"), boost::json::value(2));
  EXPECT_TRUE(at(children.at(0), "metadata").is_null()) << "is in its own document";
  EXPECT_EQ(text_at(get("/perdure/v1/runs/" + grandchild.text()).json(), "parentRunId"), child.text());
  EXPECT_EQ(text_at(get("/perdure/v1/runs/" + grandchild.text()).json(), "rootRunId"), root.text());
}

TEST_F(Live, AllChildrenComeInPages) {
  const store::RunId parent = engine->make_run();
  for (int i = 0; i < 5; ++i) (void)engine->make_run("echo", [&](store::NewRun& run) { run.parent = parent; });
  const std::string path = "/perdure/v1/runs/" + parent.text() + "/children";
  std::vector<std::string> ids;
  std::string after;
  for (int page = 0; page < 3; ++page) {
    const auto shown = get(path + "?limit=2" + after).json();
    for (const auto& child : shown.at("data").as_array()) ids.push_back(text_at(child, "id"));
    after = "&after=" + text_at(shown, "pagination.next");
  }
  EXPECT_EQ(after, "&after=(no text)");
  EXPECT_EQ(ids.size(), 5u);
  EXPECT_TRUE(std::ranges::is_sorted(ids));
  EXPECT_EQ(get(path + "?after=x").status, 400);
  EXPECT_EQ(get("/perdure/v1/runs/nonsense/children").status, 404);
}

TEST_F(Live, ATriggerMayNameItsParent) {
  const store::RunId parent = engine->make_run();
  ASSERT_EQ(trigger(R"({"payload":1,"options":{"parentRunId":")" + parent.text() + "\"}}").status, 200);
  EXPECT_EQ(engine->last_trigger().parent, parent);
  EXPECT_EQ(trigger(R"({"payload":1,"options":{"parentRunId":"run_1"}})").status, 422);
}

// ---- Streams --------------------------------------------------------------------------------------------------------

TEST_F(Live, StreamsAreListedAndReadInPages) {
  const store::RunId id = engine->make_run();
  for (const char* chunk : {"one", "two\n", "three"}) engine->append(id, "a/b", chunk);
  engine->append(id, "other", "x");
  const auto streams = get("/perdure/v1/runs/" + id.text() + "/streams").json().at("data");
  ASSERT_EQ(streams.as_array().size(), 2u);
  EXPECT_EQ(text_at(streams.at(0), "name"), "a/b");
  EXPECT_EQ(at(streams.at(0), "chunks"), boost::json::value(3));
  const auto first = get(stream(id, "a%2Fb?limit=2")).json();
  ASSERT_EQ(first.at("data").as_array().size(), 2u);
  EXPECT_EQ(text_at(first.at("data").at(1), "text"), "two\n");
  EXPECT_EQ(at(first, "pagination.next"), boost::json::value(2));
  const auto second = get(stream(id, "a%2Fb?after=2")).json();
  EXPECT_EQ(text_at(second.at("data").at(0), "text"), "three");
  EXPECT_TRUE(at(second, "pagination.next").is_null());
  EXPECT_EQ(get(stream(id, "nothing")).json().at("data").as_array().size(), 0u);
  EXPECT_EQ(get(stream(store::new_run_id(store::Time{}), "a")).status, 404);
  EXPECT_EQ(get(stream(id, std::string(129, 'n'))).status, 404);
  for (const std::string query : {"?limit=0", "?after=-1", "?follow=maybe"}) {
    EXPECT_EQ(get(stream(id, "a" + query)).status, 400) << query;
  }
}

TEST_F(Live, AStreamIsFollowedToTheEndOfItsRun) {
  const store::RunId id = engine->make_run();
  engine->append(id, "s", "early");
  HttpConnection connection(server->port());
  connection.send(request_text("GET", stream(id, "s?follow=1")));
  EXPECT_NE(connection.read_until("early\"}\n").find("application/x-ndjson"), std::string::npos);
  engine->append(id, "s", "late");
  EXPECT_NE(connection.read_until("late\"}\n"), "");
  const store::Claim claim = engine->claim();
  engine->append(id, "s", "last");
  engine->succeed(claim, "1");
  EXPECT_NE(connection.read_until("last\"}\n"), "");
  connection.read_until("0\r\n\r\n");
  engine->await_watchers(0);
}

TEST_F(Live, AStreamIsReplayedFromItsStartOrAfterASequence) {
  const store::RunId id = engine->make_run();
  for (int i = 0; i < 2500; ++i) engine->append(id, "s", "chunk " + std::to_string(i));
  engine->succeed(engine->claim(), "1");
  const Answer whole = get(stream(id, "s?follow=1"));
  EXPECT_EQ(std::count(whole.body.begin(), whole.body.end(), '\n'), 2500);
  const Answer events = get(stream(id, "s?follow=1&after=2499"), "accept: text/event-stream\r\n");
  EXPECT_TRUE(events.body.starts_with("id: 2500\ndata: {\"sequence\":2500,")) << events.body;
  EXPECT_TRUE(events.body.ends_with("event: end\ndata: {}\n\n")) << events.body;
}

TEST_F(Live, AStreamInThePublicFormHasTheTextAsItsData) {
  const store::RunId id = engine->make_run();
  for (const char* chunk : {"{\"k\":1}", "two\nlines\r\n", "three"}) engine->append(id, "s", chunk);
  engine->succeed(engine->claim(), "1");
  const std::string path = "/realtime/v1/streams/" + id.text() + "/s";
  const Answer answer = get(path);
  EXPECT_EQ(answer.header("content-type"), "text/event-stream");
  EXPECT_NE(answer.body.find("-1\ndata: {\"k\":1}\n\n"), std::string::npos) << answer.body;
  EXPECT_NE(answer.body.find("-2\ndata: two\ndata: lines\ndata: \n\n"), std::string::npos) << answer.body;
  const Answer rest = get(path, "last-event-id: 1700000000000-2\r\n");
  EXPECT_EQ(rest.body.find("two"), std::string::npos);
  EXPECT_NE(rest.body.find("-3\ndata: three\n\n"), std::string::npos) << rest.body;
  EXPECT_EQ(get("/realtime/v1/streams/nonsense/s").status, 404);
  const Answer keyless = ask("GET " + path + " HTTP/1.1\r\nhost: localhost\r\n\r\n");
  EXPECT_EQ(keyless.status, 401);
}

TEST_F(Live, AStreamWaitsForASlowReaderAndEndsWhenItGoes) {
  const store::RunId id = engine->make_run();
  const std::string chunk(100'000, 'x');
  for (int i = 0; i < 200; ++i) engine->append(id, "s", chunk);
  {
    HttpConnection slow(server->port(), 64 << 10);
    slow.send(request_text("GET", stream(id, "s?follow=1")));
    EXPECT_NE(slow.read_until("\r\n\r\n"), "");
    EXPECT_EQ(get("/healthz").status, 200);
    EXPECT_NE(slow.read_until("\"sequence\":200,"), "");
    engine->await_watchers(1);
  }
  engine->await_watchers(0);
}

// ---- Usage ----------------------------------------------------------------------------------------------------------

TEST_F(Live, AnExecutingAttemptShowsWhatItHasUsedSoFar) {
  const store::RunId id = engine->make_run();
  const store::Claim claim = engine->claim();
  engine->store().set_attempt_pid(id, claim.attempt.number, getpid());
  const auto run = get("/perdure/v1/runs/" + id.text()).json();
  const auto attempt = run.at("attempts").at(0);
  EXPECT_GT(at(attempt, "peakMemory").to_number<std::uint64_t>(), 1u << 20);
  EXPECT_GE(at(attempt, "cpuMs").to_number<double>(), 0);
  EXPECT_GE(at(attempt, "durationMs").to_number<std::int64_t>(), 0);
}

}  // namespace
}  // namespace perdure::api
