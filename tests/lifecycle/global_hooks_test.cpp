// Global hooks of one plugin around the tasks of another, while plugins come, change and go.
#include <gtest/gtest.h>

#include "tests/lifecycle/hooked_host.h"

namespace perdure::lifecycle {
namespace {

using Hooks = std::vector<std::string>;

const std::map<std::string, std::string> kAudited{{"audit.so", "name=audit version=1 global"}};

TEST(GlobalHooks, StandAroundTheTasksOfOtherPluginsWithTheConfigurationOfTheirOwn) {
  HookedHost host(kAudited);
  host.await_surrounded({"audit"});
  const auto run = host.await(host.trigger({}));
  EXPECT_EQ(text(run.at("status")), "COMPLETED");
  const auto audited = host.audited(2);
  EXPECT_EQ(hooks_of(audited), (Hooks{"middleware", "on_complete"}));
  EXPECT_EQ(audited.at(0).plugin, "audit");
  EXPECT_EQ(audited.at(1).event.at("ok"), true);
  EXPECT_EQ(hooks_of(host.own()), (Hooks{"run", "cleanup", "on_success", "on_complete"}));
}

TEST(GlobalHooks, HearOfCrashesAndOfRunsThatAreCanceledWhileTheyWait) {
  HookedHost host(kAudited);
  host.await_surrounded({"audit"});
  host.await(host.trigger({{"do", "segv"}, {"decide", "no"}}));
  auto audited = host.audited(2);
  EXPECT_EQ(hooks_of(audited), (Hooks{"middleware", "on_complete"}));
  EXPECT_EQ(text(audited.at(1).event.at("error").at("name")), "SIGSEGV");
  const std::string waits = host.trigger({}, {{"delay", "1h"}});
  host.cancel(waits);
  audited = host.audited(4);
  EXPECT_EQ(hooks_of(audited), (Hooks{"middleware", "on_complete", "on_cancel", "on_complete"}));
}

TEST(GlobalHooks, AreReplacedWithTheirPluginWhileRunsExecute) {
  HookedHost host(kAudited);
  host.await_surrounded({"audit"});
  const std::string before = host.trigger({{"do", "hold"}, {"gate", host.gate()}});
  host.audited(1);
  host.put("audit.so", "name=audit version=2 global");
  host.await_plugin([](const boost::json::object& plugin) {
    return text(plugin.at("name")) == "audit" && text(plugin.at("state")) == "serving" &&
           text(plugin.at("version")) == "2";
  });
  // The new hooks are in force for what starts once they are loaded beside the task.
  std::string version;
  for (std::size_t lines = 1; version != "2"; lines += 2) {
    host.await(host.trigger({}));
    version = host.audited(lines + 2).back().version;
  }
  host.open_gate();
  EXPECT_EQ(text(host.await(before).at("status")), "COMPLETED");
  EXPECT_EQ(host.audited().back().version, "1") << "the run that was executing has kept its own";
}

TEST(GlobalHooks, GoWithTheirPlugin) {
  HookedHost host(kAudited);
  host.await_surrounded({"audit"});
  host.remove("audit.so");
  host.await_surrounded({});
  EXPECT_EQ(text(host.await(host.trigger({})).at("status")), "COMPLETED");
  EXPECT_TRUE(host.audited().empty());
}

TEST(GlobalHooks, AreShownByTheCommandLine) {
  HookedHost host(kAudited);
  host.await_surrounded({"audit"});
  const e2e::Ended list = host.process().cli({"plugins", "list"});
  EXPECT_EQ(list.exit_status, 0) << list.err;
  EXPECT_NE(list.out.find("global middleware, on_complete, on_cancel"), std::string::npos) << list.out;
  EXPECT_NE(list.out.find("of audit"), std::string::npos) << list.out;
}

}  // namespace
}  // namespace perdure::lifecycle
