// Clients that take what they can get: every connection there is, all the memory of answers nobody reads, all the time
// that a byte now and then lasts.
#include "tests/api/api_test.h"

namespace perdure::api {
namespace {

using Crowd = ApiTest;

constexpr std::chrono::milliseconds kForEver{600'000};

TEST_F(Crowd, ConnectionThatAsksNothingHasTheTimeOfAHeadOnly) {
  Limits limits;
  limits.head_time = std::chrono::milliseconds(50);
  limits.idle_time = kForEver;
  start(limits);
  HttpConnection used(server->port());
  used.send(request_text("GET", "/healthz"));
  EXPECT_EQ(used.read().status, 200);
  EXPECT_TRUE(HttpConnection(server->port()).closed());
  used.send(request_text("GET", "/healthz"));
  EXPECT_EQ(used.read().status, 200) << "one that is in use may pause";
}

TEST_F(Crowd, IdleConnectionMakesRoomForOneThatIsNot) {
  Limits limits;
  limits.connections = 4;
  limits.idle_kept = std::chrono::milliseconds(0);
  start(limits);
  engine->disk.hold();
  HttpConnection busy(server->port());
  busy.send(request_text("POST", "/api/v1/tasks/echo/trigger", "{}"));
  engine->disk.await_waiting(1);
  std::vector<std::unique_ptr<HttpConnection>> idle;
  for (int i = 0; i < 20; ++i) {
    idle.push_back(std::make_unique<HttpConnection>(server->port()));
    idle.back()->send(request_text("GET", "/healthz"));
    EXPECT_EQ(idle.back()->read().status, 200) << i;
  }
  engine->disk.release();
  EXPECT_EQ(busy.read().status, 200);
}

TEST_F(Crowd, WhoIsTurnedAwayWithARequestAlreadySentIsToldWhy) {
  Limits limits;
  limits.connections = 1;
  limits.idle_kept = kForEver;
  start(limits);
  HttpConnection only(server->port());
  only.send(request_text("GET", "/healthz"));
  EXPECT_EQ(only.read().status, 200);
  for (int i = 0; i < 50; ++i) {
    const Answer answer = post("/api/v1/tasks/echo/trigger", std::string(2000, ' '));
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.header("retry-after"), "1");
    EXPECT_FALSE(answer.error().empty());
  }
  only.send(request_text("GET", "/healthz"));
  EXPECT_EQ(only.read().status, 200);
}

TEST_F(Crowd, ClientThatTakesLittleAgainAndAgainIsCutOff) {
  const std::string half = "\"" + std::string(8u << 20, 'x') + "\"";
  const store::RunId id = engine->make_run("echo", [&](store::NewRun& run) { run.payload = half; });
  engine->succeed(engine->claim(), half);
  Limits limits;
  limits.write_time = std::chrono::milliseconds(100);
  limits.slowest_write = std::size_t{1} << 40;
  start(limits);
  HttpConnection connection(server->port());
  HttpConnection other(server->port());
  connection.send(request_text("GET", "/api/v3/runs/" + id.text()));
  // A kilobyte each time that somebody else has been served: always taking something, and never fast enough.
  std::size_t taken = 0;
  while (!connection.is_reset() && taken < 2 * half.size()) {
    const std::size_t more = connection.skip(1024);
    if (more == 0) break;
    taken += more;
    other.send(request_text("GET", "/healthz"));
    ASSERT_EQ(other.read().status, 200);
  }
  EXPECT_LT(taken, 2 * half.size());
  EXPECT_TRUE(connection.is_reset());
}

TEST_F(Crowd, ClientThatIsSlowButNotTooSlowGetsItsAnswer) {
  const std::size_t size = 4u << 20;
  const store::RunId id =
      engine->make_run("echo", [&](store::NewRun& run) { run.payload = "\"" + std::string(size, 'x') + "\""; });
  Limits limits;
  limits.slowest_write = 64u << 10;
  start(limits);
  HttpConnection connection(server->port(), 4096);
  connection.send(request_text("GET", "/api/v3/runs/" + id.text()));
  EXPECT_GT(connection.read().body.size(), size);
}

TEST_F(Crowd, AnswersThatNobodyReadsKeepRequestsFromBeingTaken) {
  const store::RunId id =
      engine->make_run("echo", [](store::NewRun& run) { run.payload = "\"" + std::string(8u << 20, 'x') + "\""; });
  HttpConnection connection(server->port());
  connection.send(request_text("GET", "/api/v3/runs/" + id.text()));  // tells how large these answers are
  EXPECT_GT(connection.read().body.size(), 8u << 20);
  // Far more than the kernel takes: all but the first are left until their turn comes.
  std::string all;
  for (int i = 0; i < 5; ++i) all += request_text("GET", "/api/v3/runs/" + id.text());
  connection.send(all + request_text("POST", "/api/v1/tasks/echo/trigger", "{}"));
  EXPECT_EQ(get("/healthz").status, 200);
  EXPECT_EQ(engine->triggers(), 0u);
  for (int i = 0; i < 5; ++i) EXPECT_GT(connection.read().body.size(), 8u << 20) << i;
  EXPECT_EQ(connection.read().status, 200);
  EXPECT_EQ(engine->triggers(), 1u);
}

TEST_F(Crowd, LargeAnswersAreMadeOneAtATime) {
  const store::RunId id =
      engine->make_run("echo", [](store::NewRun& run) { run.payload = "\"" + std::string(1u << 20, 'x') + "\""; });
  const std::string large = request_text("GET", "/api/v3/runs/" + id.text());
  const std::string trigger_text = request_text("POST", "/api/v1/tasks/echo/trigger", "{}");
  HttpConnection connection(server->port());
  connection.send(large);
  EXPECT_GT(connection.read().body.size(), 1u << 20);
  engine->disk.hold();
  connection.send(large + trigger_text + trigger_text + trigger_text);
  engine->disk.await_waiting(1);
  EXPECT_EQ(get("/healthz").status, 200);
  EXPECT_EQ(engine->triggers(), 0u) << "nothing is done beside it";
  engine->disk.release();
  EXPECT_GT(connection.read().body.size(), 1u << 20);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(connection.read().status, 200);
  engine->disk.hold();
  connection.send(trigger_text + trigger_text);
  engine->disk.await_waiting(2);  // small answers are made side by side again
  engine->disk.release();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(connection.read().status, 200);
}

}  // namespace
}  // namespace perdure::api
