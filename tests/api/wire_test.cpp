// HTTP/1.1 on the wire: keep-alive, pipelining, chunked bodies, limits, slow and hostile clients.
#include "tests/api/api_test.h"

namespace perdure::api {
namespace {

using Wire = ApiTest;

const std::string kTarget = "/api/v1/tasks/echo/trigger";
const std::string kHost = "host: 127.0.0.1\r\n";
const std::string kAuth = "authorization: Bearer " + std::string(kTestKey) + "\r\n";

// A trigger whose body comes in these chunks.
std::string chunked(const std::vector<std::string>& chunks, const std::string& trailer = {}) {
  std::string text =
      request_text("POST", kTarget, {}, "transfer-encoding: chunked\r\ncontent-type: application/json\r\n");
  for (const std::string& chunk : chunks) {
    char size[20];
    std::snprintf(size, sizeof size, "%zx", chunk.size());
    text += std::string(size) + "\r\n" + chunk + "\r\n";
  }
  return text + "0\r\n" + trailer + "\r\n";
}

TEST_F(Wire, ConnectionServesManyRequests) {
  HttpConnection connection(server->port());
  for (int i = 0; i < 20; ++i) {
    connection.send(request_text("POST", kTarget, R"({"payload":1})"));
    EXPECT_EQ(connection.read().status, 200);
  }
  EXPECT_EQ(stored_runs(), 20u);
}

TEST_F(Wire, PipelinedTriggersAreWorkedOnSideBySide) {
  engine->disk.hold();
  HttpConnection connection(server->port());
  for (int i = 0; i < 16; ++i) {
    connection.send(request_text("POST", kTarget, R"({"payload":)" + std::to_string(i) + "}"));
  }
  engine->disk.await_waiting(16);  // all of them wait for the same sync
  engine->disk.release();
  for (int i = 0; i < 16; ++i) {
    const store::RunId id(text_at(connection.read().json(), "id"));
    EXPECT_EQ(engine->store().payload(id).value(), std::to_string(i));
  }
}

TEST_F(Wire, PipelinedAnswersKeepTheOrderOfTheirRequests) {
  engine->disk.hold();
  HttpConnection connection(server->port());
  connection.send(request_text("POST", kTarget, "{}") + request_text("GET", "/healthz") +
                  request_text("GET", "/nothing") + request_text("POST", kTarget, "[]"));
  engine->disk.await_waiting(1);
  engine->disk.release();
  EXPECT_NE(connection.read().body.find("run_"), std::string::npos);
  EXPECT_EQ(connection.read().body, R"({"status":"ok"})");
  EXPECT_EQ(connection.read().status, 404);
  EXPECT_EQ(connection.read().status, 400);
}

TEST_F(Wire, MoreRequestsThanTheLimitArePipelinedAllTheSame) {
  Limits limits;
  limits.pipelined = 3;
  start(limits);
  HttpConnection connection(server->port());
  std::string all;
  for (int i = 0; i < 200; ++i) all += request_text("POST", kTarget, R"({"payload":)" + std::to_string(i) + "}");
  connection.send(all);
  for (int i = 0; i < 200; ++i) {
    const store::RunId id(text_at(connection.read().json(), "id"));
    EXPECT_EQ(engine->store().payload(id).value(), std::to_string(i));
  }
}

TEST_F(Wire, RequestMayArriveByteByByte) {
  HttpConnection connection(server->port());
  for (const char c : request_text("POST", kTarget, R"({"payload":"\"slow\""})")) connection.send({&c, 1});
  EXPECT_EQ(connection.read().status, 200);
  EXPECT_EQ(engine->last_trigger().payload, "\"slow\"");
}

TEST_F(Wire, ChunkedBodiesAreTaken) {
  HttpConnection connection(server->port());
  connection.send(chunked({"{\"pay", "load\"", ":[1,", "2]}"}, "x-trailer: ignored\r\nhost: evil\r\n"));
  EXPECT_EQ(connection.read().status, 200);
  EXPECT_EQ(engine->last_trigger().payload, "[1,2]");
  for (const char c : chunked({"{\"payload\"", ":3}"})) connection.send({&c, 1});
  EXPECT_EQ(connection.read().status, 200);
  EXPECT_EQ(engine->last_trigger().payload, "3");
}

TEST_F(Wire, LargeBodiesAreTakenUpToTheLimit) {
  const std::string payload(2u << 20, 'x');
  const std::string body = R"({"payload":")" + payload + R"(","options":{"payloadType":"text/plain"}})";
  EXPECT_EQ(trigger(body).status, 200);
  EXPECT_EQ(engine->last_trigger().payload.size(), payload.size() + 2);
  EXPECT_EQ(ask(chunked({body})).status, 200);
  Limits limits;
  limits.body = 1000;
  start(limits);
  EXPECT_EQ(trigger(body).status, 413);
  EXPECT_EQ(ask(chunked({std::string(600, ' '), std::string(600, ' ')})).status, 413);
  EXPECT_EQ(stored_runs(), 2u);
}

TEST_F(Wire, RefusedLargeUploadGetsItsAnswerThoughItIsStillSending) {
  const Answer answer = post("/api/v1/nothing", std::string(6u << 20, ' '));
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.header("connection"), "close");
}

TEST_F(Wire, RefusedSmallBodyLeavesTheConnectionUsable) {
  HttpConnection connection(server->port());
  connection.send(request_text("POST", "/api/v1/nothing", "{\"payload\":1}"));
  EXPECT_EQ(connection.read().status, 404);
  connection.send(request_text("GET", "/healthz"));
  EXPECT_EQ(connection.read().status, 200);
}

TEST_F(Wire, ContinueIsSaidToWhoWaitsForIt) {
  HttpConnection connection(server->port());
  const std::string body = R"({"payload":1})";
  const std::string text = request_text("POST", kTarget, body, "expect: 100-continue\r\n");
  connection.send(text.substr(0, text.size() - body.size()));
  EXPECT_EQ(connection.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  connection.send(body);
  EXPECT_EQ(connection.read().status, 200);
}

TEST_F(Wire, ContinueIsNotSaidToWhoIsRefused) {
  HttpConnection connection(server->port());
  connection.send("POST " + kTarget + " HTTP/1.1\r\n" + kHost + "expect: 100-continue\r\ncontent-length: 100\r\n\r\n");
  EXPECT_EQ(connection.read().status, 401);
  EXPECT_TRUE(connection.closed());
  EXPECT_EQ(post(kTarget, "{}", "expect: the-unexpected\r\n").status, 417);
}

TEST_F(Wire, ConnectionClosesWhenAskedTo) {
  HttpConnection connection(server->port());
  connection.send(request_text("GET", "/healthz", {}, "connection: close\r\n") + request_text("POST", kTarget, "{}"));
  const Answer answer = connection.read();
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_TRUE(connection.closed());
  EXPECT_EQ(stored_runs(), 0u);  // what came after "close" is not looked at
}

TEST_F(Wire, Http10IsAnsweredAndClosed) {
  HttpConnection connection(server->port());
  connection.send("GET /healthz HTTP/1.0\r\n\r\n");
  EXPECT_EQ(connection.read().status, 200);
  EXPECT_TRUE(connection.closed());
}

TEST_F(Wire, HalfClosedClientGetsItsAnswer) {
  engine->disk.hold();
  HttpConnection connection(server->port());
  connection.send(request_text("POST", kTarget, "{}"));
  connection.half_close();
  engine->disk.await_waiting(1);
  engine->disk.release();
  EXPECT_EQ(connection.read().status, 200);
  EXPECT_TRUE(connection.closed());
}

TEST_F(Wire, TriggerOfAClientThatIsGoneIsStoredAllTheSame) {
  engine->disk.hold();
  {
    HttpConnection connection(server->port());
    connection.send(request_text("POST", kTarget, "{}"));
    engine->disk.await_waiting(1);
  }
  engine->disk.release();
  EXPECT_EQ(get("/healthz").status, 200);
  EXPECT_EQ(stored_runs(), 1u);
}

struct Hostile {
  const char* what;
  std::string text;
  int status;
};

TEST_F(Wire, HostileRequestsAreRefusedAndStoreNothing) {
  const std::string line = "POST " + kTarget + " HTTP/1.1\r\n";
  const std::string json = "content-type: application/json\r\n";
  const std::string body = "{}";
  const std::string chunk = "2\r\n{}\r\n0\r\n\r\n";
  const std::vector<Hostile> requests{
      {"no Host", line + kAuth + json + "content-length: 2\r\n\r\n" + body, 400},
      {"two Hosts", line + kHost + kHost + kAuth + json + "content-length: 2\r\n\r\n" + body, 400},
      {"two keys", line + kHost + kAuth + kAuth + json + "content-length: 2\r\n\r\n" + body, 400},
      {"length and chunked",
       line + kHost + kAuth + json + "content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n" + chunk, 400},
      {"chunked and length",
       line + kHost + kAuth + json + "transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n" + chunk, 400},
      {"two lengths", line + kHost + kAuth + json + "content-length: 2\r\ncontent-length: 3\r\n\r\n" + body, 400},
      {"the same length twice", line + kHost + kAuth + json + "content-length: 2\r\ncontent-length: 2\r\n\r\n" + body,
       400},
      {"an empty length", line + kHost + kAuth + json + "content-length: \r\n\r\n" + body, 400},
      {"a length in hexadecimal", line + kHost + kAuth + json + "content-length: 0x2\r\n\r\n" + body, 400},
      {"a length with a separator", line + kHost + kAuth + json + "content-length: 1_0\r\n\r\n" + body, 400},
      {"a list of lengths", line + kHost + kAuth + json + "content-length: 2, 3\r\n\r\n" + body, 400},
      {"a signed length", line + kHost + kAuth + json + "content-length: +2\r\n\r\n" + body, 400},
      {"a negative length", line + kHost + kAuth + json + "content-length: -2\r\n\r\n" + body, 400},
      {"a huge length", line + kHost + kAuth + json + "content-length: 99999999999999999999999\r\n\r\n" + body, 400},
      {"an almost chunked coding", line + kHost + kAuth + json + "transfer-encoding: xchunked\r\n\r\n" + chunk, 501},
      {"chunked, identity", line + kHost + kAuth + json + "transfer-encoding: chunked, identity\r\n\r\n" + chunk, 501},
      {"gzip, chunked", line + kHost + kAuth + json + "transfer-encoding: gzip, chunked\r\n\r\n" + chunk, 501},
      {"identity", line + kHost + kAuth + json + "transfer-encoding: identity\r\ncontent-length: 2\r\n\r\n" + body,
       501},
      {"two codings",
       line + kHost + kAuth + json + "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n" + chunk, 400},
      {"a coding after a vertical tab", line + kHost + kAuth + json + "transfer-encoding: \vchunked\r\n\r\n" + chunk,
       400},
      {"a coding in quotes", line + kHost + kAuth + json + "transfer-encoding: \"chunked\"\r\n\r\n" + chunk, 501},
      {"a blank before the coding's colon", line + kHost + kAuth + json + "transfer-encoding : chunked\r\n\r\n" + chunk,
       400},
      {"a chunked HTTP/1.0",
       "POST " + kTarget + " HTTP/1.0\r\n" + kAuth + json + "transfer-encoding: chunked\r\n\r\n" + chunk, 400},
      {"a folded header", line + kHost + kAuth + json + "x: a\r\n b\r\ncontent-length: 2\r\n\r\n" + body, 400},
      {"a header folded by a tab", line + kHost + kAuth + json + "x: a\r\n\tb\r\ncontent-length: 2\r\n\r\n" + body,
       400},
      {"a blank before the colon", line + kHost + kAuth + json + "content-length : 2\r\n\r\n" + body, 400},
      {"a first header that is folded", line + " x: a\r\n" + kHost + kAuth + json + "content-length: 2\r\n\r\n" + body,
       400},
      {"a header without a name", line + kHost + kAuth + json + ": a\r\ncontent-length: 2\r\n\r\n" + body, 400},
      {"a header without a colon", line + kHost + kAuth + json + "x\r\ncontent-length: 2\r\n\r\n" + body, 400},
      {"a bare carriage return", line + kHost + kAuth + json + "x: a\rcontent-length: 2\r\n\r\n" + body, 400},
      {"a bare line feed", line + kHost + kAuth + json + "x: a\ncontent-length: 2\r\n\r\n" + body, 400},
      {"a NUL in a header",
       line + kHost + kAuth + json + std::string("x: a\0b\r\n", 8) + "content-length: 2\r\n\r\n" + body, 400},
      {"an absolute target",
       "POST http://127.0.0.1" + kTarget + " HTTP/1.1\r\n" + kHost + kAuth + json + "content-length: 2\r\n\r\n" + body,
       400},
      {"an authority target", "CONNECT 127.0.0.1:80 HTTP/1.1\r\n" + kHost + kAuth + "\r\n", 400},
      {"an asterisk target", "OPTIONS * HTTP/1.1\r\n" + kHost + kAuth + "\r\n", 400},
      {"a broken escape", "GET /api/v1/runs/%zz HTTP/1.1\r\n" + kHost + kAuth + "\r\n", 400},
      {"half an escape", "GET /api/v1/runs?x=%4 HTTP/1.1\r\n" + kHost + kAuth + "\r\n", 400},
      {"two blanks in the request line", "GET  /healthz HTTP/1.1\r\n" + kHost + "\r\n", 400},
      {"a blank before the request line's end", "GET /healthz HTTP/1.1 \r\n" + kHost + "\r\n", 505},
      {"a blank in the target", "GET /heal thz HTTP/1.1\r\n" + kHost + "\r\n", 505},
      {"a NUL in the target", std::string("GET /heal\0thz HTTP/1.1\r\n", 24) + kHost + "\r\n", 400},
      {"a tab for a blank", "GET\t/healthz\tHTTP/1.1\r\n" + kHost + "\r\n", 400},
      {"HTTP in small letters", "GET /healthz http/1.1\r\n" + kHost + "\r\n", 505},
      {"a method that is none", "G@T /healthz HTTP/1.1\r\n" + kHost + "\r\n", 400},
      {"HTTP/1.2", "GET /healthz HTTP/1.2\r\n" + kHost + "\r\n", 505},
      {"HTTP/2 in words", "GET /healthz HTTP/2.0\r\n" + kHost + "\r\n", 505},
      {"HTTP/0.9", "GET /healthz\r\n\r\n", 400},
      {"a TLS hello", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 15), 400},
      {"a chunk size that is none",
       line + kHost + kAuth + json + "transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", 400},
      {"a signed chunk size", line + kHost + kAuth + json + "transfer-encoding: chunked\r\n\r\n+2\r\n{}\r\n0\r\n\r\n",
       400},
      {"a chunk size in C's hexadecimal",
       line + kHost + kAuth + json + "transfer-encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n", 400},
      {"a chunk size without digits",
       line + kHost + kAuth + json + "transfer-encoding: chunked\r\n\r\n;x\r\n{}\r\n0\r\n\r\n", 400},
      {"a chunk's head that ends in a line feed",
       line + kHost + kAuth + json + "transfer-encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n", 400},
      {"a line feed in a chunk's extension",
       line + kHost + kAuth + json + "transfer-encoding: chunked\r\n\r\n2;a\nb\r\n{}\r\n0\r\n\r\n", 400},
      {"a chunk that ends in a line feed",
       line + kHost + kAuth + json + "transfer-encoding: chunked\r\n\r\n2\r\n{}\n0\r\n\r\n", 400},
      {"an endless chunk extension",
       line + kHost + kAuth + json + "transfer-encoding: chunked\r\n\r\n2;" + std::string(64u << 10, 'x'), 431},
      {"a huge chunk", line + kHost + kAuth + json + "transfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n", 413},
      {"a chunk longer than it says",
       line + kHost + kAuth + json + "transfer-encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n", 400},
      {"a head without end", line + kHost + "x: " + std::string(17u << 10, 'x'), 431},
      {"a head beyond the limit", line + kHost + kAuth + "x: " + std::string(17u << 10, 'x') + "\r\n\r\n", 431},
      {"a target beyond the limit", "GET /" + std::string(9000, 'x') + " HTTP/1.1\r\n" + kHost + "\r\n", 414},
  };
  for (const Hostile& hostile : requests) {
    HttpConnection connection(server->port());
    connection.send(hostile.text);
    const Answer answer = connection.read();
    EXPECT_EQ(answer.status, hostile.status) << hostile.what << ": " << answer.body;
    EXPECT_EQ(answer.header("connection"), "close") << hostile.what;
    EXPECT_FALSE(answer.error().empty()) << hostile.what;
    EXPECT_TRUE(connection.closed()) << hostile.what;
  }
  EXPECT_EQ(stored_runs(), 0u);
  EXPECT_EQ(get("/healthz").status, 200);
}

TEST_F(Wire, TooManyHeadersAreRefused) {
  std::string headers;
  for (int i = 0; i < 200; ++i) headers += "x-" + std::to_string(i) + ": 1\r\n";
  EXPECT_EQ(get("/healthz", headers).status, 431);
}

TEST_F(Wire, EndlessTrailerIsRefused) {
  HttpConnection connection(server->port());
  connection.send(request_text("POST", kTarget, {}, "transfer-encoding: chunked\r\n") +
                  "0\r\nx: " + std::string(64u << 10, 'x'));
  EXPECT_EQ(connection.read().status, 431);
  EXPECT_EQ(stored_runs(), 0u);
}

TEST_F(Wire, StrayLineEndsBetweenRequestsAreIgnored) {
  HttpConnection connection(server->port());
  connection.send("\r\n\r\n" + request_text("GET", "/healthz") + "\r\n" + request_text("GET", "/healthz"));
  EXPECT_EQ(connection.read().status, 200);
  EXPECT_EQ(connection.read().status, 200);
}

TEST_F(Wire, SlowHeadIsGivenUp) {
  Limits limits;
  limits.head_time = std::chrono::milliseconds(50);
  start(limits);
  HttpConnection connection(server->port());
  connection.send("GET /healthz HTTP/1.1\r\nhost: ");
  EXPECT_EQ(connection.read().status, 408);
  EXPECT_TRUE(connection.closed());
}

TEST_F(Wire, SlowBodyIsGivenUpAndStoresNothing) {
  Limits limits;
  limits.body_time = std::chrono::milliseconds(50);
  start(limits);
  HttpConnection connection(server->port());
  const std::string text = request_text("POST", kTarget, R"({"payload":1})");
  connection.send(text.substr(0, text.size() - 1));
  EXPECT_EQ(connection.read().status, 408);
  EXPECT_EQ(stored_runs(), 0u);
}

TEST_F(Wire, IdleConnectionIsClosed) {
  Limits limits;
  limits.idle_time = std::chrono::milliseconds(50);
  start(limits);
  HttpConnection used(server->port());
  used.send(request_text("GET", "/healthz"));
  EXPECT_EQ(used.read().status, 200);
  EXPECT_TRUE(used.closed());
  EXPECT_TRUE(HttpConnection(server->port()).closed());
}

TEST_F(Wire, ConnectionThatWaitsForTheHostIsNotIdle) {
  Limits limits;
  limits.idle_time = std::chrono::milliseconds(50);
  start(limits);
  engine->disk.hold();
  HttpConnection waiting(server->port());
  waiting.send(request_text("POST", kTarget, "{}"));
  EXPECT_TRUE(HttpConnection(server->port()).closed());  // opened later, and already closed for idling
  engine->disk.release();
  EXPECT_EQ(waiting.read().status, 200);
}

TEST_F(Wire, ClientThatDoesNotReadIsGivenUp) {
  const store::RunId id =
      engine->make_run("echo", [](store::NewRun& run) { run.payload = "\"" + std::string(8u << 20, 'x') + "\""; });
  Limits limits;
  limits.write_time = std::chrono::milliseconds(100);
  limits.connections = 1;
  start(limits);
  HttpConnection connection(server->port(), 4096);
  for (int i = 0; i < 8; ++i) connection.send(request_text("GET", "/api/v3/runs/" + id.text()));
  // Its place is free again once it has been given up.
  while (get("/healthz").status == 503) {
  }
  EXPECT_EQ(get("/healthz").status, 200);
}

TEST_F(Wire, ConnectionsBeyondTheLimitAreTurnedAway) {
  Limits limits;
  limits.connections = 2;
  start(limits);
  HttpConnection first(server->port());
  HttpConnection second(server->port());
  for (HttpConnection* connection : {&first, &second}) {
    connection->send(request_text("GET", "/healthz"));
    EXPECT_EQ(connection->read().status, 200);
  }
  HttpConnection third(server->port());
  const Answer answer = third.read();
  EXPECT_EQ(answer.status, 503);
  EXPECT_FALSE(answer.error().empty());
}

}  // namespace
}  // namespace perdure::api
