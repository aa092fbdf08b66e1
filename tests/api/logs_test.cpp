// GET /perdure/v1/runs/{id}/logs, as pages and as streams.
#include "tests/api/api_test.h"

namespace perdure::api {
namespace {

class Logs : public ApiTest {
 protected:
  [[nodiscard]] std::string path(const store::RunId& id, const std::string& query = {}) const {
    return "/perdure/v1/runs/" + id.text() + "/logs" + query;
  }
};

TEST_F(Logs, ComeInPages) {
  const store::RunId id = engine->make_run();
  for (const char* message : {"one", "two", "three"}) engine->log(id, message);
  const auto first = get(path(id, "?limit=2")).json();
  ASSERT_EQ(first.at("data").as_array().size(), 2u);
  EXPECT_EQ(text_at(first.at("data").at(0), "message"), "one");
  EXPECT_EQ(text_at(first.at("data").at(0), "level"), "info");
  EXPECT_EQ(text_at(first.at("data").at(0), "source"), "task");
  const auto next = at(first, "pagination.next").to_number<int>();
  const auto second = get(path(id, "?limit=2&after=" + std::to_string(next))).json();
  EXPECT_EQ(text_at(second.at("data").at(0), "message"), "three");
  EXPECT_TRUE(at(second, "pagination.next").is_null());
}

TEST_F(Logs, RefuseWrongParameters) {
  const store::RunId id = engine->make_run();
  for (const std::string query : {"?limit=0", "?limit=1001", "?after=-1", "?after=x", "?follow=maybe"}) {
    EXPECT_EQ(get(path(id, query)).status, 400) << query;
  }
}

TEST_F(Logs, ShowBrokenUtf8AsReplacementCharacters) {
  const store::RunId id = engine->make_run();
  engine->log(id, "a\xff\xc3z\x01\"");
  const Answer answer = get(path(id));
  EXPECT_EQ(text_at(answer.json().at("data").at(0), "message"), "a\xEF\xBF\xBD\xEF\xBF\xBDz\x01\"");
}

TEST_F(Logs, OfARunThatGoesOnAreStreamedToItsEnd) {
  const store::RunId id = engine->make_run();
  engine->log(id, "early");
  HttpConnection connection(server->port());
  connection.send(request_text("GET", path(id, "?follow=1")));
  EXPECT_NE(connection.read_until("early\"}\n").find("application/x-ndjson"), std::string::npos);
  engine->log(id, "late");
  EXPECT_NE(connection.read_until("late\"}\n"), "");
  const store::Claim claim = engine->claim();
  engine->log(id, "last");
  engine->succeed(claim, "1");
  EXPECT_NE(connection.read_until("last\"}\n"), "");
  connection.read_until("0\r\n\r\n");
  engine->await_watchers(0);
  // The connection serves on.
  connection.send(request_text("GET", "/healthz"));
  EXPECT_EQ(connection.read().status, 200);
}

TEST_F(Logs, OfARunThatHasEndedAreStreamedWhole) {
  const store::RunId id = engine->make_run();
  for (int i = 0; i < 2500; ++i) engine->log(id, "line " + std::to_string(i));
  engine->succeed(engine->claim(), "1");
  const Answer answer = get(path(id, "?follow=1&after=1"));
  EXPECT_EQ(std::count(answer.body.begin(), answer.body.end(), '\n'), 2499);
  EXPECT_NE(answer.body.find("line 2499\""), std::string::npos);
}

TEST_F(Logs, AreServerSentEventsForWhoAcceptsThem) {
  const store::RunId id = engine->make_run();
  engine->log(id, "hello");
  engine->succeed(engine->claim(), "1");
  const Answer answer = get(path(id, "?follow=1"), "accept: text/event-stream\r\n");
  EXPECT_EQ(answer.header("content-type"), "text/event-stream");
  EXPECT_TRUE(answer.body.starts_with("id: 1\ndata: {\"sequence\":1,")) << answer.body;
  EXPECT_TRUE(answer.body.ends_with("event: end\ndata: {}\n\n")) << answer.body;
}

TEST_F(Logs, StreamEndsWhenItsReaderGoes) {
  const store::RunId id = engine->make_run();
  {
    HttpConnection connection(server->port());
    connection.send(request_text("GET", path(id, "?follow=1")));
    engine->await_watchers(1);
  }
  engine->await_watchers(0);
}

TEST_F(Logs, StreamShowsSignsOfLife) {
  Limits limits;
  limits.stream_beat = std::chrono::milliseconds(20);
  start(limits);
  const store::RunId id = engine->make_run();
  HttpConnection connection(server->port());
  connection.send(request_text("GET", path(id, "?follow=1"), {}, "accept: text/event-stream\r\n"));
  EXPECT_NE(connection.read_until(": still here\n\n"), "");
  EXPECT_NE(connection.read_until(": still here\n\n"), "");
}

TEST_F(Logs, StreamWaitsForASlowReader) {
  const store::RunId id = engine->make_run();
  const std::string line(10'000, 'x');
  for (int i = 0; i < 1000; ++i) engine->log(id, line);
  engine->succeed(engine->claim(), "1");
  HttpConnection connection(server->port(), 64 << 10);
  connection.send(request_text("GET", path(id, "?follow=1")));
  EXPECT_NE(connection.read_until("\r\n\r\n"), "");
  // Others are served while this one does not read.
  EXPECT_EQ(get("/healthz").status, 200);
  EXPECT_NE(connection.read_until("\"sequence\":1000,"), "");
}

TEST_F(Logs, AreStreamedToHttp10UntilTheConnectionEnds) {
  const store::RunId id = engine->make_run();
  engine->log(id, "hello");
  engine->succeed(engine->claim(), "1");
  HttpConnection connection(server->port());
  connection.send("GET " + path(id, "?follow=1") + " HTTP/1.0\r\nauthorization: Bearer " + std::string(kTestKey) +
                  "\r\n\r\n");
  const std::string head = connection.read_until("\r\n\r\n");
  EXPECT_EQ(head.find("transfer-encoding"), std::string::npos);
  EXPECT_TRUE(connection.read_until("hello\"}\n").starts_with("{"));
  EXPECT_TRUE(connection.closed());
}

}  // namespace
}  // namespace perdure::api
