// How connections end: by the client's last request, by the server's being stopped, by a half that is closed. What has
// been asked for is answered, in order, and the last answer says that it is the last.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <thread>

#include "tests/api/api_test.h"

namespace perdure::api {
namespace {

const std::string kTarget = "/api/v1/tasks/echo/trigger";

class Ending : public ApiTest {
 protected:
  // A connection that is known to the server and idle: that it has closed tells that stopping has begun.
  [[nodiscard]] std::unique_ptr<HttpConnection> idle() const {
    auto connection = std::make_unique<HttpConnection>(server->port());
    connection->send(request_text("GET", "/healthz"));
    EXPECT_EQ(connection->read().status, 200);
    return connection;
  }
};

TEST_F(Ending, WhatWasAskedBeforeTheLastRequestIsAnsweredToo) {
  engine->disk.hold();
  HttpConnection connection(server->port());
  connection.send(request_text("POST", kTarget, "{}") + request_text("POST", kTarget, "{}") +
                  request_text("GET", "/healthz", {}, "connection: close\r\n"));
  engine->disk.await_waiting(2);
  engine->disk.release();
  for (const std::string close : {"", "", "close"}) {
    const Answer answer = connection.read();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("connection"), close);
  }
  EXPECT_TRUE(connection.closed());
}

TEST_F(Ending, WhatWasAskedBeforeSomethingMalformedIsAnsweredToo) {
  engine->disk.hold();
  HttpConnection connection(server->port());
  connection.send(request_text("POST", kTarget, "{}") + "NONSENSE\r\n\r\n");
  engine->disk.await_waiting(1);
  engine->disk.release();
  EXPECT_EQ(connection.read().status, 200);
  const Answer last = connection.read();
  EXPECT_EQ(last.status, 400);
  EXPECT_EQ(last.header("connection"), "close");
  EXPECT_TRUE(connection.closed());
}

TEST_F(Ending, StoppedServerAnswersAllThatIsUnderWay) {
  const auto bystander = idle();
  engine->disk.hold();
  HttpConnection connection(server->port());
  for (int i = 0; i < 16; ++i) connection.send(request_text("POST", kTarget, "{}"));
  engine->disk.await_waiting(16);
  std::thread stopping([this] { server->stop(); });
  EXPECT_TRUE(bystander->closed());
  engine->disk.release();
  for (int i = 0; i < 16; ++i) {
    const Answer answer = connection.read();
    EXPECT_EQ(answer.status, 200) << i;
    EXPECT_EQ(answer.header("connection"), i == 15 ? "close" : "") << i;
  }
  EXPECT_TRUE(connection.closed());
  stopping.join();
  EXPECT_EQ(stored_runs(), 16u);
}

TEST_F(Ending, StoppedServerAnswersWhatHasArrivedThoughItHasNotLookedYet) {
  for (int i = 0; i < 30; ++i) {
    start(ApiOptions{});
    const auto connection = idle();
    HttpConnection fresh(server->port());
    connection->send(request_text("GET", "/healthz") + request_text("GET", "/healthz"));
    fresh.send(request_text("GET", "/healthz"));
    server->stop();
    EXPECT_EQ(connection->read().status, 200) << i;
    EXPECT_EQ(connection->read().status, 200) << i;
    EXPECT_TRUE(connection->closed()) << i;
    EXPECT_EQ(fresh.read().status, 200) << i;
  }
}

TEST_F(Ending, StoppedServerLetsARequestThatHasBegunArrive) {
  const auto bystander = idle();
  auto connection = std::make_unique<HttpConnection>(server->port());
  const std::string body = R"({"payload":1})";
  const std::string text = request_text("POST", kTarget, body, "expect: 100-continue\r\n");
  connection->send(text.substr(0, text.size() - body.size()));
  EXPECT_NE(connection->read_until("\r\n\r\n"), "");
  std::thread stopping([this] { server->stop(); });
  EXPECT_TRUE(bystander->closed());
  // A client that goes on and on ends all the same.
  connection->send(body + request_text("GET", "/healthz") + "GET /heal");
  const Answer answer = connection->read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_TRUE(connection->closed());
  connection.reset();
  stopping.join();
  EXPECT_EQ(stored_runs(), 1u);
}

TEST_F(Ending, StoppedServerGivesUpARequestThatDoesNotArrive) {
  Limits limits;
  limits.stop_time = std::chrono::milliseconds(50);
  start(limits);
  const auto connection = idle();
  connection->send("GET /heal");
  server->stop();
  EXPECT_EQ(connection->read().status, 0);
}

TEST_F(Ending, StoppedServerEndsStreamsAndLongPollsAtOnce) {
  const store::RunId id = engine->make_run();
  HttpConnection stream(server->port());
  stream.send(request_text("GET", "/perdure/v1/runs/" + id.text() + "/logs?follow=1"));
  EXPECT_NE(stream.read_until("\r\n\r\n"), "");
  HttpConnection first(server->port());
  first.send(request_text("GET", "/realtime/v1/runs/" + id.text() + "?offset=-1"));
  const Answer shape = first.read();
  HttpConnection live(server->port());
  live.send(request_text("GET", "/realtime/v1/runs/" + id.text() + "?live=true&handle=" +
                                    shape.header("electric-handle") + "&offset=" + shape.header("electric-offset")));
  engine->await_watchers(2);
  server->stop();
  const Answer answer = live.read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_NE(answer.body.find("up-to-date"), std::string::npos);
  EXPECT_NE(stream.read_until("0\r\n\r\n"), "");
  EXPECT_TRUE(stream.closed());
}

TEST_F(Ending, StoppedServerIsConnectedToByNobody) {
  const std::uint16_t port = server->port();
  server->stop();
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), -1);
  EXPECT_EQ(errno, ECONNREFUSED);
  ::close(socket);
}

TEST_F(Ending, HalfClosedInTheMiddleOfARequestIsTheEndOfIt) {
  for (const std::string& text :
       {std::string("GET /heal"), request_text("POST", kTarget, "{\"payload\":1").substr(0, 150)}) {
    HttpConnection connection(server->port());
    connection.send(text);
    connection.half_close();
    EXPECT_TRUE(connection.closed());
  }
  EXPECT_EQ(stored_runs(), 0u);
}

}  // namespace
}  // namespace perdure::api
