// Keys besides the root key: what each may do, and what becomes of it; how wrong ones are slowed down.
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "host/api/auth/failures.h"
#include "host/api/auth/key_ring.h"
#include "tests/api/api_test.h"

namespace perdure::api {
namespace {

using std::chrono::hours;

constexpr store::Time kNow{std::chrono::seconds(1795440000)};

class Directory {
 public:
  Directory() { path_ = ::mkdtemp(name_.data()); }
  ~Directory() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string operator/(const std::string& file) const { return path_ + "/" + file; }

 private:
  std::string name_ = std::filesystem::temp_directory_path() / "perdure-keys-XXXXXX";
  std::string path_;
};

std::string content_of(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string key_header(const std::string& key) { return "authorization: Bearer " + key + "\r\n"; }

std::string text(std::string_view method, std::string_view target, const std::string& headers,
                 const std::string& body = {}) {
  return std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nhost: 127.0.0.1\r\n" + headers +
         "content-type: application/json\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class Keys : public ApiTest {
 protected:
  struct Made {
    std::string id, key;
  };
  [[nodiscard]] Made make(const std::string& scopes) const {
    const Answer answer = post("/perdure/v1/keys", R"({"name":"test","scopes":[)" + scopes + "]}");
    EXPECT_EQ(answer.status, 200) << answer.body;
    return {text_at(answer.json(), "id"), text_at(answer.json(), "key")};
  }
  [[nodiscard]] int status_of(std::string_view method, const std::string& target, const std::string& key,
                              const std::string& body = {}) const {
    return ask(text(method, target, key_header(key), body)).status;
  }
};

TEST_F(Keys, HaveTheFormByWhichTheOfficialClientKnowsThem) {
  const Made made = make(R"("read")");
  ASSERT_EQ(made.key.size(), 11u + 24u);
  EXPECT_TRUE(made.key.starts_with("tr_prod_sk_"));
  EXPECT_TRUE(std::ranges::all_of(made.key.substr(11), [](unsigned char c) { return std::isalnum(c) != 0; }));
  const Answer list = get("/perdure/v1/keys");
  EXPECT_EQ(list.status, 200);
  EXPECT_NE(list.body.find(made.id), std::string::npos);
  EXPECT_EQ(list.body.find(made.key), std::string::npos) << "a key is told once";
  EXPECT_EQ(list.body.find("digest"), std::string::npos);
}

TEST_F(Keys, MayDoWhatTheirScopesSay) {
  const std::string run = engine->make_run().text();
  struct Case {
    std::string_view method;
    std::string target;
    std::string_view needs;
  };
  const std::vector<Case> cases{{"GET", "/api/v1/runs", "read"},
                                {"GET", "/api/v3/runs/" + run, "read"},
                                {"GET", "/perdure/v1/runs/" + run, "read"},
                                {"GET", "/perdure/v1/runs/" + run + "/logs", "read"},
                                {"GET", "/api/v1/queues", "read"},
                                {"GET", "/perdure/v1/status", "read"},
                                {"POST", "/api/v1/tasks/echo/trigger", "trigger"},
                                {"POST", "/api/v1/runs/" + run + "/replay", "trigger"},
                                {"POST", "/api/v1/runs/" + run + "/tags", "trigger"},
                                {"PUT", "/api/v1/runs/" + run + "/metadata", "trigger"},
                                {"POST", "/api/v2/runs/" + run + "/cancel", "trigger"},
                                {"GET", "/perdure/v1/runs/" + run + "/start", "admin"},
                                {"POST", "/perdure/v1/plugins/demo/release", "admin"},
                                {"POST", "/api/v1/queues/x/pause", "admin"},
                                {"POST", "/api/v1/schedules", "admin"},
                                {"GET", "/perdure/v1/keys", "admin"},
                                {"POST", "/perdure/v1/keys", "admin"},
                                {"DELETE", "/perdure/v1/keys/key_x", "admin"},
                                {"POST", "/perdure/v1/keys/root/rotate", "admin"},
                                {"POST", "/api/v1/auth/jwt/claims", ""}};
  for (const std::string_view scope : {"read", "trigger", "admin"}) {
    const Made made = make('"' + std::string(scope) + '"');
    for (const Case& each : cases) {
      const bool allowed = each.needs.empty() || scope == each.needs || scope == "admin";
      const Answer answer = ask(text(each.method, each.target, key_header(made.key)));
      EXPECT_EQ(answer.status != 403, allowed)
          << scope << " " << each.method << " " << each.target << " " << answer.body;
      EXPECT_NE(answer.status, 401) << each.target;
      if (!allowed) {
        EXPECT_EQ(answer.error(), "this key may not do that: it needs the scope \"" + std::string(each.needs) + "\"");
      }
    }
  }
}

TEST_F(Keys, AddUp) {
  const Made made = make(R"("read","trigger")");
  EXPECT_EQ(status_of("GET", "/api/v1/runs", made.key), 200);
  EXPECT_EQ(status_of("POST", "/api/v1/tasks/echo/trigger", made.key, "{}"), 200);
  EXPECT_EQ(status_of("GET", "/perdure/v1/keys", made.key), 403);
}

TEST_F(Keys, AreNoneOnceRevokedNorAreTheirTokens) {
  const Made made = make(R"("read")");
  const Answer minted = ask(text("POST", "/api/v1/auth/public-tokens", key_header(made.key),
                                 R"({"scopes":["read:runs"],"expirationTime":"1h"})"));
  ASSERT_EQ(minted.status, 200) << minted.body;
  const std::string token = text_at(minted.json(), "token");
  EXPECT_EQ(status_of("GET", "/api/v1/runs", made.key), 200);
  EXPECT_EQ(status_of("GET", "/api/v1/runs", token), 200);
  EXPECT_EQ(ask(request_text("DELETE", "/perdure/v1/keys/" + made.id)).status, 200);
  EXPECT_EQ(status_of("GET", "/api/v1/runs", made.key), 401);
  EXPECT_EQ(status_of("GET", "/api/v1/runs", token), 401);
  EXPECT_EQ(ask(request_text("DELETE", "/perdure/v1/keys/" + made.id)).status, 404);
}

TEST_F(Keys, GiveTokensForWhatTheyMayDoThemselves) {
  const Made reader = make(R"("read")");
  const Made trigger = make(R"("trigger")");
  const auto mint = [&](const std::string& key, const std::string& scope) {
    return status_of("POST", "/api/v1/auth/public-tokens", key, R"({"scopes":[")" + scope + R"("]})");
  };
  EXPECT_EQ(mint(reader.key, "read:runs:run_1"), 200);
  EXPECT_EQ(mint(trigger.key, "trigger:tasks:echo"), 200);
  EXPECT_EQ(mint(trigger.key, "batchTrigger:tasks:echo"), 200);
  EXPECT_EQ(mint(trigger.key, "write:waitpoints:waitpoint_1"), 200);
  for (const std::string scope : {"trigger:tasks:echo", "write:runs", "admin", "*:runs"}) {
    EXPECT_EQ(mint(reader.key, scope), 403) << scope;
  }
  for (const std::string scope : {"read:runs", "admin", "*:all"}) EXPECT_EQ(mint(trigger.key, scope), 403) << scope;
  EXPECT_EQ(mint(std::string(kTestKey), "admin"), 200);
}

TEST_F(Keys, HandBackATokenForTheRunTheyMade) {
  const Made made = make(R"("trigger")");
  const Answer triggered = ask(text("POST", "/api/v1/tasks/echo/trigger", key_header(made.key), "{}"));
  const std::string token = triggered.header("x-trigger-jwt");
  EXPECT_EQ(status_of("GET", "/api/v3/runs/" + text_at(triggered.json(), "id"), token), 200);
  EXPECT_EQ(status_of("GET", "/api/v1/runs", token), 403);
}

TEST_F(Keys, TokensLiveAsLongAsIsAskedFor) {
  const auto minted = [&](const std::string& expiry) {
    return post("/api/v1/auth/public-tokens", R"({"scopes":["read:runs"],"expirationTime":)" + expiry + "}");
  };
  const auto lives = [&](const std::string& expiry) -> double {
    const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    const Answer answer = minted(expiry);
    const auto token = auth::read_public_token(text_at(answer.json(), "token"), {std::string(kTestKey)}, now);
    return token ? std::chrono::duration<double>(token->expires - now).count() : -1;
  };
  EXPECT_NEAR(lives("\"90s\""), 90, 5);
  EXPECT_NEAR(lives("\"15m\""), 900, 5);
  EXPECT_NEAR(lives("\"2 hours\""), 7200, 5);
  EXPECT_NEAR(lives("\"1.5h\""), 5400, 5);
  const auto in_an_hour = std::chrono::system_clock::now() + hours(1);
  EXPECT_NEAR(lives(std::to_string(std::chrono::floor<std::chrono::seconds>(in_an_hour).time_since_epoch().count())),
              3600, 5);
  for (const std::string expiry :
       {"\"\"", "\"soon\"", "\"-1h\"", "\"1 fortnight\"", "1", "null", "\"100y\"", "\"0s\""}) {
    EXPECT_EQ(minted(expiry).status, 400) << expiry;
  }
  for (const std::string body :
       {"", "[]", "{}", R"({"scopes":[]})", R"({"scopes":"read:runs"})", R"({"scopes":[1]})"}) {
    EXPECT_EQ(post("/api/v1/auth/public-tokens", body).status, 400) << body;
  }
}

TEST_F(Keys, AreMadeOfWhatMakesSense) {
  for (const std::string body : {"", "{}", "[]", "x", R"({"scopes":[]})", R"({"scopes":["root"]})",
                                 R"({"scopes":"read"})", R"({"scopes":["read"],"name":1})"}) {
    EXPECT_EQ(post("/perdure/v1/keys", body).status, 400) << body;
  }
  EXPECT_EQ(post("/perdure/v1/keys", R"({"scopes":["read"],"name":")" + std::string(101, 'x') + "\"}").status, 422);
  EXPECT_EQ(text_at(get("/perdure/v1/keys").json(), "x"), "(no text)");
  EXPECT_EQ(get("/perdure/v1/keys").body, R"({"data":[]})");
}

TEST_F(Keys, ThatAreWrongTooOftenHaveToWait) {
  int refused = 0;
  Answer last;
  for (int i = 0; i < 40; ++i) {
    last = ask(text("GET", "/api/v1/runs", key_header("tr_prod_wrong" + std::to_string(i))));
    refused += last.status == 429 ? 1 : 0;
    EXPECT_TRUE(last.status == 401 || last.status == 429) << last.status;
  }
  EXPECT_GE(refused, 15);
  EXPECT_EQ(last.status, 429);
  EXPECT_FALSE(last.error().empty());
  EXPECT_GE(std::stoi(last.header("retry-after")), 1);
  EXPECT_GT(std::stoll(last.header("x-ratelimit-reset")), 1'700'000'000'000);
  EXPECT_EQ(last.header("x-should-retry"), "false");
  EXPECT_EQ(get("/api/v1/runs").status, 200) << "who has the key is let in all the same";
}

TEST_F(Keys, AnswersThatLackAKeyAreNotCounted) {
  for (int i = 0; i < 40; ++i) EXPECT_EQ(ask(text("GET", "/api/v1/runs", {})).status, 401);
}

TEST(FailedKeys, AreCountedByAddressAndForgottenWithTime) {
  auth::Failures failures({.burst = 2, .each = std::chrono::milliseconds(100), .addresses = 8});
  const auth::Failures::Time begin{std::chrono::hours(1)};
  EXPECT_FALSE(failures.note(1, begin));
  EXPECT_FALSE(failures.note(1, begin));
  EXPECT_EQ(failures.note(1, begin), std::chrono::milliseconds(101));
  EXPECT_FALSE(failures.note(2, begin)) << "another address";
  EXPECT_FALSE(failures.note(1, begin + std::chrono::milliseconds(101)));
  EXPECT_TRUE(failures.note(1, begin + std::chrono::milliseconds(102)));
}

TEST(FailedKeys, OfAMillionAddressesTakeNoMoreRoom) {
  auth::Failures failures({.burst = 2, .each = std::chrono::milliseconds(100), .addresses = 8});
  const auth::Failures::Time begin{std::chrono::hours(1)};
  int refused = 0;
  for (std::uint64_t network = 1; network <= 100; ++network) refused += failures.note(network, begin) ? 1 : 0;
  EXPECT_EQ(refused, 100 - 8 - 2) << "those beyond eight share one bucket of two";
  EXPECT_FALSE(failures.note(200, begin + std::chrono::hours(1))) << "who waited long enough made room";
}

TEST(KeyRing, KeepsItsKeysAndNothingThatCouldBeUsedAsOne) {
  const Directory directory;
  std::string text;
  {
    auto ring = auth::KeyRing::open("tr_prod_root", {directory / "keys", directory / "secret"});
    ASSERT_TRUE(ring);
    text = (*ring)->create("ci \"x\"", static_cast<auth::Rights>(auth::Right::kTrigger), kNow)->text;
  }
  EXPECT_EQ(content_of(directory / "keys").find(text), std::string::npos);
  struct stat about {};
  ASSERT_EQ(::stat((directory / "keys").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
  auto ring = auth::KeyRing::open("tr_prod_root", {directory / "keys", directory / "secret"});
  ASSERT_TRUE(ring);
  const auto caller = (*ring)->authenticate(text, kNow);
  ASSERT_TRUE(caller);
  EXPECT_EQ((*caller)->rights, static_cast<auth::Rights>(auth::Right::kTrigger));
  EXPECT_EQ((*ring)->keys().at(0).name, "ci \"x\"");
  EXPECT_FALSE((*ring)->authenticate(text + "x", kNow));
}

TEST(KeyRing, LetsTheFormerRootKeyInWhileItsGraceLasts) {
  const Directory directory;
  const auth::KeyRing::Places places{directory / "keys", directory / "secret"};
  auto ring = auth::KeyRing::open("tr_prod_first", places);
  ASSERT_TRUE(ring);
  const std::string token = (*ring)->sign({.scopes = {"admin"}, .expires = kNow + hours(9), .skip_columns = {}}, kNow);
  const auto second = (*ring)->replace_root(kNow + hours(1), kNow);
  ASSERT_TRUE(second);
  EXPECT_EQ(content_of(directory / "secret"), *second + "\n");
  const auto check = [&](const auth::KeyRing& each) {
    EXPECT_TRUE(each.authenticate(*second, kNow));
    EXPECT_TRUE(each.authenticate("tr_prod_first", kNow));
    EXPECT_TRUE(each.authenticate(token, kNow)) << "it was signed with the former key";
    EXPECT_FALSE(each.authenticate("tr_prod_first", kNow + hours(1)));
    EXPECT_FALSE(each.authenticate(token, kNow + hours(1)));
    EXPECT_TRUE(each.authenticate(*second, kNow + hours(1)));
  };
  check(**ring);
  const auto again = auth::KeyRing::open(*second, places);
  ASSERT_TRUE(again);
  check(**again);
}

TEST(KeyRing, WithoutGraceEndsTheFormerRootKeyAtOnce) {
  const Directory directory;
  auto ring = auth::KeyRing::open("tr_prod_first", {directory / "keys", directory / "secret"});
  ASSERT_TRUE((*ring)->replace_root(kNow, kNow));
  EXPECT_FALSE((*ring)->authenticate("tr_prod_first", kNow));
}

TEST(KeyRing, LeavesARootKeyOfTheConfigurationAlone) {
  const Directory directory;
  auto ring = auth::KeyRing::open("configured", {directory / "keys", {}});
  EXPECT_EQ((*ring)->replace_root(kNow, kNow).status().code(), store::Code::kInvalid);
  EXPECT_TRUE((*ring)->authenticate("configured", kNow));
}

TEST(KeyRing, RefusesAFileThatOthersMayReadOrThatIsDamaged) {
  const Directory directory;
  const auth::KeyRing::Places places{directory / "keys", directory / "secret"};
  { ASSERT_TRUE((*auth::KeyRing::open("root", places))->create("a", 1, kNow)); }
  const std::string whole = content_of(places.keys);
  ::chmod(places.keys.c_str(), 0644);
  EXPECT_EQ(auth::KeyRing::open("root", places).status().code(), store::Code::kInvalid);
  ::chmod(places.keys.c_str(), 0600);
  for (const std::string& damaged :
       {std::string(), std::string("{"), std::string(R"({"keys":[{}]})"), std::string(R"({"keys":1})"),
        std::string(R"({"formerRootKeys":[{"key":"x"}]})"), whole.substr(0, whole.size() / 2)}) {
    std::ofstream(places.keys, std::ios::trunc) << damaged;
    EXPECT_EQ(auth::KeyRing::open("root", places).status().code(), store::Code::kCorruption) << damaged;
  }
  std::ofstream(places.keys, std::ios::trunc) << whole;
  EXPECT_TRUE(auth::KeyRing::open("root", places));
}

TEST(KeyRing, ThatCannotWriteChangesNothing) {
  const Directory directory;
  auto ring = auth::KeyRing::open("root", {directory / "none/keys", directory / "none/secret"});
  ASSERT_TRUE(ring);
  EXPECT_FALSE((*ring)->create("a", 1, kNow));
  EXPECT_TRUE((*ring)->keys().empty());
  EXPECT_FALSE((*ring)->replace_root(kNow, kNow));
  EXPECT_TRUE((*ring)->authenticate("root", kNow));
}

}  // namespace
}  // namespace perdure::api
