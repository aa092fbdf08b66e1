// /api/v1/waitpoints/tokens, in the contract's shapes.
#include "host/api/auth/public_token.h"
#include "tests/api/api_test.h"

namespace perdure::api {
namespace {

constexpr const char* kTokens = "/api/v1/waitpoints/tokens";

class Waitpoints : public ApiTest {
 protected:
  [[nodiscard]] Answer create(const std::string& body = {}) const { return post(kTokens, body); }
  [[nodiscard]] std::string created(const std::string& body = {}) const { return text_at(create(body).json(), "id"); }
  [[nodiscard]] Answer show(const std::string& id) const { return get(kTokens + ("/" + id)); }
  Answer complete(const std::string& id, const std::string& body) const {
    return post(kTokens + ("/" + id) + "/complete", body);
  }
  // A POST to a token's URL, without a key.
  [[nodiscard]] Answer call_back(const std::string& url, const std::string& body) const {
    const std::string path = url.substr(url.find("/api"));
    return ask("POST " + path + " HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: " + std::to_string(body.size()) +
               "\r\n\r\n" + body);
  }
  void time_out(const std::string& id) {
    const store::Time when = engine->store().token(store::TokenId(id))->timeout_at;
    engine->store().wake_due(when, [](const store::Result<std::size_t>&) {});
  }
};

TEST_F(Waitpoints, AreCreatedWithTheUrlThatCompletesThem) {
  const Answer answer = ask(request_text("POST", kTokens,
                                         R"({"timeout":"1h","tags":["b","a"],"idempotencyKey":"ik",)"
                                         R"("idempotencyKeyTTL":"2h"})"));
  ASSERT_EQ(answer.status, 200) << answer.body;
  const std::string id = text_at(answer.json(), "id");
  EXPECT_TRUE(store::is_token_id(id));
  EXPECT_FALSE(at(answer.json(), "isCached").as_bool());
  EXPECT_TRUE(text_at(answer.json(), "url").starts_with("http://127.0.0.1"));
  EXPECT_NE(text_at(answer.json(), "url").find("/api/v1/waitpoints/tokens/" + id + "/callback/"), std::string::npos);
  EXPECT_EQ(answer.header("x-trigger-jwt-claims"), R"({"sub":"env_local","pub":true})");

  const store::Token token = engine->store().token(store::TokenId(id)).value();
  EXPECT_EQ(token.timeout_at, token.created_at + std::chrono::hours(1));
  EXPECT_EQ(token.key_expires_at, token.created_at + std::chrono::hours(2));
  const auto shown = show(id).json();
  EXPECT_EQ(text_at(shown, "status"), "WAITING");
  EXPECT_EQ(text_at(shown, "url"), text_at(answer.json(), "url"));
  EXPECT_EQ(at(shown, "tags"), boost::json::value({"a", "b"}));
  EXPECT_EQ(text_at(shown, "idempotencyKey"), "ik");
  for (const char* name : {"createdAt", "timeoutAt", "idempotencyKeyExpiresAt"}) {
    EXPECT_TRUE(text_at(shown, name).ends_with('Z')) << name;
  }
  for (const char* name : {"completedAt", "output", "outputType", "outputIsError", "runId"}) {
    EXPECT_FALSE(shown.as_object().contains(name)) << "absent values are left out: " << name;
  }
}

TEST_F(Waitpoints, WithoutABodyWaitTenMinutesAndHaveNoKey) {
  const std::string id = created();
  const store::Token token = engine->store().token(store::TokenId(id)).value();
  EXPECT_EQ(token.timeout_at, token.created_at + std::chrono::minutes(10));
  EXPECT_FALSE(show(id).json().as_object().contains("idempotencyKey"));
  EXPECT_EQ(engine->store().token(store::TokenId(created(R"({"timeout":"2030-01-31T12:00:00Z"})")))->calendar, true);
}

TEST_F(Waitpoints, OfOneKeyAreOne) {
  const std::string id = created(R"({"idempotencyKey":"ik"})");
  const Answer again = create(R"({"idempotencyKey":"ik","tags":["t"]})");
  EXPECT_EQ(text_at(again.json(), "id"), id);
  EXPECT_TRUE(at(again.json(), "isCached").as_bool());
  EXPECT_TRUE(at(show(id).json(), "tags").as_array().empty());
}

TEST_F(Waitpoints, AreCompletedWithAPlainValueOnce) {
  const std::string id = created();
  const Answer answer = complete(id, R"({"data":{"yes":[1, 2]}})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"success":true})");
  EXPECT_EQ(complete(id, R"({"data":7})").body, R"({"success":true})") << "no failure, and no change";
  const auto shown = show(id).json();
  EXPECT_EQ(text_at(shown, "status"), "COMPLETED");
  EXPECT_EQ(text_at(shown, "output"), R"({"yes":[1, 2]})");
  EXPECT_EQ(text_at(shown, "outputType"), "application/json");
  EXPECT_EQ(at(shown, "outputIsError"), false);
  EXPECT_TRUE(text_at(shown, "completedAt").ends_with('Z'));
}

TEST_F(Waitpoints, KeepAStringAsTextAndNothingAsNothing) {
  const std::string text = created(), none = created(), null = created();
  complete(text, R"({"data":"a \"b\" \u00e9"})");
  EXPECT_EQ(text_at(show(text).json(), "output"), "a \"b\" \xc3\xa9");
  EXPECT_EQ(text_at(show(text).json(), "outputType"), "text/plain");
  EXPECT_EQ(complete(none, "{}").status, 200);
  EXPECT_EQ(text_at(show(none).json(), "status"), "COMPLETED");
  EXPECT_FALSE(show(none).json().as_object().contains("output"));
  complete(null, R"({"data":null})");
  EXPECT_EQ(text_at(show(null).json(), "output"), "null");
}

TEST_F(Waitpoints, ThatTimeOutSaySoWithAnErrorAsTheirOutput) {
  const std::string id = created(R"({"timeout":"5s"})");
  time_out(id);
  const auto shown = show(id).json();
  EXPECT_EQ(text_at(shown, "status"), "TIMED_OUT");
  EXPECT_EQ(at(shown, "outputIsError"), true);
  EXPECT_EQ(text_at(shown, "outputType"), "application/json");
  EXPECT_EQ(text_at(shown, "output"), R"({"code":"TRIGGER_WAITPOINT_TIMEOUT","message":"Waitpoint timed out at )" +
                                          text_at(shown, "completedAt") + "\"}");
  EXPECT_EQ(complete(id, R"({"data":1})").body, R"({"success":true})");
  EXPECT_EQ(text_at(show(id).json(), "status"), "TIMED_OUT");
}

TEST_F(Waitpoints, AreCompletedByWhoeverHasTheirUrl) {
  const Answer made = create();
  const std::string id = text_at(made.json(), "id"), url = text_at(made.json(), "url");
  EXPECT_EQ(call_back(url.substr(0, url.size() - 1) + (url.back() == '0' ? "1" : "0"), "1").status, 401);
  EXPECT_EQ(
      call_back(text_at(create().json(), "url").substr(0, url.find("/callback/")) + url.substr(url.find("/callback/")),
                "1")
          .status,
      401)
      << "another token's hash";
  EXPECT_EQ(text_at(show(id).json(), "status"), "WAITING");
  const Answer called = call_back(url, R"( {"from":"outside"} )");
  EXPECT_EQ(called.status, 200) << called.body;
  EXPECT_EQ(called.body, R"({"success":true})");
  EXPECT_EQ(text_at(show(id).json(), "output"), R"({"from":"outside"})");
  const std::string unknown = store::new_token_id(store::Time()).text();
  EXPECT_EQ(call_back(kTokens + ("/" + unknown) + "/callback/00", "1").status, 404);
  EXPECT_EQ(get(url.substr(url.find("/api"))).status, 405);
  const std::string chunked = "POST " + url.substr(url.find("/api")) + " HTTP/1.1\r\nhost: 127.0.0.1\r\n";
  EXPECT_EQ(ask(chunked + "transfer-encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n").status, 411);
}

TEST_F(Waitpoints, TakeWhatIsNoJsonFromTheirUrlAsAnEmptyObject) {
  for (const char* body : {"", "a=b&c=d", "{\"half\":"}) {
    const Answer made = create();
    EXPECT_EQ(call_back(text_at(made.json(), "url"), body).status, 200) << body;
    EXPECT_EQ(text_at(show(text_at(made.json(), "id")).json(), "output"), "{}") << body;
  }
}

TEST_F(Waitpoints, AreFoundByStatusTagKeyIdAndTimeInPages) {
  std::vector<std::string> ids;
  for (int i = 0; i < 4; ++i) {
    ids.push_back(
        created(R"({"tags":["t)" + std::to_string(i % 2) + R"("],"idempotencyKey":"k)" + std::to_string(i) + "\"}"));
  }
  complete(ids[2], "{}");
  const auto found = [&](const std::string& query) {
    const Answer answer = get(kTokens + ("?" + query));
    EXPECT_EQ(answer.status, 200) << answer.body;
    std::string order;
    const auto page = answer.json();
    for (const auto& token : page.at("data").as_array()) {
      for (std::size_t i = 0; i < ids.size(); ++i) {
        if (text_at(token, "id") == ids[i]) order += std::to_string(i);
      }
      EXPECT_FALSE(token.as_object().contains("output")) << "lists show none";
    }
    return order;
  };
  EXPECT_EQ(found(""), "3210");
  EXPECT_EQ(found("filter%5Bstatus%5D=COMPLETED%2CTIMED_OUT"), "2");
  EXPECT_EQ(found("filter[status]=WAITING&filter[tags]=t0,t9"), "0");
  EXPECT_EQ(found("filter[tags]=t1,t0"), "3210");
  EXPECT_EQ(found("filter[idempotencyKey]=k3"), "3");
  EXPECT_EQ(found("filter[id]=" + ids[1]), "1");
  EXPECT_EQ(found("filter[createdAt][period]=1h"), "3210");
  EXPECT_EQ(found("filter[createdAt][to]=2020-01-01T00:00:00Z"), "");
  EXPECT_EQ(found("page[size]=3"), "321");
  const auto first = get(kTokens + std::string("?page[size]=3")).json();
  EXPECT_EQ(text_at(first, "pagination.next"), ids[1]);
  EXPECT_EQ(found("page[size]=3&page[after]=" + ids[1]), "0");
  EXPECT_EQ(found("page[size]=3&page[before]=" + ids[0]), "321");
  const Answer wrong = get(kTokens + std::string("?filter[status]=DONE"));
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(wrong.error(), "Query Error");
  EXPECT_NE(wrong.body.find("Invalid status values: DONE"), std::string::npos) << wrong.body;
  for (const char* query :
       {"page[size]=0", "page[after]=run_1", "filter[tag]=a", "status=WAITING", "filter[createdAt][period]=soon"}) {
    EXPECT_EQ(get(kTokens + ("?" + std::string(query))).status, 400) << query;
  }
}

TEST_F(Waitpoints, ThatAreNoneAreNotFound) {
  for (const std::string& id :
       {std::string("waitpoint_1"), std::string("x"), store::new_token_id(store::Time()).text()}) {
    EXPECT_EQ(show(id).status, 404) << id;
    const Answer completed = complete(id, R"({"data":1})");
    EXPECT_EQ(completed.status, 404) << id;
    EXPECT_EQ(completed.error(), "the waitpoint token \"" + id + "\" does not exist");
    EXPECT_EQ(completed.header("x-should-retry"), "false");
  }
}

TEST_F(Waitpoints, ThatCannotBeAreRefusedInWords) {
  EXPECT_EQ(create("{").status, 400);
  EXPECT_EQ(create("[]").status, 400);
  EXPECT_EQ(create(R"({"timeout":"soon"})").status, 422);
  EXPECT_EQ(create(R"({"timeout":"soon"})").error(),
            "\"timeout\" must be a duration such as 10m or a time such as 2030-01-31T12:00:00Z, not \"soon\"");
  EXPECT_EQ(create(R"({"tags":["1","2","3","4","5","6","7","8","9","10","11"]})").error(),
            "a token has at most 10 tags, not 11");
  EXPECT_EQ(create(R"({"tags":[7]})").status, 422);
  EXPECT_EQ(create(R"({"idempotencyKey":""})").status, 422);
  EXPECT_EQ(create(R"({"idempotencyKey":null,"timeout":null,"tags":null})").status, 200);
  EXPECT_EQ(create(R"({"idempotencyKey":"k","idempotencyKeyTTL":"never"})").status, 200) << "ignored, by contract";
  const std::string id = created();
  EXPECT_EQ(complete(id, "7").status, 400);
  EXPECT_EQ(complete(id, R"({"value":7})").status, 400) << "nobody means that it is completed with nothing";
  EXPECT_EQ(complete(id, R"({"data":")" + std::string(store::kLargestTokenValue, 'x') + "\"}").status, 413);
  EXPECT_EQ(text_at(show(id).json(), "status"), "WAITING");
}

TEST_F(Waitpoints, AreCompletedWithAPublicTokenThatNamesThem) {
  const std::string id = created();
  const auto with = [&](const std::string& scope, const std::string& method, const std::string& path) {
    const store::Time now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    const auth::PublicToken token{.scopes = {scope}, .expires = now + std::chrono::minutes(15), .skip_columns = {}};
    return ask(method + " " + path +
               " HTTP/1.1\r\nhost: 127.0.0.1\r\norigin: https://app.example\r\nauthorization: Bearer " +
               auth::sign_public_token(token, kTestKey, now) + "\r\ncontent-length: 10\r\n\r\n{\"data\":1}");
  };
  const std::string path = kTokens + ("/" + id) + "/complete";
  EXPECT_EQ(with("write:waitpoints:waitpoint_other", "POST", path).status, 403);
  EXPECT_EQ(with("read:waitpoints:" + id, "POST", path).status, 403);
  EXPECT_EQ(with("write:waitpoints:" + id, "POST", kTokens).status, 403) << "pages may only complete";
  const Answer completed = with("write:waitpoints:" + id, "POST", path);
  EXPECT_EQ(completed.status, 200) << completed.body;
  EXPECT_EQ(completed.header("access-control-allow-origin"), "*");
  EXPECT_EQ(text_at(show(id).json(), "status"), "COMPLETED");
  const Answer preflight =
      ask("OPTIONS " + path + " HTTP/1.1\r\nhost: 127.0.0.1\r\norigin: https://app.example\r\n\r\n");
  EXPECT_EQ(preflight.status, 204);
}

}  // namespace
}  // namespace perdure::api
