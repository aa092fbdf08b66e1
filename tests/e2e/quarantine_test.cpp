// A version that crashes again and again is held instead of burning its runs' retries.
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <filesystem>
#include <vector>

#include "tests/e2e/changeling.h"

namespace perdure::e2e {
namespace {

std::string text(const boost::json::value& value) { return std::string(value.as_string()); }

class Quarantine : public testing::Test {
 protected:
  void SetUp() override {
    plugins.put("a.so", "version=1 run=crash");
    ASSERT_TRUE(host.start()) << host.log();
    Http http = host.client();
    for (int i = 0; i < 40; ++i) runs.push_back(trigger(http, "which", "{}"));
    held = await_plugin(http, [](const auto& plugin) { return !plugin.at("quarantine").as_array().empty(); });
  }

  const Changelings plugins;
  HostProcess host{{.plugins = plugins.path(),
                    .environment = {{"PERDURE_QUARANTINE_CRASHES", "5"}, {"PERDURE_QUARANTINE_PAUSE", "1h"}}}};
  std::vector<std::string> runs;
  boost::json::object held;
};

TEST_F(Quarantine, HoldsTheTasksRunsAndShowsWhyWithABacktrace) {
  const auto& why = held.at("quarantine").as_array().at(0).as_object();
  EXPECT_EQ(text(why.at("task")), "which");
  EXPECT_NE(text(why.at("reason")).find("5 attempts in a row crashed"), std::string::npos);
  EXPECT_NE(text(why.at("backtrace")).find("changeling.cpp:"), std::string::npos);
  Http http = host.client();
  EXPECT_TRUE(http.get("/perdure/v1/tasks/which").json().as_object().contains("quarantine"));
  const Ended list = host.cli({"plugins", "list"});
  EXPECT_NE(list.out.find("quarantine"), std::string::npos) << list.out;
  EXPECT_NE(list.out.find("5 attempts in a row"), std::string::npos) << list.out;
  // A retry is a hundred times allowed; what is held burns none.
  for (const std::string& run : runs) {
    EXPECT_LT(http.get("/perdure/v1/runs/" + run).json().at("attempts").as_array().size(), 20u);
  }
}

TEST_F(Quarantine, EveryRunCompletesOnAFixedVersion) {
  Http http = host.client();
  plugins.put("a.so", "version=2");
  await_version(http, "2");
  for (const std::string& id : runs) {
    const auto run = await_run(http, id);
    EXPECT_EQ(text(run.at("status")), "COMPLETED");
    EXPECT_EQ(text(run.at("output").at("version")), "2");
  }
  await_plugin(http, [&](const auto& plugin) {
    return text(plugin.at("version")) == "2" && plugin.at("quarantine").as_array().empty();
  });
}

TEST_F(Quarantine, LeavesOtherTasksOfThePluginAlone) {
  Http http = host.client();
  const std::string there = boost::json::serialize(boost::json::value(plugins.path().string()));
  EXPECT_EQ(text(await_run(http, trigger(http, "hold", there)).at("status")), "COMPLETED");
}

TEST_F(Quarantine, IsEndedByHandAndHoldsAgainWhatStillCrashes) {
  Http http = host.client();
  const Ended released = host.cli({"plugins", "release", "changeling"});
  EXPECT_EQ(released.exit_status, 0) << released.err;
  EXPECT_NE(released.out.find("which is released"), std::string::npos) << released.out;
  const std::string since = text(held.at("quarantine").as_array().at(0).at("since"));
  await_plugin(http, [&](const auto& plugin) {
    const auto& again = plugin.at("quarantine").as_array();
    return !again.empty() && text(again.at(0).at("since")) != since;
  });
}

TEST(QuarantineProbe, LetsARunTryAfterThePauseAndEverythingFlowWhenItSucceeds) {
  const Changelings plugins;
  plugins.put("a.so", "version=1 run=crash-until-there");
  HostProcess host({.plugins = plugins.path(),
                    .environment = {{"PERDURE_QUARANTINE_CRASHES", "5"}, {"PERDURE_QUARANTINE_PAUSE", "1s"}}});
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const TemporaryDirectory gates;
  const std::filesystem::path gate = gates.path() / "gate";
  const std::string payload = boost::json::serialize(boost::json::value(gate.string()));
  std::vector<std::string> runs;
  for (int i = 0; i < 40; ++i) runs.push_back(trigger(http, "which", payload));
  await_plugin(http, [](const auto& plugin) { return !plugin.at("quarantine").as_array().empty(); });
  std::filesystem::create_directory(gate);
  for (const std::string& id : runs) EXPECT_EQ(text(await_run(http, id).at("status")), "COMPLETED");
  await_plugin(http, [](const auto& plugin) { return plugin.at("quarantine").as_array().empty(); });
}

}  // namespace
}  // namespace perdure::e2e
