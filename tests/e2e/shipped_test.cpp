// The plugins that people use on the first day without compiling anything: exec and http-request, through the host.
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <fstream>

#include "tests/e2e/host_process.h"

namespace perdure::e2e {
namespace {

std::string text(const boost::json::value& value) { return std::string(value.as_string()); }

TEST(Shipped, ExecRunsWhatTheConfigurationAllowsAndNothingElse) {
  const TemporaryDirectory here;
  const std::string config = here.path() / "perdure.toml";
  std::ofstream(config) << "[plugins.exec]\nallow = [\"/bin/echo\"]\n";
  HostProcess host({.arguments = {"--config", config}});
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const auto allowed = await_run(http, trigger(http, "exec", R"({"argv":["/bin/echo","good","day"]})"));
  ASSERT_EQ(text(allowed.at("status")), "COMPLETED") << boost::json::serialize(allowed);
  EXPECT_EQ(allowed.at("output").at("exit_code").to_number<int>(), 0);
  EXPECT_EQ(text(allowed.at("output").at("stdout")), "good day\n");
  const auto refused = await_run(http, trigger(http, "exec", R"({"argv":["/bin/cat","/etc/passwd"]})"));
  EXPECT_EQ(text(refused.at("status")), "FAILED");
  const std::string why = text(refused.at("error").at("message"));
  EXPECT_NE(why.find("/bin/cat"), std::string::npos) << why;
  EXPECT_NE(why.find("[plugins.exec]"), std::string::npos) << why;
}

TEST(Shipped, ExecRunsNothingUnlessConfigured) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const auto refused = await_run(http, trigger(http, "exec", R"({"argv":["/bin/echo"]})"));
  EXPECT_EQ(text(refused.at("status")), "FAILED");
  EXPECT_NE(text(refused.at("error").at("message")).find("allow"), std::string::npos);
}

TEST(Shipped, HttpRequestAnswersWithWhatTheServerSaid) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const boost::json::object health{{"url", host.url() + "/healthz"}};
  const auto run = await_run(http, trigger(http, "http-request", boost::json::serialize(health)));
  ASSERT_EQ(text(run.at("status")), "COMPLETED") << boost::json::serialize(run);
  EXPECT_EQ(run.at("output").at("status").to_number<int>(), 200);
  EXPECT_EQ(text(run.at("output").at("headers").at("x-content-type-options")), "nosniff");
}

}  // namespace
}  // namespace perdure::e2e
