// Waiting through a real host: runs that wait hold nothing, go on where they were, and hear what became of what they
// waited for.
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <chrono>
#include <set>
#include <thread>

#include "tests/e2e/holdings.h"
#include "tests/e2e/host_process.h"

namespace perdure::e2e {
namespace {

HostOptions waiter_host(const std::string& concurrency = "8") {
  return {.plugins = PERDURE_TEST_BIN_DIR "/../fixtures/waiter", .environment = {{"PERDURE_CONCURRENCY", concurrency}}};
}

std::string leaf_of(const std::string& value, bool fails = false, int ms = 0) {
  return boost::json::serialize(boost::json::object{{"value", value}, {"fails", fails}, {"ms", ms}});
}

std::string text(const boost::json::value& value) { return std::string(value.as_string()); }

std::string status_of(Http& http, const std::string& id) {
  return text(http.get("/api/v3/runs/" + id).json().at("status"));
}

// Waits until the run is in this status.
void await_status(Http& http, const std::string& id, const std::string& status) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (status_of(http, id) != status) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "it is " << status_of(http, id);
    std::this_thread::yield();
  }
}

// Waits until no attempt has a process.
void await_no_attempts(const HostProcess& host) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  for (;;) {
    auto left = holdings(host.pid()).descendants;
    left.erase("perdure-zygote");
    left.erase("perdure-spare");
    if (left.empty()) return;
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    std::this_thread::yield();
  }
}

std::vector<std::string> events_of(Http& http, const std::string& id) {
  std::vector<std::string> names;
  const auto trace = http.get("/perdure/v1/runs/" + id + "/trace").json();
  for (const auto& event : trace.at("events").as_array()) names.push_back(text(event.at("name")));
  return names;
}

TEST(Waits, AParentGetsWhatItsChildReturned) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const std::string id = trigger(http, "parent", R"({"a":[1,"x"]})");
  const auto run = await_run(http, id);
  EXPECT_EQ(run.at("status"), "COMPLETED") << boost::json::serialize(run);
  EXPECT_EQ(boost::json::serialize(run.at("output")), R"({"child":{"a":[1,"x"]}})");
  std::vector<std::string> events = events_of(http, id);
  for (const char* each : {"wait_began", "resumed"}) std::erase(events, each);  // none when the child was that quick
  EXPECT_EQ(events, (std::vector<std::string>{"triggered", "claimed", "attempt_started", "succeeded"}));
}

TEST(Waits, AFailedChildIsAValueAndNotASurprise) {
  HostProcess host(waiter_host());
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  EXPECT_EQ(await_run(http, trigger(http, "ask", leaf_of("v", true))).at("output"), "FAILED LeafError it fell");
  const auto insisted = await_run(http, trigger(http, "insist", leaf_of("v", true)));
  EXPECT_EQ(insisted.at("status"), "FAILED");
  EXPECT_NE(boost::json::serialize(insisted).find("did not complete: LeafError: it fell"), std::string::npos)
      << boost::json::serialize(insisted);
  EXPECT_EQ(await_run(http, trigger(http, "gather", R"(["a","","c"])")).at("output"), "a LeafError c ");
}

TEST(Waits, ALaterAttemptNeitherTriggersNorWaitsAgain) {
  HostProcess host(waiter_host());
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const auto run = await_run(http, trigger(http, "ask", leaf_of("again")));
  EXPECT_EQ(run.at("output"), "again");
  EXPECT_EQ(run.at("attempts").as_array().size(), 2u);
  const auto children = http.get("/perdure/v1/runs/" + text(run.at("id")) + "/children").json();
  EXPECT_EQ(children.at("data").as_array().size(), 1u) << boost::json::serialize(children);
}

TEST(Waits, ARunThatWaitsIsWaitingAtOnceAndHoldsNoSlot) {
  HostProcess host(waiter_host("1"));
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const std::string waits = trigger(http, "nap", R"({"ms":600000})");
  await_status(http, waits, "WAITING");
  EXPECT_EQ(http.get("/perdure/v1/status").json().at("engine").at("executing").to_number<int>(), 0);
  EXPECT_EQ(await_run(http, trigger(http, "leaf", leaf_of("other"))).at("output"), "other");
  EXPECT_EQ(status_of(http, waits), "WAITING");
  EXPECT_EQ(http.post("/api/v2/runs/" + waits + "/cancel", "{}").status, 200);
  EXPECT_EQ(await_run(http, waits).at("status"), "CANCELED");
}

TEST(Waits, TheProcessThatWaitedGoesOn) {
  HostProcess host(waiter_host());
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const auto run = await_run(http, trigger(http, "nap", R"({"ms":300})"));
  EXPECT_EQ(run.at("output").at("before"), run.at("output").at("after"));
  EXPECT_EQ(run.at("output").at("replay"), 0);
}

TEST(Waits, DoNotCountAgainstMaxDuration) {
  HostProcess host(waiter_host());
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const std::string in_time = trigger(http, "timed", R"({"ms":3500})"),
                    too_long = trigger(http, "timed", R"({"ms":5200})");
  EXPECT_EQ(await_run(http, in_time).at("status"), "COMPLETED");
  EXPECT_EQ(await_run(http, too_long).at("status"), "TIMED_OUT");
}

TEST(Waits, AProcessThatMayLeaveIsGoneDuringTheWaitAndAnotherGoesOnInTheSameAttempt) {
  HostProcess host(waiter_host());
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const std::string id = trigger(http, "leave", R"({"ms":1500})");
  await_status(http, id, "WAITING");
  await_no_attempts(host);
  const auto run = await_run(http, id);
  EXPECT_EQ(run.at("status"), "COMPLETED") << boost::json::serialize(run);
  EXPECT_NE(run.at("output").at("before"), run.at("output").at("after"));
  EXPECT_EQ(run.at("output").at("replay"), 1);
  EXPECT_EQ(run.at("attempts").as_array().size(), 1u);
}

TEST(Waits, ARunWhoseProcessLeftGoesOnUnderTheNextHost) {
  HostProcess host(waiter_host());
  ASSERT_TRUE(host.start()) << host.log();
  std::string id;
  {
    Http http = host.client();
    id = trigger(http, "leave", R"({"ms":2000})");
    await_status(http, id, "WAITING");
    await_no_attempts(host);
  }
  host.kill();
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const auto run = await_run(http, id);
  EXPECT_EQ(run.at("status"), "COMPLETED") << boost::json::serialize(run);
  EXPECT_EQ(run.at("output").at("replay"), 1);
}

TEST(Waits, OfSeveralThingsTheFirstOneCounts) {
  HostProcess host(waiter_host());
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  EXPECT_EQ(await_run(http, trigger(http, "race", R"({"child_ms":0,"ms":600000})")).at("output"), "child");
  EXPECT_EQ(await_run(http, trigger(http, "race", R"({"child_ms":2000,"ms":100})")).at("output"), "time");
}

TEST(Waits, AThousandRunsWithinEachOtherFinishInAQueueThatLetsOneExecute) {
  HostProcess host(waiter_host("1"));
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const auto run = await_run(http, trigger(http, "nest", R"({"depth":1000})"));
  EXPECT_EQ(run.at("status"), "COMPLETED") << boost::json::serialize(run).substr(0, 2000);
  EXPECT_EQ(run.at("output"), 1000);
}

TEST(Waits, CancelingARunThatWaitsForAChildCancelsTheChildToo) {
  HostProcess host(waiter_host());
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const std::string parent = trigger(http, "ask", leaf_of("v", false, 600000));
  await_status(http, parent, "WAITING");
  const auto children = http.get("/perdure/v1/runs/" + parent + "/children").json();
  const std::string child = text(children.at("data").as_array().at(0).at("id"));
  EXPECT_EQ(http.post("/api/v2/runs/" + parent + "/cancel", "{}").status, 200);
  EXPECT_EQ(await_run(http, parent).at("status"), "CANCELED");
  EXPECT_EQ(await_run(http, child).at("status"), "CANCELED");
}

}  // namespace
}  // namespace perdure::e2e
