// The verbs about keys: what they ask of a host, and what they make of its answers.
#include <gtest/gtest.h>

#include "tests/cli/fake_host.h"
#include "tests/cli/perdure_command.h"

namespace perdure::cli {
namespace {

const std::string kKey =
    R"({"id":"key_1","name":"web \u001b[1mshop","hint":"wxyz","scopes":["read","trigger"],"createdAt":"2026-11-23T13:34:33.808Z"})";

class KeyVerbs : public ::testing::Test {
 protected:
  Ended ask(std::vector<std::string> arguments, Given given = {}) {
    given.variables["PERDURE_URL"] = host.url();
    given.variables["PERDURE_API_KEY"] = "tr_prod_x";
    return perdure(std::move(arguments), given);
  }
  FakeHost host;
};

TEST_F(KeyVerbs, CreatePrintsTheKeyAloneAndSaysTheRestBesides) {
  host.on("POST /perdure/v1/keys", {{.body = R"({"id":"key_1","key":"tr_prod_sk_abc"})"}});
  const Ended ended = ask({"keys", "create", "--scope", "read", "--scope", "trigger", "--name", "a \"b\""});
  EXPECT_EQ(ended.status, kDone) << ended.err;
  EXPECT_EQ(ended.out, "tr_prod_sk_abc\n");
  EXPECT_NE(ended.err.find("key_1"), std::string::npos);
  EXPECT_EQ(host.requests().at(0).body, R"({"name":"a \"b\"","scopes":["read","trigger"]})");
}

TEST_F(KeyVerbs, CreateTakesScopesThatThereAre) {
  EXPECT_EQ(ask({"keys", "create", "--scope", "write"}).status, kWrongUsage);
  EXPECT_EQ(ask({"keys", "create"}).status, kWrongUsage);
  EXPECT_TRUE(host.requests().empty());
}

TEST_F(KeyVerbs, ListShowsWhatTheyMayDoAndNoControlCharacters) {
  host.on("GET /perdure/v1/keys", {{.body = R"({"data":[)" + kKey + "]}"}});
  const Ended ended = ask({"keys", "list"});
  EXPECT_EQ(ended.status, kDone) << ended.err;
  EXPECT_NE(ended.out.find("read, trigger"), std::string::npos) << ended.out;
  EXPECT_EQ(ended.out.find('\x1b'), std::string::npos) << ended.out;
  EXPECT_EQ(ask({"keys", "list", "--json"}).out, kKey + "\n");
}

TEST_F(KeyVerbs, ListOfNoneSaysHowToMakeOneOnATerminal) {
  host.on("GET /perdure/v1/keys", {{.body = R"({"data":[]})"}});
  EXPECT_NE(ask({"keys", "list"}, {.terminal = true}).out.find("perdure keys create"), std::string::npos);
  EXPECT_EQ(ask({"keys", "list"}).out, "");
}

TEST_F(KeyVerbs, RevokeNamesTheKey) {
  host.on("DELETE /perdure/v1/keys/key_1", {{.body = kKey}});
  const Ended ended = ask({"keys", "revoke", "key_1"});
  EXPECT_EQ(ended.status, kDone) << ended.err;
  EXPECT_NE(ended.out.find("key_1 is revoked"), std::string::npos);
  EXPECT_EQ(ask({"keys", "revoke", "key_2"}).status, kFailed);
}

TEST_F(KeyVerbs, RotatePrintsTheNewKey) {
  host.on("POST /perdure/v1/keys/root/rotate",
          {{.body = R"({"key":"tr_prod_new","formerKeyAcceptedUntil":"2026-11-24T13:34:33.808Z"})"}});
  const Ended ended = ask({"keys", "rotate", "--grace", "1h"});
  EXPECT_EQ(ended.status, kDone) << ended.err;
  EXPECT_EQ(ended.out, "tr_prod_new\n");
  EXPECT_NE(ended.err.find("2026-11-24T13:34:33.808Z"), std::string::npos);
  EXPECT_EQ(host.requests().at(0).body, R"({"grace":"1h"})");
}

TEST_F(KeyVerbs, EveryHelpHasAnExample) {
  for (const char* verb : {"create", "list", "revoke", "rotate"}) {
    const Ended ended = perdure({"keys", verb, "--help"});
    EXPECT_EQ(ended.status, kDone) << verb;
    EXPECT_NE(ended.out.find("Example"), std::string::npos) << ended.out;
  }
}

}  // namespace
}  // namespace perdure::cli
