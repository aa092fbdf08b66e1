// Attempts outlive their host: it is killed while they execute, the next one finds them and goes on with them, and
// nothing is done twice.
#include <gtest/gtest.h>
#include <sys/types.h>

#include <boost/json/serialize.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <thread>

#include "tests/e2e/host_process.h"
#include "tests/e2e/outliving.h"

namespace perdure::e2e {
namespace {

namespace fs = std::filesystem;

std::string text(const boost::json::value& value) { return std::string(value.as_string()); }

HostOptions ledger_host() { return {.plugins = PERDURE_TEST_BIN_DIR "/../fixtures/ledger"}; }

// How often each line is in the file.
std::map<std::string, int> lines_of(const fs::path& file) {
  std::map<std::string, int> lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) ++lines[line];
  return lines;
}

void await_lines(const fs::path& file, std::size_t count) {
  while (lines_of(file).size() < count) std::this_thread::yield();
}

bool is_there(const std::string& pid) { return fs::exists("/proc/" + pid + "/exe"); }

class Outlive : public testing::Test {
 protected:
  Outlive() { EXPECT_TRUE(host_.start()) << host_.log(); }

  std::string payload(int ms) const {
    return boost::json::serialize(boost::json::object{{"file", file_.string()}, {"ms", ms}});
  }
  void next_host() {
    host_.kill();
    ASSERT_TRUE(host_.start()) << host_.log();
  }

  HostProcess host_{ledger_host()};
  const fs::path file_ = host_.directory() / "ledger";
};

// "watch" writes its process's id and the attempt's number when it begins, and sleeps.
TEST_F(Outlive, TheSameProcessFinishesTheRunThoughItsHostIsKilled) {
  Http first = host_.client();
  const std::string id = trigger(first, "watch", payload(1500));
  await_lines(file_, 1);
  next_host();
  Http http = host_.client();
  const auto run = await_run(http, id);
  EXPECT_EQ(text(run.at("status")), "COMPLETED") << host_.log();
  EXPECT_EQ(run.at("attempts").as_array().size(), 1u);
  EXPECT_EQ(run.at("hostLosses").to_number<int>(), 0);
  const std::string began = text(run.at("output")) + " 1";
  EXPECT_EQ(lines_of(file_), (std::map<std::string, int>{{began, 1}, {began + " ended", 1}}));
  EXPECT_GE(run.at("attempts").at(0).at("durationMs").to_number<double>(), 1500) << "counted from its real start";
}

TEST_F(Outlive, AnAttemptThatEndsWhileThereIsNoHostIsNotRepeated) {
  Http first = host_.client();
  const std::string id = trigger(first, "watch", payload(300));
  await_lines(file_, 1);
  host_.kill();
  await_lines(file_, 2);  // it writes once more at its end
  ASSERT_TRUE(host_.start()) << host_.log();
  Http http = host_.client();
  const auto run = await_run(http, id);
  EXPECT_EQ(text(run.at("status")), "COMPLETED");
  EXPECT_EQ(run.at("attempts").as_array().size(), 1u);
}

TEST_F(Outlive, AnAttemptThatDiesWhileThereIsNoHostFailsAsItWouldHave) {
  Http first = host_.client();
  const std::string id = trigger(first, "watch", payload(60'000), {{"maxAttempts", 1}});
  await_lines(file_, 1);
  host_.kill();
  const std::string line = lines_of(file_).begin()->first;
  const std::string pid = line.substr(0, line.find(' '));
  ASSERT_EQ(::kill(std::stoi(pid), SIGSEGV), 0);
  while (is_there(pid)) std::this_thread::yield();
  ASSERT_TRUE(host_.start()) << host_.log();
  Http http = host_.client();
  const auto run = await_run(http, id);
  EXPECT_EQ(text(run.at("status")), "CRASHED");
  ASSERT_EQ(run.at("attempts").as_array().size(), 1u);
  EXPECT_NE(text(run.at("attempts").at(0).at("error").at("message")).find("SIGSEGV"), std::string::npos)
      << boost::json::serialize(run);
}

TEST_F(Outlive, AnAdoptedAttemptIsCanceledAsAnyOther) {
  Http first = host_.client();
  const std::string id = trigger(first, "watch", payload(60'000));
  await_lines(file_, 1);
  next_host();
  Http http = host_.client();
  EXPECT_EQ(http.post("/api/v2/runs/" + id + "/cancel", "{}").status, 200);
  const auto run = await_run(http, id);
  EXPECT_EQ(text(run.at("status")), "CANCELED");
  EXPECT_EQ(run.at("attempts").as_array().size(), 1u);
}

TEST_F(Outlive, AnAdoptedAttemptIsOutOfTimeWhenItWouldHaveBeen) {
  Http first = host_.client();
  const std::string id = trigger(first, "watch", payload(60'000), {{"maxDuration", 5}});
  await_lines(file_, 1);
  next_host();
  Http http = host_.client();
  const auto run = await_run(http, id);
  EXPECT_EQ(text(run.at("status")), "TIMED_OUT");
  EXPECT_LT(run.at("attempts").at(0).at("durationMs").to_number<double>(), 30'000);
}

TEST_F(Outlive, AnAttemptGoesOnThroughManyHosts) {
  Http first = host_.client();
  const std::string id = trigger(first, "watch", payload(4000));
  await_lines(file_, 1);
  for (int i = 0; i < 4; ++i) next_host();
  Http http = host_.client();
  const auto run = await_run(http, id);
  EXPECT_EQ(text(run.at("status")), "COMPLETED");
  EXPECT_EQ(run.at("attempts").as_array().size(), 1u);
  EXPECT_EQ(lines_of(file_).size(), 2u);
}

TEST_F(Outlive, WhatAnAttemptAsksIsDoneOnceThoughItsHostIsKilledMeanwhile) {
  constexpr int kCount = 400;
  Http first = host_.client();
  const std::string id =
      trigger(first, "watch",
              boost::json::serialize(boost::json::object{{"file", file_.string()}, {"ms", 4000}, {"count", kCount}}));
  await_lines(file_, 1);
  for (int i = 0; i < 5; ++i) next_host();
  Http http = host_.client();
  const auto run = await_run(http, id);
  EXPECT_EQ(text(run.at("status")), "COMPLETED");
  EXPECT_EQ(run.at("attempts").as_array().size(), 1u);
  EXPECT_EQ(http.get("/api/v1/runs/" + id + "/metadata").json().at("metadata").at("counted"), kCount);
  std::string expected;
  for (int i = 0; i < kCount; ++i) expected += std::to_string(i) + "\n";
  EXPECT_EQ(host_.cli({"runs", "stream", id, "lines"}).out, expected);
}

TEST_F(Outlive, StepsAndChildrenGoOnThroughHosts) {
  Http first = host_.client();
  const std::string id =
      trigger(first, "walk",
              boost::json::serialize(boost::json::object{{"file", file_.string()}, {"walk", false}, {"pause", 300}}));
  for (int i = 0; i < 3; ++i) {
    await_lines(file_, static_cast<std::size_t>(i) + 1);
    next_host();
  }
  Http http = host_.client();
  const auto run = await_run(http, id);
  EXPECT_EQ(text(run.at("status")), "COMPLETED") << boost::json::serialize(run);
  EXPECT_EQ(run.at("attempts").as_array().size(), 1u);
  EXPECT_EQ(text(run.at("output")), "first!second!third!");
  const auto children = http.get("/perdure/v1/runs/" + id + "/children").json();
  ASSERT_EQ(children.at("data").as_array().size(), 1u);
  await_run(http, text(children.at("data").as_array()[0].at("id")));
  EXPECT_EQ(lines_of(file_), (std::map<std::string, int>{{"first", 1}, {"second", 1}, {"third", 1}, {"child", 1}}));
}

// What an upgrade is: the host is told to go, and another executable starts on the same data.
TEST_F(Outlive, AHostThatIsToldToGoLeavesItsAttemptsToTheNext) {
  HostOptions options = ledger_host();
  options.arguments = {"--drain-timeout", "0"};
  HostProcess host(options);
  ASSERT_TRUE(host.start()) << host.log();
  Http first = host.client();
  const fs::path file = host.directory() / "ledger";
  const std::string id =
      trigger(first, "watch", boost::json::serialize(boost::json::object{{"file", file.string()}, {"ms", 2000}}));
  await_lines(file, 1);
  EXPECT_EQ(host.stop(), 4) << host.log();
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const auto run = await_run(http, id);
  EXPECT_EQ(text(run.at("status")), "COMPLETED");
  EXPECT_EQ(run.at("attempts").as_array().size(), 1u);
  EXPECT_EQ(lines_of(file).size(), 2u);
}

TEST_F(Outlive, AHostThatIsToldToWaitEndsWithItsLastAttempt) {
  HostOptions options = ledger_host();
  options.arguments = {"--drain-timeout", "0", "--drain", "wait"};
  HostProcess host(options);
  ASSERT_TRUE(host.start()) << host.log();
  Http first = host.client();
  const fs::path file = host.directory() / "ledger";
  trigger(first, "watch", boost::json::serialize(boost::json::object{{"file", file.string()}, {"ms", 500}}));
  await_lines(file, 1);
  EXPECT_EQ(host.stop(), 0);
  EXPECT_EQ(lines_of(file).size(), 2u) << "it had ended";
}

TEST_F(Outlive, AttemptsWhoseHostDoesNotReturnEndThemselves) {
  HostOptions options = ledger_host();
  options.environment = {{"PERDURE_ATTEMPTS_ORPHANED_AFTER", "1s"}};
  HostProcess host(options);
  ASSERT_TRUE(host.start()) << host.log();
  Http first = host.client();
  const fs::path file = host.directory() / "ledger";
  const std::string id =
      trigger(first, "watch", boost::json::serialize(boost::json::object{{"file", file.string()}, {"ms", 60'000}}));
  await_lines(file, 1);
  host.kill();
  const std::string line = lines_of(file).begin()->first;
  const std::string pid = line.substr(0, line.find(' '));
  while (is_there(pid)) std::this_thread::yield();
  while (!fs::is_empty(host.data() / "run" / "zygotes")) std::this_thread::yield();
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  await_lines(file, 2);  // another attempt
  EXPECT_EQ(http.get("/api/v3/runs/" + id).json().at("status"), "EXECUTING");
  EXPECT_EQ(http.post("/api/v2/runs/" + id + "/cancel", "{}").status, 200);
  const auto run = await_run(http, id);
  EXPECT_EQ(text(run.at("attempts").at(0).at("error").at("code")), "HOST_LOST");
}

TEST(OutliveMany, OfTwoHundredAttemptsNoneIsLostOrRepeatedThoughTheHostIsKilledEightTimes) { outlive_hosts(200, 8); }

}  // namespace
}  // namespace perdure::e2e
