// A server on loopback with a fake engine behind it, anew for each test.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "host/api/server.h"
#include "tests/api/fake_engine.h"
#include "tests/api/http_connection.h"

namespace perdure::api {

class ApiTest : public testing::Test {
 protected:
  ApiTest() : engine(std::make_unique<FakeEngine>()) { start(ApiOptions{}); }

  /// Starts the server again with these options; address and key are filled in.
  void start(ApiOptions options) {
    server.reset();
    options.listen = "127.0.0.1:0";
    options.key = kTestKey;
    auto started = Server::start(std::move(options), *engine);
    ASSERT_TRUE(started) << started.status().message();
    server = std::move(started).value();
  }
  void start(const Limits& limits) {
    ApiOptions options;
    options.limits = limits;
    start(std::move(options));
  }

  [[nodiscard]] Answer ask(const std::string& text) const {
    HttpConnection connection(server->port());
    connection.send(text);
    return connection.read();
  }
  [[nodiscard]] Answer get(const std::string& target, const std::string& headers = {}) const {
    return ask(request_text("GET", target, {}, headers));
  }
  [[nodiscard]] Answer post(const std::string& target, const std::string& body = {},
                            const std::string& headers = {}) const {
    return ask(request_text("POST", target, body, headers));
  }
  [[nodiscard]] Answer trigger(const std::string& body, const std::string& headers = {}) const {
    return post("/api/v1/tasks/echo/trigger", body, headers);
  }
  [[nodiscard]] std::size_t stored_runs() const {
    std::size_t count = 0;
    for (const auto& [status, runs] : engine->store().counts()) count += runs;
    return count;
  }

  std::unique_ptr<FakeEngine> engine;
  std::unique_ptr<Server> server;
};

/// What a JSON object says at `path`, such as "error.name"; null when there is none.
inline boost::json::value at(const boost::json::value& value, std::string_view path) {
  const boost::json::value* found = &value;
  while (!path.empty()) {
    const auto dot = path.find('.');
    if (!found->is_object() || !found->as_object().contains(path.substr(0, dot))) return nullptr;
    found = &found->as_object().at(path.substr(0, dot));
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  return *found;
}
inline std::string text_at(const boost::json::value& value, std::string_view path) {
  const boost::json::value found = at(value, path);
  return found.is_string() ? std::string(found.as_string()) : "(no text)";
}

}  // namespace perdure::api
