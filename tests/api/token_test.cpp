// Public access tokens by themselves: digests, base64, signatures, claims, scopes. The vectors are RFC 7515's, RFC
// 4231's and what another implementation made (Python's hmac and base64).
#include <gtest/gtest.h>

#include "host/api/auth/digest.h"
#include "host/api/auth/public_token.h"
#include "host/api/auth/scopes.h"

namespace perdure::api::auth {
namespace {

const std::string kKey = "tr_prod_0123456789abcdef0123456789abcdef";
constexpr store::Time kIssued{std::chrono::seconds(1795440000)};

// {"sub":"env_local","pub":true,"scopes":["read:runs:run_1","read:tags:env:staging"],"realtime":{"skipColumns":
// ["payload","output"]},"iat":1795440000,"exp":1795440900,"iss":"https://id.trigger.dev","aud":"https://api.trigger.dev"}
const std::string kForeign =
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJlbnZfbG9jYWwiLCJwdWIiOnRydWUsInNjb3BlcyI6WyJyZWFkOnJ1bnM6cnVuXzEiLCJyZWFkOnRhZ3M6"
    "ZW52OnN0YWdpbmciXSwicmVhbHRpbWUiOnsic2tpcENvbHVtbnMiOlsicGF5bG9hZCIsIm91dHB1dCJdfSwiaWF0IjoxNzk1NDQwMDAwLCJleHAiOj"
    "E3OTU0NDA5MDAsImlzcyI6Imh0dHBzOi8vaWQudHJpZ2dlci5kZXYiLCJhdWQiOiJodHRwczovL2FwaS50cmlnZ2VyLmRldiJ9."
    "eQlXh2dO9xOlR5mEz0_NO1cD9Mc4B9VXkHMiKr_otJk";

std::string signed_by(const std::string& key, const std::string& claims,
                      const std::string& header = R"({"alg":"HS256"})") {
  const std::string text = to_base64url(header) + "." + to_base64url(claims);
  return text + "." + to_base64url(hmac_sha256(key, text));
}

// Good claims, with one of them replaced: by nothing when `value` is empty.
std::string claims_with(const std::string& name, const std::string& value) {
  const std::vector<std::pair<std::string, std::string>> good{{"sub", R"("env_local")"},
                                                              {"pub", "true"},
                                                              {"scopes", R"(["read:runs"])"},
                                                              {"exp", "1795440900"},
                                                              {"iss", R"("https://id.trigger.dev")"},
                                                              {"aud", R"("https://api.trigger.dev")"}};
  std::string text;
  bool there = false;
  for (const auto& [each, usual] : good) {
    there = there || each == name;
    if (each == name && value.empty()) continue;
    text += (text.empty() ? "{\"" : ",\"") + each + "\":" + (each == name ? value : usual);
  }
  return there ? text + "}" : text + ",\"" + name + "\":" + value + "}";
}

bool accepted(const std::string& text, store::Time now = kIssued) {
  return read_public_token(text, {kKey}, now).is_ok();
}

TEST(Digest, IsThatOfTheStandardsExamples) {
  EXPECT_EQ(to_hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Digest, OfRfc7515IsItsSignature) {
  const auto key =
      from_base64url("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
  ASSERT_TRUE(key);
  EXPECT_EQ(to_base64url(hmac_sha256(
                *key,
                "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
                "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ")),
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
}

TEST(Base64, GoesBothWaysAndHasOneTextForEach) {
  for (const std::string bytes : {"", "f", "fo", "foo", "foob", "\xff\xfe\xfd"}) {
    EXPECT_EQ(from_base64url(to_base64url(bytes)), bytes);
  }
  EXPECT_EQ(to_base64url("\xfb\xff"), "-_8");
  for (const char* text : {"=", "Zg==", "Z", "Zh", "Zm9", "Z+8", "Z/8", "Zg\n", "Zm9vY"}) {
    EXPECT_FALSE(from_base64url(text)) << text;
  }
}

TEST(Secrets, AreComparedWhole) {
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  for (const char* other : {"", "ab", "abcd", "abd", "Abc"}) {
    EXPECT_FALSE(equal_in_constant_time("abc", other)) << other;
  }
}

TEST(PublicToken, OfAnotherImplementationIsUnderstood) {
  const auto token = read_public_token(kForeign, {"some other key", kKey}, kIssued);
  ASSERT_TRUE(token) << token.status().message();
  EXPECT_EQ(token->scopes, (std::vector<std::string>{"read:runs:run_1", "read:tags:env:staging"}));
  EXPECT_EQ(token->skip_columns, (std::vector<std::string>{"payload", "output"}));
  EXPECT_EQ(token->expires, kIssued + std::chrono::minutes(15));
  EXPECT_FALSE(token->one_time);
}

TEST(PublicToken, OfOursIsReadBack) {
  const PublicToken made{.scopes = {"read:runs:run_1", "trigger:tasks:a\"b"},
                         .expires = kIssued + std::chrono::hours(1),
                         .one_time = true,
                         .skip_columns = {"payload"},
                         .key = "key_1"};
  const std::string text = sign_public_token(made, kKey, kIssued);
  const auto token = read_public_token(text, {kKey}, kIssued);
  ASSERT_TRUE(token) << token.status().message();
  EXPECT_EQ(token->scopes, made.scopes);
  EXPECT_EQ(token->expires, made.expires);
  EXPECT_TRUE(token->one_time);
  EXPECT_EQ(token->skip_columns, made.skip_columns);
  EXPECT_EQ(token->key, "key_1");
  EXPECT_NE(sign_public_token(made, kKey, kIssued), text) << "one-time tokens are never the same";
}

TEST(PublicToken, EndsAtItsTime) {
  EXPECT_TRUE(accepted(kForeign, kIssued + std::chrono::seconds(899)));
  EXPECT_FALSE(accepted(kForeign, kIssued + std::chrono::seconds(900)));
}

TEST(PublicToken, OfAnotherKeyIsRefused) {
  EXPECT_FALSE(read_public_token(kForeign, {"tr_prod_another"}, kIssued));
  EXPECT_FALSE(read_public_token(kForeign, {}, kIssued));
}

TEST(PublicToken, WithAnyCharacterChangedIsRefused) {
  for (std::size_t i = 0; i < kForeign.size(); ++i) {
    std::string changed = kForeign;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(accepted(changed)) << i;
  }
}

TEST(PublicToken, SaysNothingAboutHowItIsChecked) {
  const std::string claims = claims_with("sub", R"("env_local")");
  ASSERT_TRUE(accepted(signed_by(kKey, claims)));
  for (const std::string header :
       {R"({"alg":"none"})", R"({"alg":"HS512"})", R"({"alg":"hs256"})", R"({"alg":"RS256"})", R"({})", R"(["HS256"])",
        R"({"alg":"HS256","crit":["exp"]})", R"({"alg":["HS256"]})", "not json"}) {
    EXPECT_FALSE(accepted(signed_by(kKey, claims, header))) << header;
  }
  const std::string unsigned_text = to_base64url(R"({"alg":"none"})") + "." + to_base64url(claims) + ".";
  EXPECT_FALSE(accepted(unsigned_text));
}

TEST(PublicToken, NeedsItsClaims) {
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{{"sub", ""},
                                                                                    {"sub", R"("env_other")"},
                                                                                    {"pub", ""},
                                                                                    {"pub", "false"},
                                                                                    {"pub", R"("true")"},
                                                                                    {"exp", ""},
                                                                                    {"exp", R"("soon")"},
                                                                                    {"exp", "1795440000"},
                                                                                    {"exp", "-1"},
                                                                                    {"exp", "null"},
                                                                                    {"iss", R"("https://evil.dev")"},
                                                                                    {"iss", ""},
                                                                                    {"aud", ""},
                                                                                    {"aud", R"(["https://evil.dev"])"},
                                                                                    {"scopes", R"("read:runs")"},
                                                                                    {"scopes", "[1]"},
                                                                                    {"nbf", "1795440001"},
                                                                                    {"nbf", R"("x")"}}) {
    EXPECT_FALSE(accepted(signed_by(kKey, claims_with(name, value)))) << name << " " << value;
  }
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"aud", R"(["x","https://api.trigger.dev"])"},
                                                        {"nbf", "1795440000"},
                                                        {"exp", "1e300"},
                                                        {"exp", "1795440000.5"}}) {
    EXPECT_TRUE(accepted(signed_by(kKey, claims_with(name, value)))) << name << " " << value;
  }
}

TEST(PublicToken, IsNothingElse) {
  for (const std::string& text : {std::string(), std::string("."), std::string(".."), std::string("a.b.c"), kKey,
                                  kForeign + ".", std::string(10000, 'a') + ".b.c"}) {
    EXPECT_FALSE(accepted(text)) << text.substr(0, 50);
  }
  EXPECT_FALSE(looks_like_token(kKey));
}

TEST(Scopes, AreSplitAtTheirFirstTwoColons) {
  const Scope scope = parse_scope("read:tags:env:staging");
  EXPECT_EQ(scope.action, "read");
  EXPECT_EQ(scope.type, "tags");
  EXPECT_EQ(scope.id, "env:staging");
  EXPECT_EQ(parse_scope("read:runs").id, "");
}

TEST(Scopes, PermitWhatTheyName) {
  const auto one = [](const std::string& scope, std::string_view action, std::string_view type, std::string_view id) {
    return permits({scope}, action, Resource{type, id});
  };
  EXPECT_TRUE(one("read:runs:run_1", "read", "runs", "run_1"));
  EXPECT_TRUE(one("read:runs", "read", "runs", "run_1"));
  EXPECT_TRUE(one("read:all", "read", "runs", "run_1"));
  EXPECT_TRUE(one("*:runs:run_1", "write", "runs", "run_1"));
  EXPECT_TRUE(one("admin", "write", "anything", "at all"));
  EXPECT_FALSE(one("read:runs:run_1", "read", "runs", "run_2"));
  EXPECT_FALSE(one("read:runs:run_1", "write", "runs", "run_1"));
  EXPECT_FALSE(one("read:runs:run_1", "read", "tasks", "run_1"));
  EXPECT_FALSE(one("read:runs:run_1", "read", "runs", "")) << "one run is not all of them";
  for (const char* scope : {"", "read", ":", "::", "runs", "administrator", "admin:x", "READ:runs"}) {
    EXPECT_FALSE(one(scope, "read", "runs", "run_1")) << scope;
  }
  EXPECT_FALSE(permits({}, "read", Resource{"runs", "run_1"}));
  EXPECT_TRUE(may_permit({"read:tags:x"}, "read", {"runs", "tags"}));
  EXPECT_FALSE(may_permit({"read:tags:x"}, "read", {"runs"}));
}

}  // namespace
}  // namespace perdure::api::auth
