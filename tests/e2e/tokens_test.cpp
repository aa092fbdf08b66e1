// Waitpoint tokens of a real host: completed by the API, the command line, their URL or time, also when the host dies
// in between.
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <csignal>

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

}  // namespace
}  // namespace perdure::e2e
