// gzip, both ways: answers for who takes it, bodies of who sends it, and bodies that are small only until they are
// decompressed.
#include "host/api/gzip.h"

#include <optional>

#include "tests/api/api_test.h"

namespace perdure::api {
namespace {

using Gzip = ApiTest;

std::string zipped(std::string_view text) {
  GzipWriter writer;
  std::optional<std::string> made = writer.compress(text);
  return made ? *made : "(no shorter)";
}

std::string unzipped(const std::string& bytes) {
  GzipReader reader;
  std::string text;
  const auto outcome = reader.feed(bytes, text, 64u << 20);
  return outcome == GzipReader::Outcome::kGood && reader.complete() ? text : "(no gzip)";
}

// A trigger's body of some size, whose payload is this many x.
std::string body_of(std::size_t size) {
  return R"({"payload":")" + std::string(size, 'x') + R"(","options":{"payloadType":"text/plain"}})";
}

class GzipAnswer : public ApiTest {
 protected:
  store::RunId run_with_payload(std::size_t size) const {
    return engine->make_run("echo", [&](store::NewRun& run) { run.payload = "\"" + std::string(size, 'x') + "\""; });
  }
  [[nodiscard]] Answer get_run(const store::RunId& id, const std::string& accept) const {
    return get("/api/v3/runs/" + id.text(), accept.empty() ? "" : "accept-encoding: " + accept + "\r\n");
  }
};

TEST_F(GzipAnswer, IsForWhoTakesItAndSaysSo) {
  const store::RunId id = run_with_payload(5000);
  const Answer plain = get_run(id, "");
  EXPECT_EQ(plain.header("content-encoding"), "");
  EXPECT_EQ(plain.header("vary"), "accept-encoding");
  for (const std::string accept : {"gzip", "gzip, deflate", "br;q=1.0, GZIP;q=0.5", "x-gzip", "*", "identity, *;q=0.1",
                                   "gzip;q=0.001", "deflate , gzip ; q=1"}) {
    const Answer answer = get_run(id, accept);
    EXPECT_EQ(answer.header("content-encoding"), "gzip") << accept;
    EXPECT_EQ(answer.header("vary"), "accept-encoding");
    EXPECT_EQ(answer.header("content-type"), "application/json");
    EXPECT_LT(answer.body.size(), plain.body.size() / 2);
    EXPECT_EQ(unzipped(answer.body), plain.body) << accept;
  }
  for (const std::string accept :
       {"deflate", "br", "identity", "gzip;q=0", "gzip; q=0.000", "gzip;q=0, *", "gzipped", "*;q=0", ",", ";"}) {
    EXPECT_EQ(get_run(id, accept).body, plain.body) << accept;
  }
}

TEST_F(GzipAnswer, IsNotMadeOfWhatIsShort) {
  const Answer answer = get("/healthz", "accept-encoding: gzip\r\n");
  EXPECT_EQ(answer.header("content-encoding"), "");
  EXPECT_EQ(answer.header("vary"), "");
  EXPECT_EQ(trigger("{}", "accept-encoding: gzip\r\n").header("content-encoding"), "");
}

TEST_F(GzipAnswer, IsNotMadeOfWhatItDoesNotMakeShorter) {
  std::string noise;
  std::uint32_t state = 1;
  while (noise.size() < 40'000) {
    state = state * 1664525 + 1013904223;
    noise += static_cast<char>(state >> 24);
  }
  EXPECT_EQ(zipped(noise), "(no shorter)");
}

TEST_F(GzipAnswer, OfAHeadRequestHasTheSameHeaders) {
  const store::RunId id = run_with_payload(5000);
  const Answer whole = get_run(id, "gzip");
  HttpConnection connection(server->port());
  connection.send(request_text("HEAD", "/api/v3/runs/" + id.text(), {}, "accept-encoding: gzip\r\n") +
                  request_text("GET", "/healthz"));
  const Answer head = connection.read(true);
  EXPECT_EQ(head.header("content-encoding"), "gzip");
  EXPECT_EQ(head.header("content-length"), whole.header("content-length"));
  EXPECT_EQ(connection.read().body, R"({"status":"ok"})");
}

TEST_F(GzipAnswer, IsNotMadeOfAStreamWhichIsToBeReadAsItComes) {
  const store::RunId id = engine->make_run();
  engine->append(id, "s", std::string(5000, 'x'));
  HttpConnection connection(server->port());
  connection.send(
      request_text("GET", "/perdure/v1/runs/" + id.text() + "/streams/s?follow=1", {}, "accept-encoding: gzip\r\n"));
  const std::string begun = connection.read_until("xxx\"}\n");
  EXPECT_NE(begun.find("transfer-encoding: chunked"), std::string::npos);
  EXPECT_EQ(begun.find("content-encoding"), std::string::npos);
}

TEST_F(Gzip, BodyIsTakenWholeInPiecesAndInSeveralMembers) {
  const std::string body = body_of(100'000);
  const std::string gzip = "content-encoding: gzip\r\n";
  ASSERT_EQ(trigger(zipped(body), gzip).status, 200);
  EXPECT_EQ(engine->last_trigger().payload.size(), 100'002u);
  EXPECT_EQ(
      trigger(zipped(body.substr(0, 50'000)) + zipped(body.substr(50'000)), "content-encoding: X-GZIP\r\n").status,
      200);
  EXPECT_EQ(engine->last_trigger().payload.size(), 100'002u);
  HttpConnection connection(server->port());
  for (const char c : request_text("POST", "/api/v1/tasks/echo/trigger", zipped(body), gzip)) connection.send({&c, 1});
  EXPECT_EQ(connection.read().status, 200);
  std::string chunked = request_text("POST", "/api/v1/tasks/echo/trigger", {}, gzip + "transfer-encoding: chunked\r\n");
  for (const char c : zipped(body)) chunked += std::string("1\r\n") + c + "\r\n";
  connection.send(chunked + "0\r\n\r\n");
  EXPECT_EQ(connection.read().status, 200);
  EXPECT_EQ(engine->last_trigger().payload.size(), 100'002u);
  EXPECT_EQ(trigger("{}", "content-encoding: identity\r\n").status, 200);
}

TEST_F(Gzip, BodyIsBoundByWhatItIsDecompressed) {
  Limits limits;
  limits.body = 100'000;
  start(limits);
  const std::string gzip = "content-encoding: gzip\r\n";
  const std::string fits = body_of(100'000 - body_of(0).size());
  ASSERT_EQ(fits.size(), 100'000u);
  EXPECT_EQ(trigger(zipped(fits), gzip).status, 200);
  EXPECT_EQ(trigger(zipped(fits + " "), gzip).status, 413);
  const std::string bomb = zipped(std::string(60u << 20, ' '));
  ASSERT_LT(bomb.size(), 600'000u);
  const Answer answer = trigger(bomb, gzip);
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.header("connection"), "close");
  std::string members;
  for (int i = 0; i < 3000; ++i) members += zipped(std::string(1000, ' '));
  EXPECT_EQ(trigger(members, gzip).status, 413);
  EXPECT_EQ(stored_runs(), 1u);
}

TEST_F(Gzip, BodyThatIsNoneIsRefused) {
  const std::string gzip = "content-encoding: gzip\r\n";
  const std::string whole = zipped(body_of(2000));
  std::string wrong_sum = whole;
  wrong_sum[whole.size() - 6] ^= 1;
  for (const std::string& body : {std::string("{}"), whole.substr(0, whole.size() - 1), whole.substr(0, 5),
                                  whole + "more", wrong_sum, std::string("\x1f\x8b", 2)}) {
    const Answer answer = trigger(body, gzip);
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.header("connection"), "close");
    EXPECT_NE(answer.error().find("gzip"), std::string::npos) << answer.error();
  }
  EXPECT_EQ(stored_runs(), 0u);
}

TEST_F(Gzip, OtherCodingsAreRefusedAndTheConnectionGoesOn) {
  HttpConnection connection(server->port());
  for (const std::string coding : {"deflate", "br", "gzip, gzip", "zstd", "gzip, br", "chunked"}) {
    connection.send(request_text("POST", "/api/v1/tasks/echo/trigger", "{}", "content-encoding: " + coding + "\r\n"));
    const Answer answer = connection.read();
    EXPECT_EQ(answer.status, 415) << coding;
    EXPECT_EQ(answer.header("accept-encoding"), "gzip") << coding;
  }
  connection.send(request_text("POST", "/api/v1/tasks/echo/trigger", zipped(body_of(2000)),
                               "content-encoding: gzip\r\ncontent-encoding: gzip\r\n"));
  EXPECT_EQ(connection.read().status, 415);
  EXPECT_EQ(stored_runs(), 0u);
}

TEST_F(Gzip, IsNotDecompressedForWhoHasNoKey) {
  const std::string body = zipped(body_of(2000));
  EXPECT_EQ(ask("PUT /packets/packet_x?signature=1 HTTP/1.1\r\nhost: localhost\r\ncontent-encoding: gzip\r\n"
                "content-length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body)
                .status,
            415);
}

}  // namespace
}  // namespace perdure::api
