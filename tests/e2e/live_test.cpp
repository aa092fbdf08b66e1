// What attempts tell while they execute, through the real executables: metadata that many change at once, streams that
// are followed, children; also when the host is killed, and when a task floods it.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>
#include <set>
#include <thread>

#include "tests/e2e/holdings.h"
#include "tests/e2e/host_process.h"

namespace perdure::e2e {
namespace {

namespace fs = std::filesystem;

constexpr int kChildren = 50;

std::string text(const boost::json::value& value) { return std::string(value.as_string()); }

boost::json::object metadata_of(Http& http, const std::string& id) {
  return http.get("/api/v1/runs/" + id + "/metadata").json().at("metadata").as_object();
}

std::vector<std::string> ids_in(const boost::json::value& list) {
  std::vector<std::string> ids;
  for (const auto& id : list.as_array()) ids.push_back(text(id));
  return ids;
}

// Waits until the host has begun so many attempts, or has nothing left to begin.
void await_attempts(Http& http, int count) {
  for (;;) {
    const auto status = http.get("/perdure/v1/status").json();
    const auto& runs = status.at("runs");
    const int left = runs.at("QUEUED").to_number<int>() + runs.at("EXECUTING").to_number<int>();
    if (status.at("engine").at("attemptsStarted").to_number<int>() >= count || left == 0) return;
    std::this_thread::yield();
  }
}

TEST(LiveData, FiftyChildrenThatChangeTheirParentsMetadataAtOnceLoseNothing) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const auto parent = await_run(http, trigger(http, "family", R"({"children":50})"));
  ASSERT_EQ(text(parent.at("status")), "COMPLETED");
  const std::vector<std::string> children = ids_in(parent.at("output").at("ids"));
  ASSERT_EQ(std::set(children.begin(), children.end()).size(), 50u);
  for (const std::string& child : children) {
    const auto run = await_run(http, child);
    ASSERT_EQ(text(run.at("status")), "COMPLETED");
    EXPECT_EQ(run.at("depth"), 1);
    EXPECT_EQ(run.at("parentRunId"), parent.at("id"));
  }
  const auto metadata = metadata_of(http, text(parent.at("id")));
  EXPECT_EQ(metadata.at("present"), kChildren);
  std::set<int> members;
  for (const auto& member : metadata.at("members").as_array()) members.insert(member.to_number<int>());
  EXPECT_EQ(members.size(), 50u);
  EXPECT_EQ(metadata.at("members").as_array().size(), 50u) << "each exactly once";

  const Ended shown = host.cli({"runs", "get", text(parent.at("id"))});
  EXPECT_NE(shown.out.find(children[7]), std::string::npos) << shown.out;
  EXPECT_NE(shown.out.find("present"), std::string::npos) << shown.out;
  const Ended metadata_shown = host.cli({"runs", "metadata", text(parent.at("id"))});
  EXPECT_EQ(boost::json::parse(metadata_shown.out), boost::json::value(metadata));
}

// A member enters itself before it ends, so a COMPLETED one has been acknowledged; with the host killed in between it
// may have entered itself once more, in an attempt before the last.
TEST(LiveData, WhatChildrenWereAcknowledgedSurvivesAHostThatIsKilledInBetween) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  std::vector<std::string> parents;
  {
    Http http = host.client();
    for (int i = 0; i < 4; ++i) parents.push_back(trigger(http, "family", R"({"children":50})"));
    await_attempts(http, 40);
  }
  for (int kills = 0; kills < 3; ++kills) {
    host.kill();
    ASSERT_TRUE(host.start()) << host.log();
    Http http = host.client();
    await_attempts(http, 20);
  }
  Http http = host.client();
  for (const std::string& id : parents) {
    const auto parent = await_run(http, id);
    ASSERT_EQ(text(parent.at("status")), "COMPLETED");
    const std::vector<std::string> children = ids_in(parent.at("output").at("ids"));
    int attempts = 0;
    for (const std::string& child : children) {
      const auto run = await_run(http, child);
      ASSERT_EQ(text(run.at("status")), "COMPLETED");
      attempts += run.at("attemptCount").to_number<int>();
    }
    const auto pages = http.get("/perdure/v1/runs/" + id + "/children?limit=100").json();
    EXPECT_EQ(pages.at("data").as_array().size(), 50u) << "a later attempt of the parent triggered nothing again";
    const auto metadata = metadata_of(http, id);
    std::set<int> members;
    for (const auto& member : metadata.at("members").as_array()) members.insert(member.to_number<int>());
    EXPECT_EQ(members.size(), 50u);
    EXPECT_GE(metadata.at("present").to_number<int>(), kChildren);
    EXPECT_LE(metadata.at("present").to_number<int>(), attempts);
  }
}

TEST(LiveData, AStreamIsFollowedLiveAndReplayedFromItsStart) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const std::string id = trigger(http, "count", R"({"to":30,"ms":20})");
  std::string expected;
  for (int i = 1; i <= 30; ++i) expected += std::to_string(i) + " of 30\n";
  const Ended followed = host.cli({"runs", "stream", id, "lines", "--follow"});
  EXPECT_EQ(followed.exit_status, 0) << followed.err;
  EXPECT_EQ(followed.out, expected);
  EXPECT_EQ(text(await_run(http, id).at("status")), "COMPLETED");
  EXPECT_EQ(host.cli({"runs", "stream", id, "lines"}).out, expected);
  EXPECT_NE(host.cli({"runs", "stream", id}).out.find("lines"), std::string::npos);
  EXPECT_EQ(metadata_of(http, id).at("counted"), 30);
  const auto rest = http.get("/perdure/v1/runs/" + id + "/streams/lines?after=28").json().at("data").as_array();
  ASSERT_EQ(rest.size(), 2u);
  EXPECT_EQ(text(rest[1].at("text")), "30 of 30\n");
}

TEST(LiveData, AnExecutingAttemptShowsItsMetadataAndWhatItHasUsedWhileItExecutes) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const std::string id = trigger(http, "count", R"({"to":2,"ms":600000})");
  boost::json::object run;
  const auto has_counted_to_one = [&run] {  // which it says bit by bit
    if (!run.contains("metadata") || run.at("attempts").as_array().empty()) return false;
    const auto* const counted = run.at("metadata").as_object().if_contains("counted");
    return counted != nullptr && *counted == 1 && run.at("attempts").at(0).as_object().contains("peakMemory");
  };
  do {
    run = http.get("/perdure/v1/runs/" + id).json().as_object();
  } while (!has_counted_to_one());
  EXPECT_EQ(text(run.at("status")), "EXECUTING");
  EXPECT_GT(run.at("attempts").at(0).at("peakMemory").to_number<long>(), 100'000);
  EXPECT_EQ(http.post("/api/v1/runs/" + id + "/tags", R"({"tags":["while:executing"]})").status, 200);
  EXPECT_EQ(http.post("/api/v2/runs/" + id + "/cancel", "").status, 200);
  run = await_run(http, id);
  EXPECT_EQ(run.at("metadata").at("total"), 2);
  EXPECT_EQ(run.at("tags"), boost::json::value({"while:executing"}));
}

TEST(LiveData, TasksThatFloodTheHostAreHeldUpAndOthersServed) {
  const TemporaryDirectory plugins;
  fs::copy(fs::path(PERDURE_TEST_PLUGIN_DIR) / "playground.so", plugins.path());
  fs::copy(fs::path(PERDURE_TEST_PLUGIN_DIR).parent_path() / "fixtures" / "hostile" / "hostile.so", plugins.path());
  HostProcess host({.plugins = plugins.path(), .environment = {{"PERDURE_LIMITS_STREAM", "20MiB"}}});
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const std::string metadata = trigger(http, "metadata-flood", "{}");
  const std::string stream = trigger(http, "stream-flood", "{}");
  const std::string requests = trigger(http, "request-flood", "{}");
  std::vector<std::string> healthy;
  for (int i = 0; i < 50; ++i) healthy.push_back(trigger(http, "echo", "{}"));
  for (const std::string& id : healthy) EXPECT_EQ(text(await_run(http, id).at("status")), "COMPLETED");
  EXPECT_EQ(text(await_run(http, metadata).at("status")), "COMPLETED");
  EXPECT_EQ(metadata_of(http, metadata).at("count"), 2000);
  const auto streamed = await_run(http, stream);
  EXPECT_EQ(streamed.at("output"), 19) << "20 MiB, and what a chunk costs beside its text";
  const auto asked = await_run(http, requests);
  EXPECT_NE(text(asked.at("status")), "COMPLETED");
  EXPECT_EQ(text(asked.at("error").at("code")), "PROTOCOL_ERROR") << boost::json::serialize(asked.at("error"));
  EXPECT_EQ(http.get("/perdure/v1/status").json().at("pid").to_number<pid_t>(), host.pid());
  EXPECT_LT(holdings(host.pid()).memory, 400L << 10) << "kB of the host and its processes";
}

}  // namespace
}  // namespace perdure::e2e
