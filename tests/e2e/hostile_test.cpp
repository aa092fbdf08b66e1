// Hostile tasks beside a healthy one: each costs its own attempt and nothing else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/holdings.h"
#include "tests/e2e/host_process.h"

namespace perdure::e2e {
namespace {

namespace fs = std::filesystem;

// Ends by itself, one way or another; what takes minutes by design (endless loops) is canceled.
const std::vector<std::string> kEnding = {"null-dereference",
                                          "abort",
                                          "stack-overflow",
                                          "double-free",
                                          "fork-bomb",
                                          "close-descriptors",
                                          "write-descriptors",
                                          "exit-0",
                                          "exit-3",
                                          "nested-output",
                                          "invalid-utf8",
                                          "not-json",
                                          "print",
                                          "longjmp",
                                          "throw-int",
                                          "throw-across",
                                          "throw-in-thread",
                                          "terminate",
                                          "bad-alloc",
                                          "allocate-without-end",
                                          "kill-parent"};
const std::vector<std::string> kEndless = {"infinite-loop"};
// What takes long or much, in addition.
const std::vector<std::string> kCostly = {"daemon", "ignore-sigterm", "stop-itself", "large-output", "log-flood"};
// What the store and the allocator may come to hold from round to round.
constexpr long kMostGrowth = 24L << 10;  // kB

class Hostile : public testing::Test {
 protected:
  Hostile() {
    fs::copy(fs::path(PERDURE_TEST_PLUGIN_DIR) / "playground.so", plugins.path());
    fs::copy(fs::path(PERDURE_TEST_PLUGIN_DIR).parent_path() / "fixtures" / "hostile" / "hostile.so", plugins.path());
  }
  const TemporaryDirectory plugins;
};

TEST_F(Hostile, TasksHarmOnlyTheirOwnAttempts) {
  HostProcess host({.plugins = plugins.path()});
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  std::vector<std::string> healthy, hostile, endless;
  for (const std::string& task : kEndless) endless.push_back(trigger(http, task, "{}"));
  for (const std::string& task : kEnding) {
    hostile.push_back(trigger(http, task, "{}"));
    for (int i = 0; i < 5; ++i) healthy.push_back(trigger(http, "echo", "{}"));
  }
  for (const std::string& id : healthy) {
    EXPECT_EQ(await_run(http, id).at("status").as_string(), "COMPLETED") << id;
  }
  for (std::size_t i = 0; i < hostile.size(); ++i) {
    EXPECT_TRUE(await_run(http, hostile[i]).at("isCompleted").as_bool()) << kEnding[i];
  }
  for (const std::string& id : endless) EXPECT_FALSE(http.get("/api/v3/runs/" + id).json().at("isCompleted").as_bool());
  EXPECT_EQ(http.get("/perdure/v1/status").json().at("pid").to_number<pid_t>(), host.pid());
}

// Zygotes and children that wait for a run are what a host keeps; everything else of an attempt must go with it. How
// many processes of which name did not.
std::map<std::string, std::size_t> left_behind(const HostProcess& host) {
  std::map<std::string, std::size_t> others = holdings(host.pid()).descendants;
  others.erase("perdure-zygote");
  others.erase("perdure-spare");
  return others;
}

TEST_F(Hostile, TasksAgainAndAgainAndAllAtOnceLeaveNothingBehind) {
  HostProcess host({.plugins = plugins.path(), .environment = {{"PERDURE_CONCURRENCY", "24"}}});
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const TemporaryDirectory directory;
  const std::string payload = R"({"path":")" + (directory.path() / "daemon").string() + R"("})";
  // What is there after a first round has what a host needs to serve such tasks at all.
  Holdings first;
  for (int round = 0; round < 4; ++round) {
    std::vector<std::string> healthy, hostile;
    for (const std::vector<std::string>* tasks : {&kEndless, &kCostly, &kEnding}) {
      for (const std::string& task : *tasks) {
        hostile.push_back(trigger(http, task, payload, {{"maxDuration", 5}}));
        for (int i = 0; i < 5; ++i)
          healthy.push_back(trigger(http, "echo", R"({"round":)" + std::to_string(round) + "}"));
      }
    }
    for (const std::string& id : healthy) {
      const auto run = await_run(http, id);
      EXPECT_EQ(run.at("status").as_string(), "COMPLETED") << id;
      EXPECT_EQ(run.at("attemptCount").to_number<int>(), 1) << id;
    }
    for (const std::string& id : hostile) {
      const auto run = await_run(http, id);
      EXPECT_TRUE(run.at("isCompleted").as_bool()) << id;
      if (run.at("taskIdentifier").as_string() != "allocate-without-end") continue;
      EXPECT_EQ(run.at("error").at("code").as_string(), "OUT_OF_MEMORY") << boost::json::serialize(run);
    }
    // Attempts are final before their processes have been seen to end.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!left_behind(host).empty() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    EXPECT_THAT(left_behind(host), testing::IsEmpty()) << "in round " << round;
    const Holdings now = holdings(host.pid());
    if (round == 0) first = now;
    if (round > 0) {
      EXPECT_LE(now.memory, first.memory + kMostGrowth) << "in round " << round;
      const std::size_t spares = now.named("perdure-spare"), zygotes = now.named("perdure-zygote");
      // Each spare is an attempt socket and two pipes, each zygote a handful.
      EXPECT_LE(now.descriptors, first.descriptors + 3 * spares + 5 * zygotes) << "in round " << round;
    }
  }
  EXPECT_EQ(http.get("/perdure/v1/status").json().at("pid").to_number<pid_t>(), host.pid());
}

}  // namespace
}  // namespace perdure::e2e
