// Who may ask: keys, host names, origins; and what is refused by the head of a request alone.
#include "tests/api/api_test.h"

namespace perdure::api {
namespace {

using Guarded = ApiTest;

std::string with(const std::string& target, const std::string& headers) {
  return "GET " + target + " HTTP/1.1\r\n" + headers + "\r\n";
}
const std::string kBearer = "authorization: Bearer " + std::string(kTestKey) + "\r\n";

TEST_F(Guarded, RoutesNeedTheKey) {
  const std::string host = "host: 127.0.0.1\r\n";
  for (const std::string target : {"/api/v1/runs", "/perdure/v1/status", "/perdure/v1/nothing", "/api"}) {
    for (const std::string& headers :
         {std::string(), "authorization: Bearer wrong\r\n" + std::string(), "authorization: Bearer\r\n" + std::string(),
          "authorization: Basic " + std::string(kTestKey) + "\r\n",
          "authorization: Bearer " + std::string(kTestKey) + "x\r\n",
          "authorization: " + std::string(kTestKey) + "\r\n"}) {
      const Answer answer = ask(with(target, host + headers));
      EXPECT_EQ(answer.status, 401) << target << " " << headers;
      EXPECT_FALSE(answer.error().empty());
      EXPECT_EQ(answer.header("x-should-retry"), "false");
    }
  }
  EXPECT_EQ(ask(with("/api/v1/runs", host + "AUTHORIZATION: bearer " + std::string(kTestKey) + "\r\n")).status, 200);
}

TEST_F(Guarded, TriggerWithoutKeyStoresNothing) {
  const Answer answer =
      ask("POST /api/v1/tasks/echo/trigger HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
          "content-length: 2\r\n\r\n{}");
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(stored_runs(), 0u);
}

TEST_F(Guarded, HostMustBeALoopbackNameOrAnAddress) {
  for (const std::string host : {"127.0.0.1", "localhost:3030", "LOCALHOST", "[::1]:80", "app.localhost", "127.9.9.9",
                                 "192.168.1.7:3030", "localhost."}) {
    EXPECT_EQ(ask(with("/healthz", "host: " + host + "\r\n")).status, 200) << host;
  }
  for (const std::string host :
       {"evil.example", "evil.example:3030", "127.0.0.1.evil.example", "notlocalhost", "localhost.evil.example"}) {
    EXPECT_EQ(ask(with("/healthz", "host: " + host + "\r\n")).status, 403) << host;
  }
  for (const std::string host : {"", "a b", "localhost:x", "[::1", "user@localhost", "localhost/x"}) {
    EXPECT_EQ(ask(with("/healthz", "host: " + host + "\r\n")).status, 400) << host;
  }
}

TEST_F(Guarded, HostMayBeAConfiguredName) {
  ApiOptions options;
  options.host_names = {"Perdure.Example"};
  start(std::move(options));
  EXPECT_EQ(ask(with("/healthz", "host: perdure.example:443\r\n")).status, 200);
  EXPECT_EQ(ask(with("/healthz", "host: other.example\r\n")).status, 403);
  EXPECT_EQ(ask(with("/healthz", "host: perdure.example\r\norigin: https://perdure.example\r\n")).status, 200);
}

TEST_F(Guarded, PagesOfOtherOriginsAreRefused) {
  const auto status = [this](const std::string& origin) {
    return ask(with("/perdure/v1/status", "host: 127.0.0.1:3030\r\n" + kBearer + "origin: " + origin + "\r\n")).status;
  };
  EXPECT_EQ(status("http://127.0.0.1:3030"), 200);
  EXPECT_EQ(status("http://localhost:5173"), 200);
  for (const std::string origin : {"https://evil.example", "null", "", "http://10.0.0.1",
                                   "http://localhost.evil.example", "http://evil.example:3030", "127.0.0.1:3030"}) {
    EXPECT_EQ(status(origin), 403) << origin;
  }
}

TEST_F(Guarded, UnknownPathsAre404AndWrongMethods405) {
  const Answer lost = get("/api/v9/<nothing>?x=1");
  EXPECT_EQ(lost.status, 404);
  EXPECT_EQ(lost.error(), "there is nothing at /api/v9/<nothing>");
  EXPECT_EQ(ask(with("/", "host: localhost\r\n")).status, 404);
  EXPECT_EQ(get("/api/v1/tasks//trigger").status, 404);
  const Answer wrong = get("/api/v1/tasks/echo/trigger");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.header("allow"), "POST");
  EXPECT_EQ(post("/api/v1/runs").header("allow"), "GET, HEAD");
  EXPECT_EQ(ask(request_text("BREW", "/healthz")).status, 405);
}

TEST_F(Guarded, OptionsOfNoPageAreAMethodLikeOthersAndSayNothingOfPages) {
  HttpConnection connection(server->port());
  connection.send(request_text("OPTIONS", "/api/v1/runs") + request_text("OPTIONS", "/nothing"));
  const Answer wrong = connection.read();
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.header("allow"), "GET, HEAD");
  EXPECT_EQ(wrong.header("access-control-allow-origin"), "");
  EXPECT_EQ(connection.read().status, 404);
}

TEST_F(Guarded, HeadIsAnsweredLikeGetWithoutTheBody) {
  HttpConnection connection(server->port());
  connection.send(request_text("HEAD", "/healthz") + request_text("GET", "/healthz"));
  const Answer head = connection.read(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("content-length"), "15");
  EXPECT_EQ(connection.read().body, R"({"status":"ok"})");
}

TEST_F(Guarded, AnswersCarryARequestId) {
  const Answer first = get("/healthz");
  const Answer second = get("/healthz");
  EXPECT_TRUE(first.header("x-request-id").starts_with("req_"));
  EXPECT_NE(first.header("x-request-id"), second.header("x-request-id"));
  EXPECT_EQ(get("/healthz", "x-request-id: mine-1.2_3\r\n").header("x-request-id"), "mine-1.2_3");
  EXPECT_TRUE(get("/healthz", "x-request-id: no\"t mine\r\n").header("x-request-id").starts_with("req_"));
}

}  // namespace
}  // namespace perdure::api
