// What `perdure tokens …` asks of a host, and what it shows.
#include <gtest/gtest.h>

#include <string>

#include "tests/cli/fake_host.h"
#include "tests/cli/perdure_command.h"

namespace perdure::cli {
namespace {

constexpr const char* kPath = "/api/v1/waitpoints/tokens";
constexpr const char* kWaiting = R"({"id":"waitpoint_1","url":"http://h/callback","status":"WAITING","tags":["a","b"],
  "createdAt":"2026-11-23T13:34:33.000Z","timeoutAt":"2026-11-23T13:44:33.000Z","idempotencyKey":"ik","runId":"run_7"})";
constexpr const char* kCompleted = R"({"id":"waitpoint_1","url":"u","status":"COMPLETED","tags":[],
  "createdAt":"2026-11-23T13:34:33.000Z","completedAt":"2026-11-23T13:35:00.000Z","output":"{\"yes\":true}",
  "outputType":"application/json","outputIsError":false})";

class TokensCommand : public ::testing::Test {
 protected:
  Ended ask(std::vector<std::string> arguments, bool terminal = false, const std::string& in = {}) {
    arguments.insert(arguments.begin(), "tokens");
    return perdure(std::move(arguments),
                   {.variables = {{"PERDURE_URL", host.url()}, {"PERDURE_API_KEY", "tr_prod_x"}, {"TZ", "UTC"}},
                    .in = in,
                    .terminal = terminal,
                    .color = false});
  }
  FakeHost host;
};

bool has(const std::string& text, std::string_view words) { return text.find(words) != std::string::npos; }

TEST_F(TokensCommand, ListFollowsThePagesAndSendsWhatItFiltersBy) {
  const std::string base = std::string("GET ") + kPath + "?page%5Bsize%5D=";
  const std::string filters =
      "&filter%5Bstatus%5D=WAITING%2CTIMED_OUT&filter%5Btags%5D=a&filter%5BidempotencyKey%5D=ik"
      "&filter%5BcreatedAt%5D%5Bperiod%5D=1h";
  host.on(base + "2" + filters,
          {{.body = "{\"data\":[" + std::string(kWaiting) + R"(],"pagination":{"next":"waitpoint_0"}})"}});
  host.on(base + "1" + filters + "&page%5Bafter%5D=waitpoint_0",
          {{.body = "{\"data\":[" + std::string(kCompleted) + R"(],"pagination":{}})"}});
  const std::vector<std::string> arguments{"list",    "--status", "waiting,timed_out", "--tag", "a", "--key", "ik",
                                           "--since", "1h",       "--limit",           "2"};
  const Ended ended = ask(arguments);
  EXPECT_EQ(ended.status, kDone) << ended.err;
  EXPECT_TRUE(has(ended.out, "TOKEN")) << ended.out;
  EXPECT_TRUE(has(ended.out, "waitpoint_1  WAITING")) << ended.out;
  EXPECT_TRUE(has(ended.out, "a, b")) << ended.out;
  EXPECT_TRUE(has(ended.out, "COMPLETED")) << ended.out;
  std::vector<std::string> json = arguments;
  json.emplace_back("--json");
  EXPECT_TRUE(ask(json).out.starts_with("{\"id\":\"waitpoint_1\""));
}

TEST_F(TokensCommand, GetShowsUrlTimesAndOutput) {
  host.on(std::string("GET ") + kPath + "/waitpoint_1", {{.body = kWaiting}, {.body = kCompleted}});
  const Ended waiting = ask({"get", "waitpoint_1"});
  EXPECT_EQ(waiting.status, kDone) << waiting.err;
  for (const char* words : {"waitpoint_1 WAITING", "url  http://h/callback", "times out  2026-11-23", "tags  a, b",
                            "key  ik", "by  run_7"}) {
    EXPECT_TRUE(has(waiting.out, words)) << words << "\n" << waiting.out;
  }
  const Ended completed = ask({"get", "waitpoint_1"});
  EXPECT_TRUE(has(completed.out, "output  {\"yes\":true}")) << completed.out;
  EXPECT_EQ(ask({"get", "waitpoint_2"}).status, kFailed);
}

TEST_F(TokensCommand, CreatePrintsTheIdAndOnATerminalTheUrl) {
  host.on(std::string("POST ") + kPath,
          {{.body = R"({"id":"waitpoint_1","isCached":false,"url":"http://h/callback"})"}});
  const Ended ended =
      ask({"create", "--timeout", "2d", "--tag", "a", "--tag", "b\"", "--key", "ik", "--key-ttl", "1h"}, true);
  EXPECT_EQ(ended.status, kDone) << ended.err;
  EXPECT_EQ(host.requests().at(0).body,
            R"({"timeout":"2d","idempotencyKey":"ik","idempotencyKeyTTL":"1h","tags":["a","b\""]})");
  EXPECT_EQ(ended.out, "waitpoint_1\n");
  EXPECT_TRUE(has(ended.err, "http://h/callback")) << ended.err;
  EXPECT_EQ(ask({"create"}).err, "") << "only the id, for scripts";
  EXPECT_EQ(host.requests().at(1).body, "{}");
}

TEST_F(TokensCommand, CompleteSendsTheValueAndTellsWhatTheTokenKept) {
  host.on(std::string("POST ") + kPath + "/waitpoint_1/complete", {{.body = R"({"success":true})"}});
  host.on(std::string("GET ") + kPath + "/waitpoint_1", {{.body = kCompleted}});
  const Ended ended = ask({"complete", "waitpoint_1", R"({"yes":true})"});
  EXPECT_EQ(ended.status, kDone) << ended.err;
  EXPECT_EQ(ended.out, "waitpoint_1 is completed with {\"yes\":true}\n");
  EXPECT_EQ(host.requests().at(0).body, R"({"data":{"yes":true}})");
  ask({"complete", "waitpoint_1"});
  EXPECT_EQ(host.requests().at(2).body, "{}");
  ask({"complete", "waitpoint_1", "-"}, false, "[1]");
  EXPECT_EQ(host.requests().at(4).body, R"({"data":[1]})");
}

TEST_F(TokensCommand, CompleteRefusesWhatIsNoJsonAndFailsWhereTheTokenHadTimedOut) {
  const Ended wrong = ask({"complete", "waitpoint_1", "yes"});
  EXPECT_EQ(wrong.status, kWrongUsage);
  EXPECT_TRUE(has(wrong.err, "give JSON")) << wrong.err;
  EXPECT_TRUE(host.requests().empty());
  EXPECT_EQ(ask({"complete", "waitpoint_1", "1"}).status, kFailed) << "there is none";
  host.on(std::string("POST ") + kPath + "/waitpoint_1/complete", {{.body = R"({"success":true})"}});
  host.on(std::string("GET ") + kPath + "/waitpoint_1", {{.body = R"({"id":"waitpoint_1","status":"TIMED_OUT"})"}});
  const Ended late = ask({"complete", "waitpoint_1", "1"});
  EXPECT_EQ(late.status, kFailed);
  EXPECT_TRUE(has(late.err, "had timed out")) << late.err;
}

}  // namespace
}  // namespace perdure::cli
