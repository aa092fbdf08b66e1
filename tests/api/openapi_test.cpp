// The description of the API: it has every route and no other, and each of its examples does what it says.
#include "host/api/openapi.h"

#include <map>
#include <set>

#include "host/api/router.h"
#include "tests/api/api_test.h"

namespace perdure::api {
namespace {

using Described = ApiTest;

// The path with "*" for every place in braces.
std::string pattern_of(std::string_view path) {
  std::string pattern;
  for (std::size_t i = 0; i < path.size(); ++i) {
    pattern += path[i] == '{' ? '*' : path[i];
    if (path[i] == '{') i = path.find('}', i);
  }
  return pattern;
}

TEST(Description, HasEveryRouteAndNoOther) {
  std::multiset<std::string> described, routed;
  for (const Operation& operation : operations()) {
    described.insert(std::string(method_name(operation.method)) + " " + pattern_of(operation.path));
  }
  for (const RouteName& route : route_names()) routed.insert(std::string(method_name(route.method)) + " " + route.path);
  EXPECT_EQ(described, routed);
}

TEST_F(Described, TheDocumentIsServedAndWellFormed) {
  const Answer answer = get("/perdure/v1/openapi.json");
  ASSERT_EQ(answer.status, 200);
  const auto document = answer.json();
  EXPECT_EQ(text_at(document, "openapi"), "3.1.0");
  std::size_t count = 0;
  for (const auto& [path, methods] : document.at("paths").as_object()) {
    for (const auto& [method, operation] : methods.as_object()) {
      ++count;
      EXPECT_FALSE(text_at(operation, "summary").empty());
      EXPECT_TRUE(operation.at("responses").as_object().contains("default"));
      std::set<std::string> places;
      for (const auto& parameter : operation.at("parameters").as_array()) {
        const std::string name = text_at(parameter, "name");
        EXPECT_TRUE(places.insert(name).second) << path << " has " << name << " twice";
        if (text_at(parameter, "in") != "path") continue;
        EXPECT_NE(std::string(path).find("{" + name + "}"), std::string::npos) << path;
        EXPECT_NE(text_at(parameter, "description"), "(no text)") << name << " is not described";
      }
    }
  }
  EXPECT_EQ(count, operations().size());
}

TEST_F(Described, EveryExampleDoesWhatItSays) {
  for (const Operation& operation : operations()) {
    // Each on a host of its own, with one of everything.
    engine = std::make_unique<FakeEngine>();
    start(ApiOptions{});
    const store::RunId finished = engine->make_run();
    engine->append(finished, "tokens", "x");
    engine->succeed(engine->claim(), "1");
    const store::RunId executing = engine->make_run();
    engine->claim();
    const auto id_in = [&](const std::string& target, const std::string& body) {
      return text_at(post(target, body).json(), "id");
    };
    const std::string delayed =
        id_in("/api/v1/tasks/echo/trigger", R"({"options":{"delay":"1h","idempotencyKey":"k"}})");
    const std::string queued = engine->make_run().text();
    engine->append(store::RunId(queued), "tokens", "x");
    const auto token = post("/api/v1/waitpoints/tokens").json();
    const std::string url = text_at(token, "url");
    const std::map<std::string, std::string> places{
        {"waitpoint", text_at(token, "id")},
        {"hash", url.substr(url.rfind('/') + 1)},
        {"task", "echo"},
        {"key", "k"},
        {"run", queued},
        {"delayed", delayed},
        {"finished", finished.text()},
        {"executing", executing.text()},
        {"bulk", id_in("/api/v1/bulk-actions", R"({"action":"cancel","filter":{"tag":"x"}})")},
        {"batch", id_in("/api/v3/batches", R"({"runCount":1})")},
        {"stream", "tokens"},
        {"api_key", id_in("/perdure/v1/keys", R"({"scopes":["read"]})")},
        {"queue", text_at(get("/api/v1/queues").json().at("data").at(0), "id")},
        {"schedule", id_in("/api/v1/schedules", R"({"task":"echo","cron":"0 1 * * *","deduplicationKey":"other"})")},
        {"plugin", "demo"},
        {"project", "proj_any"},
        {"environment", "prod"},
        {"variable", "SOME_NAME"},
        {"packet", "p"},
        {"field", "payload"}};
    const auto address_in = [&](const Answer& answer) {
      const std::string address = text_at(answer.json(), "presignedUrl");
      return address.substr(address.find("/packets/"));
    };
    const std::string upload = address_in(ask(request_text("PUT", "/api/v2/packets/p")));
    ASSERT_EQ(ask(request_text("PUT", upload, "1")).status, 200);
    ASSERT_EQ(post("/api/v1/projects/p/envvars/prod", R"({"name":"SOME_NAME","value":"x"})").status, 200);
    std::string target;
    if (operation.path == "/packets/{address}") {
      const bool download = operation.method == Method::kGet;
      target = download ? address_in(get("/api/v1/packets/p")) : upload;
    }
    for (std::size_t i = target.empty() ? 0 : operation.path.size(); i < operation.path.size(); ++i) {
      if (operation.path[i] != '{') {
        target += operation.path[i];
        continue;
      }
      const auto close = operation.path.find('}', i);
      target += places.at(std::string(operation.path.substr(i + 1, close - i - 1)));
      i = close;
    }
    if (target == "/perdure/v1/upcoming") target += "?cron=0+1+*+*+*";
    if (target == "/realtime/v1/runs") target += "?tags=a";
    const std::string type = "content-type: " + std::string(operation.type) + "\r\n";
    const Answer answer =
        ask(request_text(method_name(operation.method), target, operation.body, operation.body.empty() ? "" : type));
    // A root key that nobody keeps cannot be replaced; tests/e2e shows one that is.
    const unsigned expected = operation.path.ends_with("/rotate") ? 422 : operation.status;
    EXPECT_EQ(answer.status, static_cast<int>(expected)) << target << " " << answer.body;
  }
}

}  // namespace
}  // namespace perdure::api
