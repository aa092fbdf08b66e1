// Keys of a real host: made, used, revoked and replaced while it works, and across its restarts.
#include <gtest/gtest.h>

#include "tests/e2e/host_process.h"

namespace perdure::e2e {
namespace {

std::string line(const Ended& ended) { return ended.out.substr(0, ended.out.find('\n')); }

TEST(Keys, AreGoodForTheirScopesUntilTheyAreRevoked) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  const Ended created = host.cli({"keys", "create", "--scope", "read", "--name", "dashboard"});
  ASSERT_EQ(created.exit_status, 0) << created.err;
  const std::string key = line(created);
  {
    Http reader(host.url(), key);
    EXPECT_EQ(reader.get("/api/v1/runs").status, 200);
    EXPECT_EQ(reader.post("/api/v1/tasks/echo/trigger", "{}").status, 403);
  }
  host.kill();
  ASSERT_TRUE(host.start()) << host.log();
  Http reader(host.url(), key);
  EXPECT_EQ(reader.get("/api/v1/runs").status, 200) << "it is durable";
  const Ended list = host.cli({"keys", "list"});
  const auto begin = list.out.find("key_");
  ASSERT_NE(begin, std::string::npos) << list.out;
  EXPECT_NE(list.out.find("dashboard"), std::string::npos) << list.out;
  const std::string id = list.out.substr(begin, list.out.find(' ', begin) - begin);
  EXPECT_EQ(host.cli({"keys", "revoke", id}).exit_status, 0);
  EXPECT_EQ(reader.get("/api/v1/runs").status, 401);
  EXPECT_EQ(host.log().find(key), std::string::npos) << "keys are not logged";
}

TEST(Keys, TheRootKeyIsReplacedWhileClientsGoOn) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  const std::string first = host.key();
  Http client(host.url(), first);
  const Ended rotated = host.cli({"keys", "rotate", "--grace", "1h"});
  ASSERT_EQ(rotated.exit_status, 0) << rotated.err;
  const std::string second = line(rotated);
  EXPECT_NE(second, first);
  EXPECT_EQ(host.key(), second);
  EXPECT_EQ(client.get("/api/v1/runs").status, 200);
  EXPECT_EQ(host.cli({"runs", "list"}).exit_status, 0);
  host.kill();
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_EQ(Http(host.url(), first).get("/api/v1/runs").status, 200);
  EXPECT_EQ(Http(host.url(), second).get("/api/v1/runs").status, 200);
  ASSERT_EQ(host.cli({"keys", "rotate", "--grace", "0"}).exit_status, 0);
  EXPECT_EQ(Http(host.url(), second).get("/api/v1/runs").status, 401);
  EXPECT_EQ(Http(host.url(), host.key()).get("/api/v1/runs").status, 200);
}

TEST(Keys, OfTheConfigurationAreReplacedThere) {
  HostProcess host({.environment = {{"PERDURE_AUTH_KEY", "tr_prod_0123456789abcdef0123456789abcdef"}}});
  ASSERT_TRUE(host.start()) << host.log();
  Http client(host.url(), "tr_prod_0123456789abcdef0123456789abcdef");
  const Answer answer = client.post("/perdure/v1/keys/root/rotate", "{}");
  EXPECT_EQ(answer.status, 422) << answer.body;
  EXPECT_NE(answer.body.find("configuration"), std::string::npos) << answer.body;
}

}  // namespace
}  // namespace perdure::e2e
