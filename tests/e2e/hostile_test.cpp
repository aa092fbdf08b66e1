// Hostile tasks beside a healthy one: each costs its own attempt and nothing else.
#include <gtest/gtest.h>

#include <string>
#include <vector>

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
                                          "kill-parent"};
const std::vector<std::string> kEndless = {"infinite-loop"};

TEST(Hostile, TasksHarmOnlyTheirOwnAttempts) {
  const TemporaryDirectory plugins;
  fs::copy(fs::path(PERDURE_TEST_PLUGIN_DIR) / "playground.so", plugins.path());
  fs::copy(fs::path(PERDURE_TEST_PLUGIN_DIR).parent_path() / "fixtures" / "hostile" / "hostile.so", plugins.path());
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

}  // namespace
}  // namespace perdure::e2e
