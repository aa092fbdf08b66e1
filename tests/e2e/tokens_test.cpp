// Waitpoint tokens of a real host: completed by the API, the command line, their URL or time, also when the host dies
// in between.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <iterator>
#include <utility>

#include "tests/e2e/host_process.h"

namespace perdure::e2e {
namespace {

constexpr const char* kTokens = "/api/v1/waitpoints/tokens";

boost::json::value create(Http& http, const std::string& body = "{}") {
  const Answer made = http.post(kTokens, body);
  EXPECT_EQ(made.status, 200) << made.body;
  return made.json();
}
std::string id_of(const boost::json::value& token) { return std::string(token.at("id").as_string()); }
boost::json::value show(Http& http, const std::string& id) { return http.get(kTokens + ("/" + id)).json(); }
// Looks until the token is over: what completes it is on another connection, or the host's clock.
boost::json::value await_over(Http& http, const std::string& id) {
  for (;;) {
    boost::json::value token = show(http, id);
    if (!token.is_object() || token.at("status") != "WAITING") return token;
  }
}

TEST(Tokens, AreCompletedByTheCommandLineAndByTheirUrlWithoutAKey) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const Ended made = host.cli({"tokens", "create", "--tag", "approval", "--timeout", "1h"});
  ASSERT_EQ(made.exit_status, 0) << made.err;
  const std::string id = made.out.substr(0, made.out.size() - 1);
  const Ended listed = host.cli({"tokens", "list", "--tag", "approval"});
  EXPECT_NE(listed.out.find(id + "  WAITING"), std::string::npos) << listed.out;
  const Ended completed = host.cli({"tokens", "complete", id, R"({"approved":true})"});
  EXPECT_EQ(completed.exit_status, 0) << completed.err;
  EXPECT_EQ(show(http, id).at("output"), R"({"approved":true})");

  const boost::json::value second = create(http);
  const std::string url(second.at("url").as_string());
  ASSERT_TRUE(url.starts_with(host.url() + "/")) << url << " is at the address that was asked";
  Http anybody(host.url(), "");
  EXPECT_EQ(anybody.post(url.substr(host.url().size()) + "0", "1").status, 401);
  const Answer called = anybody.post(url.substr(host.url().size()), R"({"from":"outside"})");
  EXPECT_EQ(called.status, 200) << called.body;
  EXPECT_EQ(show(http, id_of(second)).at("output"), R"({"from":"outside"})");
}

TEST(Tokens, ThatAreAnsweredSurviveTheHostAndTimeOutAfterIt) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  std::string keyed, completed, late;
  {
    Http http = host.client();
    keyed = id_of(create(http, R"({"idempotencyKey":"k"})"));
    completed = id_of(create(http));
    late = id_of(create(http, R"({"timeout":"1s"})"));
    EXPECT_EQ(http.post(kTokens + ("/" + completed) + "/complete", R"({"data":"yes"})").status, 200);
  }
  host.kill();
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  EXPECT_EQ(show(http, completed).at("output"), "yes");
  EXPECT_EQ(show(http, keyed).at("status"), "WAITING");
  EXPECT_EQ(id_of(create(http, R"({"idempotencyKey":"k"})")), keyed);
  const boost::json::value over = await_over(http, late);
  EXPECT_EQ(over.at("status"), "TIMED_OUT");
  EXPECT_EQ(over.at("outputIsError"), true);
}

std::string waiting_for(const std::string& token) {
  return boost::json::serialize(boost::json::object{{"token", token}});
}

// Waits until the run waits.
void await_waiting(Http& http, const std::string& run) {
  while (http.get("/api/v3/runs/" + run).json().at("status") != "WAITING") continue;
}

std::vector<std::string> events_of(Http& http, const std::string& run) {
  std::vector<std::string> names;
  const auto trace = http.get("/perdure/v1/runs/" + run + "/trace").json();
  for (const auto& event : trace.at("events").as_array()) names.emplace_back(event.at("name").as_string());
  return names;
}

TEST(Tokens, LetEveryRunThatWaitsForThemGoOnWithTheirValue) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const std::string token = id_of(create(http));
  const std::string first = trigger(http, "wait-token", waiting_for(token));
  const std::string second = trigger(http, "wait-token", waiting_for(token));
  await_waiting(http, first);
  await_waiting(http, second);
  EXPECT_EQ(host.cli({"tokens", "complete", token, R"({"n":[1, 0.10]})"}).exit_status, 0);
  for (const std::string& run : {first, second}) {
    const auto done = await_run(http, run);
    EXPECT_EQ(done.at("status"), "COMPLETED") << boost::json::serialize(done);
    EXPECT_EQ(done.at("output"), boost::json::parse(R"({"n":[1,0.10]})"));
  }
}

TEST(Tokens, ThatAreCompleteAlreadyLetNobodyWait) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const std::string token = id_of(create(http)), nothing = id_of(create(http));
  EXPECT_EQ(http.post(kTokens + ("/" + token) + "/complete", R"({"data":"early"})").status, 200);
  EXPECT_EQ(http.post(kTokens + ("/" + nothing) + "/complete", "{}").status, 200);
  const std::string run = trigger(http, "wait-token", waiting_for(token));
  EXPECT_EQ(await_run(http, run).at("output"), "early");
  for (const std::string& event : events_of(http, run)) EXPECT_NE(event, "wait_began");
  EXPECT_TRUE(await_run(http, trigger(http, "wait-token", waiting_for(nothing))).at("output").is_null());
}

TEST(Tokens, ThatTimeOutFailTheRunThatInsistsWithTheirError) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const std::string token = id_of(create(http, R"({"timeout":"1s"})"));
  const auto run = await_run(http, trigger(http, "wait-token", waiting_for(token)));
  EXPECT_EQ(run.at("status"), "FAILED") << boost::json::serialize(run);
  EXPECT_EQ(run.at("error").at("name"), "WaitpointTimeoutError");
  const auto error = boost::json::parse(std::string(show(http, token).at("output").as_string()));
  EXPECT_EQ(run.at("error").at("message"), error.at("message"));
}

TEST(Tokens, ThatAreNoneFailTheRunAtOnce) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  for (const auto& [token, why] : {std::pair("waitpoint_\"none", "is no id of a run or a token"),
                                   std::pair("waitpoint_0000000000000000000000000", "there is no token waitpoint_0")}) {
    const auto run = await_run(http, trigger(http, "wait-token", waiting_for(token)));
    EXPECT_EQ(run.at("status"), "FAILED");
    EXPECT_NE(boost::json::serialize(run.at("error")).find(why), std::string::npos) << boost::json::serialize(run);
  }
}

TEST(Tokens, CompletedWhileTheHostIsGoneAndBackLetTheRunGoOn) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  std::string token, run;
  {
    Http http = host.client();
    token = id_of(create(http));
    run = trigger(http, "wait-token", waiting_for(token));
    await_waiting(http, run);
  }
  host.kill();
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const std::string url(show(http, token).at("url").as_string());
  Http anybody(host.url(), "");
  EXPECT_EQ(anybody.post(url.substr(host.url().size()), "7").status, 200);
  const auto done = await_run(http, run);
  EXPECT_EQ(done.at("status"), "COMPLETED") << boost::json::serialize(done);
  EXPECT_EQ(done.at("output"), 7);
}

TEST(Tokens, AreNotWaitedForAgainByALaterAttempt) {
  HostProcess host({.plugins = PERDURE_TEST_BIN_DIR "/../fixtures/ledger"});
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const std::string token = id_of(create(http));
  const std::string file = host.directory() / "ledger";
  const std::string run =
      trigger(http, "await-token", boost::json::serialize(boost::json::object{{"file", file}, {"token", token}}));
  await_waiting(http, run);
  EXPECT_EQ(http.post(kTokens + ("/" + token) + "/complete", R"({"data":"x"})").status, 200);
  const auto done = await_run(http, run);
  EXPECT_EQ(done.at("output"), "x") << boost::json::serialize(done);
  EXPECT_EQ(done.at("attempts").as_array().size(), 2u);
  const auto events = events_of(http, run);
  EXPECT_EQ(std::ranges::count(events, "wait_began"), 1);
  std::ifstream in(file);
  const std::string lines{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(lines, "\"x\"\n\"x\"\n");
}

}  // namespace
}  // namespace perdure::e2e
