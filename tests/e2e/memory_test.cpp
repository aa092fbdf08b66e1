// A host whose tasks use more memory than their machines have: what people see of it, and what is left behind.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <filesystem>

#include "host/os/cgroup.h"
#include "tests/e2e/host_process.h"

namespace perdure::e2e {
namespace {

namespace fs = std::filesystem;

std::string text(const boost::json::value& value) { return std::string(value.as_string()); }

// The cgroup directories that the host with this pid made.
std::size_t cgroups_of(pid_t pid) {
  std::string why;
  const auto own = os::own_cgroup(why);
  std::size_t count = 0;
  for (const std::string& name : own ? os::cgroups_in(own->directory) : std::vector<std::string>()) {
    count += name.starts_with("perdure." + std::to_string(pid) + ".") ? 1 : 0;
  }
  return count;
}

class Memory : public testing::TestWithParam<const char*> {
 protected:
  Memory() { fs::copy(PERDURE_MEMORY_PLUGIN, plugins.path() / "memory.so"); }
  void SetUp() override {
    if (!host.start()) GTEST_SKIP() << "memory_control " << GetParam() << " cannot be had here: " << host.log();
  }

  const TemporaryDirectory plugins;
  HostProcess host{{.plugins = plugins.path(), .environment = {{"PERDURE_LIMITS_MEMORY_CONTROL", GetParam()}}}};
};

TEST_P(Memory, ARunThatRunsOutOfItSucceedsOnALargerMachine) {
  Http http = host.client();
  const auto run = await_run(http, trigger(http, "grows", "200"));
  EXPECT_EQ(text(run.at("status")), "COMPLETED");
  EXPECT_EQ(text(run.at("machine")), "micro");
  const auto& attempts = run.at("attempts").as_array();
  ASSERT_EQ(attempts.size(), 2u);
  EXPECT_EQ(text(attempts[0].at("machine")), "1/134217728");
  EXPECT_EQ(text(attempts[0].at("error").at("code")), "OUT_OF_MEMORY");
  EXPECT_EQ(attempts[0].at("error").at("details").at("limit").to_number<int>(), 134217728);
  EXPECT_EQ(text(attempts[0].at("error").at("details").at("mechanism")), GetParam());
  EXPECT_EQ(text(attempts[1].at("machine")), "micro");
  EXPECT_GT(attempts[1].at("peakMemory").to_number<std::uint64_t>(), 200'000'000u);
  const Ended shown = host.cli({"runs", "get", text(run.at("id"))});
  EXPECT_NE(shown.out.find("MiB"), std::string::npos) << shown.out;
}

TEST_P(Memory, AStatusSaysWhatLimitsIt) {
  const auto status = host.client().get("/perdure/v1/status").json();
  EXPECT_EQ(text(status.at("memory").at("mechanism")), GetParam());
  EXPECT_GT(status.at("memory").at("limit").to_number<std::uint64_t>(), 100'000'000u);
  EXPECT_EQ(status.at("memory").at("reserved").to_number<int>(), 0);
}

TEST_P(Memory, NothingOfAHostThatWasKilledIsLeftOnceTheNextOneRuns) {
  Http http = host.client();
  const std::string id = trigger(http, "hold", "20");
  const pid_t killed = host.pid();
  for (bool executes = false; !executes;) {
    executes = text(http.get("/perdure/v1/runs/" + id + "?wait=1s").json().at("status")) == "EXECUTING" &&
               http.get("/perdure/v1/runs/" + id + "/logs").body.find("holding") != std::string::npos;
  }
  EXPECT_EQ(cgroups_of(killed), std::string(GetParam()) == "cgroup" ? 1u : 0u);
  host.kill();
  ASSERT_TRUE(host.start()) << host.log();
  Http next = host.client();
  for (int i = 0; i < 600 && cgroups_of(killed) > 0; ++i) (void)next.get("/perdure/v1/runs/" + id + "?wait=100ms");
  EXPECT_EQ(cgroups_of(killed), 0u);
  const pid_t last = host.pid();
  (void)next.post("/api/v2/runs/" + id + "/cancel", "{}");
  (void)await_run(next, id);
  EXPECT_EQ(host.stop(), 0);
  EXPECT_EQ(cgroups_of(last), 0u);
}

INSTANTIATE_TEST_SUITE_P(By, Memory, testing::Values("cgroup", "watchdog"),
                         [](const auto& given) { return std::string(given.param); });

TEST(Doctor, FindsNothingBadWhereAHostWorksAndAsksTheOneThatRuns) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  const std::vector<std::string> doctor{PERDURE_TEST_BIN_DIR "/perdure", "doctor", "--data", host.data().string()};
  const std::map<std::string, std::string> address{{"PERDURE_URL", host.url()}};
  const Ended running = run_program(doctor, address);
  EXPECT_EQ(running.exit_status, 0) << running.out << running.err;
  EXPECT_NE(running.out.find("runs as process " + std::to_string(host.pid())), std::string::npos) << running.out;
  EXPECT_NE(running.out.find("memory limits"), std::string::npos) << running.out;
  EXPECT_EQ(host.stop(), 0);
  const Ended ended = run_program(doctor, address);
  EXPECT_EQ(ended.exit_status, 0) << ended.out << ended.err;
  EXPECT_NE(ended.out.find("none runs on the data directory"), std::string::npos) << ended.out;
  EXPECT_NE(ended.out.find("opens, and has 0 runs"), std::string::npos) << ended.out;
}

TEST(Doctor, SaysWhatIsBadInJsonAndFails) {
  const TemporaryDirectory directory;
  fs::create_directory(directory.path() / "data");
  fs::permissions(directory.path() / "data", fs::perms::all);
  const Ended ended = run_program({PERDURE_TEST_BIN_DIR "/perdure", "doctor", "--json", "--data",
                                   (directory.path() / "data").string(), "--plugins", "/nowhere"});
  EXPECT_EQ(ended.exit_status, 1);
  const boost::json::value found = boost::json::parse(ended.out);
  EXPECT_FALSE(found.at("ok").as_bool());
  std::string bad;
  for (const auto& check : found.at("checks").as_array()) {
    if (text(check.at("grade")) == "bad") bad += text(check.at("subject")) + ";";
    EXPECT_EQ(check.as_object().contains("advice"), text(check.at("grade")) != "ok");
  }
  EXPECT_EQ(bad, "data directory;plugin directory;");
}

}  // namespace
}  // namespace perdure::e2e
