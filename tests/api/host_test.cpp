// Health, readiness, status, tasks, plugins; and how a server starts and stops.
#include <future>
#include <thread>

#include "tests/api/api_test.h"

namespace perdure::api {
namespace {

using Host = ApiTest;

TEST_F(Host, IsHealthyWithoutAKey) {
  EXPECT_EQ(ask("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").body, R"({"status":"ok"})");
}

TEST_F(Host, IsReadyWhenStoreAndCatalogAre) {
  const std::string question = "GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n";
  EXPECT_EQ(ask(question).status, 200);
  engine->set_catalog({});
  EXPECT_EQ(ask(question).status, 503);
}

TEST_F(Host, IsNotReadyWhileTheStoreTakesNoChanges) {
  engine->break_store(store::Status::io("write failed"));
  EXPECT_EQ(trigger("{}").status, 500);
  const Answer answer = ask("GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n");
  EXPECT_EQ(answer.status, 503);
  EXPECT_NE(answer.error().find("write failed"), std::string::npos);
  // What was not synced may be lost: it is not shown.
  EXPECT_EQ(get("/api/v1/runs").status, 503);
  engine->break_store(store::Status::ok());
  EXPECT_EQ(get("/api/v1/runs").status, 200);
}

TEST_F(Host, StatusCountsRuns) {
  ApiOptions options;
  options.version = "1.2.3";
  start(std::move(options));
  engine->make_run();
  engine->make_run();
  engine->succeed(engine->claim(), "1");
  const auto status = get("/perdure/v1/status").json();
  EXPECT_EQ(text_at(status, "version"), "1.2.3");
  EXPECT_EQ(at(status, "pid").to_number<int>(), getpid());
  EXPECT_EQ(at(status, "runs.COMPLETED"), boost::json::value(1));
  EXPECT_EQ(at(status, "runs.QUEUED"), boost::json::value(1));
  EXPECT_EQ(at(status, "completed"), boost::json::value(1));
  EXPECT_EQ(text_at(status, "health.store"), "ok");
  EXPECT_EQ(at(status, "engine.concurrency"), boost::json::value(8));
}

TEST_F(Host, ListsAndShowsTasks) {
  const auto tasks = get("/perdure/v1/tasks").json();
  ASSERT_EQ(tasks.at("data").as_array().size(), 2u);
  const auto task = get("/perdure/v1/tasks/team%2Freport").json();
  EXPECT_EQ(task, tasks.at("data").at(1));
  EXPECT_EQ(text_at(task, "id"), "team/report");
  EXPECT_EQ(text_at(task, "plugin"), "demo");
  EXPECT_EQ(text_at(task, "queue"), "task/team/report");
  EXPECT_EQ(text_at(task, "options.description"), "For tests");
  EXPECT_EQ(get("/perdure/v1/tasks/team/report").status, 404);
  EXPECT_EQ(get("/perdure/v1/tasks/nothing").status, 404);
}

TEST_F(Host, ListsPluginsWithTheReasonOfARefusal) {
  catalog::Snapshot snapshot = *engine->catalog();
  catalog::PluginVersion bad;
  bad.file = "bad.so";
  bad.name = "bad";
  bad.state = catalog::VersionState::kRefused;
  bad.reason = "bad.so is not a shared object";
  snapshot.plugins.push_back(bad);
  snapshot.plugins[0].global_hooks = {process::Hook::kOnComplete, process::Hook::kMiddleware};
  snapshot.plugins[0].surrounded_by = {"audit"};
  engine->set_catalog(std::move(snapshot));
  const auto plugins = get("/perdure/v1/plugins").json();
  EXPECT_EQ(text_at(plugins.at("data").at(0), "state"), "serving");
  EXPECT_EQ(text_at(plugins.at("data").at(0), "isolation"), "fork");
  EXPECT_EQ(text_at(plugins.at("data").at(0), "versionHash"), std::string(64, 'a'));
  EXPECT_EQ(plugins.at("data").at(0).at("warnings").at(0).as_string(), "it started a thread");
  EXPECT_EQ(plugins.at("data").at(0).at("globalHooks"), (boost::json::array{"middleware", "on_complete"}));
  EXPECT_EQ(plugins.at("data").at(0).at("surroundedBy"), boost::json::array{"audit"});
  EXPECT_FALSE(plugins.at("data").at(1).as_object().contains("globalHooks"));
  EXPECT_EQ(text_at(plugins.at("data").at(1), "state"), "refused");
  EXPECT_EQ(text_at(plugins.at("data").at(1), "reason"), "bad.so is not a shared object");
  EXPECT_EQ(at(plugins, "loaded"), boost::json::value(true));
}

TEST_F(Host, StopsWhileARunIsWaitedForAndAnswersAsItIs) {
  const store::RunId id = engine->make_run();
  HttpConnection waiting(server->port());
  waiting.send(request_text("GET", "/perdure/v1/runs/" + id.text() + "?wait=300s"));
  HttpConnection idle(server->port());
  idle.send(request_text("GET", "/healthz"));
  EXPECT_EQ(idle.read().status, 200);
  engine->await_watchers(1);
  server->stop();
  const Answer answer = waiting.read();
  EXPECT_EQ(text_at(answer.json(), "status"), "QUEUED");
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_TRUE(waiting.closed());
  EXPECT_TRUE(idle.closed());
}

TEST_F(Host, StopsThoughAnAnswerNeverComes) {
  Limits limits;
  limits.stop_time = std::chrono::milliseconds(50);
  start(limits);
  engine->disk.hold();
  HttpConnection connection(server->port());
  connection.send(request_text("POST", "/api/v1/tasks/echo/trigger", "{}"));
  engine->disk.await_waiting(1);
  server->stop();
  EXPECT_EQ(connection.read().status, 0);
  engine->disk.release();  // the answer that nobody waits for any more
}

TEST_F(Host, FinishesATriggerUnderWayWhenStopped) {
  engine->disk.hold();
  HttpConnection connection(server->port());
  connection.send(request_text("POST", "/api/v1/tasks/echo/trigger", "{}"));
  engine->disk.await_waiting(1);
  std::thread stopping([this] { server->stop(); });
  engine->disk.release();
  EXPECT_EQ(connection.read().status, 200);
  stopping.join();
}

TEST_F(Host, ServesOnSeveralThreads) {
  ApiOptions options;
  options.threads = 3;
  start(std::move(options));
  std::vector<std::thread> clients;
  std::atomic<int> answered = 0;
  for (int i = 0; i < 6; ++i) {
    clients.emplace_back([&] {
      HttpConnection connection(server->port());
      for (int n = 0; n < 50; ++n) {
        connection.send(request_text("POST", "/api/v1/tasks/echo/trigger", "{}"));
        if (connection.read().status == 200) ++answered;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(answered, 300);
  EXPECT_EQ(stored_runs(), 300u);
}

TEST_F(Host, SaysWhyItCannotListen) {
  const auto refused = [this](const std::string& listen, const std::string& key = "k") {
    auto started = Server::start({.listen = listen, .key = key}, *engine);
    return started ? store::Status::ok() : started.status();
  };
  const store::Status taken = refused("127.0.0.1:" + std::to_string(server->port()));
  EXPECT_EQ(taken.code(), store::Code::kUnavailable);
  EXPECT_NE(taken.message().find(std::to_string(server->port())), std::string::npos);
  for (const char* wrong : {"", "3030", "localhost:", "127.0.0.1:70000", "example.org:80", "127.0.0.1:3030x"}) {
    EXPECT_EQ(refused(wrong).code(), store::Code::kInvalid) << wrong;
  }
  EXPECT_EQ(refused("127.0.0.1:0", "").code(), store::Code::kInvalid);
}

}  // namespace
}  // namespace perdure::api
