// What the bearers of public access tokens may do, and what pages of other origins may.
#include "host/api/auth/public_token.h"
#include "tests/api/api_test.h"

namespace perdure::api {
namespace {

store::Time now() { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }

std::string bearer(const std::vector<std::string>& scopes, bool one_time = false) {
  const auth::PublicToken token{
      .scopes = scopes, .expires = now() + std::chrono::minutes(15), .one_time = one_time, .skip_columns = {}};
  return "authorization: Bearer " + auth::sign_public_token(token, kTestKey, now()) + "\r\n";
}

std::string text(std::string_view method, std::string_view target, const std::string& headers,
                 const std::string& body = {}) {
  return std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nhost: 127.0.0.1\r\n" + headers +
         "content-type: application/json\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class Tokens : public ApiTest {
 protected:
  [[nodiscard]] Answer get_with(const std::string& target, const std::string& headers) const {
    return ask(text("GET", target, headers));
  }
  [[nodiscard]] int status_of(const std::string& target, const std::vector<std::string>& scopes) const {
    return get_with(target, bearer(scopes)).status;
  }
  [[nodiscard]] Answer trigger_with(const std::string& task, const std::string& headers,
                                    const std::string& body = "{}") const {
    return ask(text("POST", "/api/v1/tasks/" + task + "/trigger", headers, body));
  }
};

TEST_F(Tokens, AreMadeFromTheClaimsThatTheHostHandsOut) {
  const Answer claims = post("/api/v1/auth/jwt/claims");
  EXPECT_EQ(claims.status, 200);
  EXPECT_EQ(text_at(claims.json(), "sub"), "env_local");
  EXPECT_TRUE(claims.json().at("pub").as_bool());
  EXPECT_NE(claims.body, post("/api/v1/auth/jwt/claims").body) << "tokens made of them are each another";
  EXPECT_EQ(ask(text("POST", "/api/v1/auth/jwt/claims", bearer({"admin"}))).status, 401);
}

TEST_F(Tokens, TriggerTheTaskTheyNameAndNoOther) {
  EXPECT_EQ(trigger_with("echo", bearer({"trigger:tasks:echo"})).status, 200);
  EXPECT_EQ(trigger_with("team%2Freport", bearer({"trigger:tasks:team/report"})).status, 200);
  EXPECT_EQ(trigger_with("echo", bearer({"trigger:tasks"})).status, 200);
  const Answer refused = trigger_with("echo", bearer({"trigger:tasks:team/report", "read:tasks:echo"}));
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.error(), "the public access token needs the scope \"trigger:tasks:echo\"");
  EXPECT_EQ(text_at(refused.json(), "code"), "unauthorized");
  EXPECT_EQ(text_at(refused.json(), "param"), "access_token");
  EXPECT_EQ(text_at(refused.json(), "type"), "authorization");
  EXPECT_EQ(refused.header("x-should-retry"), "false");
  EXPECT_EQ(stored_runs(), 3u);
}

TEST_F(Tokens, ForOneTriggerAreUsedUpByIt) {
  const std::string once = bearer({"trigger:tasks"}, true);
  EXPECT_EQ(trigger_with("echo", once).status, 200);
  EXPECT_EQ(trigger_with("echo", once).status, 422);
  EXPECT_EQ(trigger_with("team%2Freport", once).status, 422);
  EXPECT_EQ(stored_runs(), 1u);
}

TEST_F(Tokens, AreHandedBackToWhoCannotSignThem) {
  const Answer by_key = trigger("{}");
  EXPECT_EQ(by_key.header("x-trigger-jwt-claims"), R"({"sub":"env_local","pub":true})");
  EXPECT_EQ(by_key.header("x-trigger-jwt"), "");
  const Answer by_token = trigger_with("echo", bearer({"trigger:tasks:echo"}));
  const std::string theirs = "authorization: Bearer " + by_token.header("x-trigger-jwt") + "\r\n";
  EXPECT_EQ(get_with("/api/v3/runs/" + text_at(by_token.json(), "id"), theirs).status, 200);
  EXPECT_EQ(get_with("/api/v3/runs/" + text_at(by_key.json(), "id"), theirs).status, 403);
}

TEST_F(Tokens, ReadTheRunTheyNameByIdTaskOrTag) {
  const std::string id =
      engine->make_run("echo", [](store::NewRun& run) { run.options.tags = {"env:staging"}; }).text();
  const std::string target = "/api/v3/runs/" + id;
  for (const std::string& scope :
       {"read:runs:" + id, std::string("read:runs"), std::string("read:tasks:echo"),
        std::string("read:tags:env:staging"), std::string("read:tags"), std::string("admin"), std::string("*:all")}) {
    EXPECT_EQ(status_of(target, {scope}), 200) << scope;
  }
  for (const std::string& scope :
       {"read:runs:" + id + "x", std::string("read:tasks:other"), std::string("read:tags:env"), "write:runs:" + id,
        std::string("trigger:tasks:echo")}) {
    EXPECT_EQ(status_of(target, {scope}), 403) << scope;
  }
  EXPECT_EQ(status_of(target, {}), 403);
}

TEST_F(Tokens, CancelRunsTheyMayWrite) {
  const std::string id = engine->make_run().text();
  const auto cancel = [&](const std::string& scope) {
    return ask(text("POST", "/api/v2/runs/" + id + "/cancel", bearer({scope}))).status;
  };
  EXPECT_EQ(cancel("read:runs:" + id), 403);
  EXPECT_EQ(cancel("write:runs:other"), 403);
  EXPECT_EQ(engine->store().run(store::RunId(id))->status, store::RunStatus::kQueued);
  EXPECT_EQ(cancel("write:runs:" + id), 200);
}

TEST_F(Tokens, ListRunsOfTheTasksTheyMayRead) {
  EXPECT_EQ(status_of("/api/v1/runs", {"read:runs"}), 200);
  EXPECT_EQ(status_of("/api/v1/runs", {"read:tasks"}), 200);
  EXPECT_EQ(status_of("/api/v1/runs", {"read:tasks:echo"}), 403);
  EXPECT_EQ(status_of("/api/v1/runs", {"read:runs:run_1"}), 403);
  EXPECT_EQ(status_of("/api/v1/runs?filter%5BtaskIdentifier%5D=echo", {"read:tasks:echo"}), 200);
  EXPECT_EQ(status_of("/api/v1/runs?filter%5BtaskIdentifier%5D=echo,other", {"read:tasks:echo"}), 403);
  EXPECT_EQ(status_of("/api/v1/runs?filter%5BtaskIdentifier%5D=echo,other", {"read:tasks:echo", "read:tasks:other"}),
            200);
}

TEST_F(Tokens, MakeBatchesOfTheTasksTheyNameAndReadTheirRuns) {
  const auto create = [&](const std::string& headers, const std::string& task) {
    return ask(text("POST", "/api/v3/batches", headers, R"({"runCount":1,"taskIdentifiers":[")" + task + R"("]})"));
  };
  const auto fill = [&](const std::string& headers, const std::string& batch, const std::string& task) {
    const std::string line = R"({"index":0,"task":")" + task + "\"}";
    return ask("POST /api/v3/batches/" + batch + "/items HTTP/1.1\r\nhost: 127.0.0.1\r\n" + headers +
               "content-type: application/x-ndjson\r\ncontent-length: " + std::to_string(line.size()) + "\r\n\r\n" +
               line);
  };
  const std::string several = bearer({"batchTrigger:tasks:echo"});
  EXPECT_EQ(create(several, "team/report").status, 403);
  EXPECT_EQ(create(bearer({"trigger:tasks:echo"}), "echo").status, 403);
  const Answer made = create(several, "echo");
  ASSERT_EQ(made.status, 202) << made.body;
  const std::string batch = text_at(made.json(), "id");
  EXPECT_EQ(fill(several, batch, "team/report").status, 403);
  EXPECT_EQ(fill(several, batch, "echo").status, 200);
  const std::string theirs = "authorization: Bearer " + made.header("x-trigger-jwt") + "\r\n";
  const Answer shown = get_with("/api/v2/batches/" + batch, theirs);
  EXPECT_EQ(shown.status, 200);
  const std::string run(shown.json().at("runs").at(0).as_string());
  EXPECT_EQ(get_with("/api/v3/runs/" + run, theirs).status, 200) << "it is of that batch";
  EXPECT_EQ(get_with("/api/v3/runs/" + engine->make_run().text(), theirs).status, 403);

  const std::string once = bearer({"batchTrigger:tasks:echo"}, true);
  const std::string only = text_at(create(once, "echo").json(), "id");
  EXPECT_EQ(text_at(create(once, "echo").json(), "id"), only) << "an answer may get lost";
  EXPECT_EQ(fill(once, batch, "echo").status, 403) << "it is another's batch";
  EXPECT_EQ(fill(once, only, "echo").status, 200);
  EXPECT_EQ(create(once, "echo").status, 422);
}

TEST_F(Tokens, AreNotEnoughForTheRest) {
  for (const std::string target : {"/api/v1/queues", "/api/v1/schedules", "/perdure/v1/status", "/perdure/v1/plugins",
                                   "/perdure/v1/tasks", "/api/v1/bulk-actions"}) {
    EXPECT_EQ(status_of(target, {"admin"}), 401) << target;
  }
  const std::string id = engine->make_run().text();
  for (const std::string part : {"", "/logs", "/trace", "/stack", "/start", "/children", "/streams"}) {
    EXPECT_EQ(status_of("/perdure/v1/runs/" + id + part, {"admin"}), 401) << part;
  }
}

TEST_F(Tokens, ThatAreWrongSayWhy) {
  const auth::PublicToken old{.scopes = {"admin"}, .expires = now() - std::chrono::seconds(1), .skip_columns = {}};
  const Answer late =
      get_with("/api/v1/runs", "authorization: Bearer " + auth::sign_public_token(old, kTestKey, now()) + "\r\n");
  EXPECT_EQ(late.status, 401);
  EXPECT_EQ(late.error(), "the public access token has expired; ask for a new one");
  const Answer foreign = get_with(
      "/api/v1/runs", "authorization: Bearer " + auth::sign_public_token(old, "tr_prod_other", now()) + "\r\n");
  EXPECT_EQ(foreign.status, 401);
  EXPECT_EQ(foreign.error(), "the public access token is not signed with a key of this host");
}

TEST_F(Tokens, PagesOfOtherOriginsMayUseWhatIsThereForThem) {
  const std::string origin = "origin: https://shop.example\r\n";
  const Answer triggered = trigger_with("echo", origin + bearer({"trigger:tasks:echo"}));
  EXPECT_EQ(triggered.status, 200);
  EXPECT_EQ(triggered.header("access-control-allow-origin"), "*");
  EXPECT_NE(triggered.header("access-control-expose-headers").find("x-trigger-jwt-claims"), std::string::npos);
  const Answer refused = trigger_with("echo", origin);
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.header("access-control-allow-origin"), "*");
  const Answer secret =
      get_with("/perdure/v1/status", origin + "authorization: Bearer " + std::string(kTestKey) + "\r\n");
  EXPECT_EQ(secret.status, 403);
  EXPECT_EQ(secret.header("access-control-allow-origin"), "");
  EXPECT_EQ(trigger("{}").header("access-control-allow-origin"), "");
}

TEST_F(Tokens, PagesSeeWhyTheirRequestCouldNotBeRead) {
  const auto refused = [this](const std::string& line, const std::string& rest) {
    return ask(line + " HTTP/1.1\r\nhost: 127.0.0.1\r\norigin: https://shop.example\r\n" + rest);
  };
  const std::string large = "content-length: 1000000000\r\n\r\n";
  const std::string chunked = bearer({"trigger:tasks:echo"}) + "transfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n";
  for (const std::string& rest : {large, chunked}) {
    const Answer answer = refused("POST /api/v1/tasks/echo/trigger", rest);
    EXPECT_EQ(answer.status, 413);
    EXPECT_EQ(answer.header("access-control-allow-origin"), "*");
  }
  const Answer secret = refused("POST /perdure/v1/keys", large);
  EXPECT_EQ(secret.status, 413);
  EXPECT_EQ(secret.header("access-control-allow-origin"), "");
}

TEST_F(Tokens, BrowsersAreToldInAdvanceWhatTheyMaySend) {
  const std::string headers =
      "origin: https://shop.example\r\naccess-control-request-method: POST\r\n"
      "access-control-request-headers: authorization,content-type,x-trigger-client\r\n";
  const Answer answer = ask(text("OPTIONS", "/api/v1/tasks/echo/trigger", headers));
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.header("access-control-allow-origin"), "*");
  EXPECT_EQ(answer.header("access-control-allow-methods"), "POST");
  EXPECT_EQ(answer.header("access-control-allow-headers"), "authorization,content-type,x-trigger-client");
  EXPECT_EQ(ask(text("OPTIONS", "/perdure/v1/status", headers)).status, 403);
  EXPECT_EQ(ask(text("OPTIONS", "/api/v1/tasks/echo/trigger", {})).status, 401);
}

}  // namespace
}  // namespace perdure::api
