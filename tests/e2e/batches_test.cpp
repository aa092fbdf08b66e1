// Batches through the real executables: sent by a client to hosts that are killed, and triggered by attempts.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/host_process.h"

namespace perdure::e2e {
namespace {

namespace json = boost::json;

std::string text(const json::value& value) { return std::string(value.as_string()); }

std::string lines_of(int first, int last) {
  std::string lines;
  for (int i = first; i < last; ++i) {
    lines += R"({"index":)" + std::to_string(i) + R"(,"task":"echo","payload":)" + std::to_string(i) + "}\n";
  }
  return lines;
}

std::vector<std::string> runs_of(Http& http, const std::string& batch) {
  std::vector<std::string> runs;
  const json::value shown = http.get("/api/v2/batches/" + batch).json();
  for (const json::value& run : shown.at("runs").as_array()) runs.push_back(text(run));
  return runs;
}

TEST(Batches, SentToHostsThatAreKilledAreThereOnceAndWhole) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  std::string id;
  {
    Http http = host.client();
    const std::string create = R"({"runCount":30,"idempotencyKey":"night"})";
    id = text(http.post("/api/v3/batches", create).json().at("id"));
    EXPECT_EQ(http.post_lines("/api/v3/batches/" + id + "/items", lines_of(0, 12)).json().at("sealed"), false);
  }
  host.kill();
  ASSERT_TRUE(host.start()) << host.log();
  {
    Http http = host.client();
    EXPECT_TRUE(runs_of(http, id).empty()) << "no item runs before all are there";
    const json::value again = http.post("/api/v3/batches", R"({"runCount":30,"idempotencyKey":"night"})").json();
    EXPECT_EQ(text(again.at("id")), id);
    EXPECT_EQ(again.at("isCached"), false);
    const json::value sealed = http.post_lines("/api/v3/batches/" + id + "/items", lines_of(0, 30)).json();
    EXPECT_EQ(sealed.at("sealed"), true) << json::serialize(sealed);
    EXPECT_EQ(sealed.at("itemsDeduplicated"), 12);
  }
  host.kill();
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const std::vector<std::string> runs = runs_of(http, id);
  ASSERT_EQ(runs.size(), 30u);
  for (int i = 0; i < 30; ++i) {
    const auto run = await_run(http, runs[static_cast<std::size_t>(i)]);
    EXPECT_EQ(text(run.at("status")), "COMPLETED");
    EXPECT_EQ(run.at("output"), i) << "in the order of the items";
  }
  EXPECT_EQ(text(http.get("/api/v2/batches/" + id).json().at("status")), "COMPLETED");
  EXPECT_EQ(http.post_lines("/api/v3/batches/" + id + "/items", lines_of(0, 30)).json().at("sealed"), true);
  EXPECT_EQ(runs_of(http, id), runs);
}

TEST(Batches, OfAThousandChildrenAreTriggeredInOneCall) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const auto parent =
      await_run(http, trigger(http, "fan-out", R"({"children":1000,"on_success":false,"fails":false})"));
  ASSERT_EQ(text(parent.at("status")), "COMPLETED");
  std::vector<std::string> told;
  for (const json::value& id : parent.at("output").at("ids").as_array()) told.push_back(text(id));
  ASSERT_EQ(told.size(), 1000u);
  const auto first = http.get("/api/v3/runs/" + told[0]).json();
  EXPECT_EQ(text(first.at("triggerFunction")), "batchTrigger");
  EXPECT_EQ(runs_of(http, text(first.at("batchId"))), told);
  for (const std::string& id : told) ASSERT_EQ(text(await_run(http, id).at("status")), "COMPLETED");
  const json::value metadata = http.get("/api/v1/runs/" + text(parent.at("id")) + "/metadata").json();
  EXPECT_EQ(metadata.at("metadata").at("present"), 1000);
  const Ended listed = host.cli({"runs", "list", "--batch", text(first.at("batchId")), "--limit", "100", "--json"});
  EXPECT_EQ(std::count(listed.out.begin(), listed.out.end(), '\n'), 100) << listed.err;
}

TEST(Batches, ThatComeWithASuccessAreNotThereWithoutIt) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const std::string failing = trigger(http, "fan-out", R"({"children":5,"on_success":true,"fails":true})");
  EXPECT_EQ(text(await_run(http, failing).at("status")), "FAILED");
  EXPECT_TRUE(http.get("/perdure/v1/runs/" + failing + "/children").json().at("data").as_array().empty());
  const auto parent = await_run(http, trigger(http, "fan-out", R"({"children":5,"on_success":true,"fails":false})"));
  ASSERT_EQ(text(parent.at("status")), "COMPLETED");
  for (const json::value& id : parent.at("output").at("ids").as_array()) {
    EXPECT_EQ(text(await_run(http, text(id)).at("status")), "COMPLETED");
  }
  // A batch at once outlives the failure of the attempts that triggered it, and all of them triggered the one.
  const std::string early = trigger(http, "fan-out", R"({"children":5,"on_success":false,"fails":true})");
  EXPECT_EQ(text(await_run(http, early).at("status")), "FAILED");
  EXPECT_EQ(http.get("/perdure/v1/runs/" + early + "/children").json().at("data").as_array().size(), 5u);
}

TEST(Batches, ThatComeWithASuccessDoSoThoughTheirHostIsKilledBeforeIt) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  std::string id;
  {
    Http http = host.client();
    id = trigger(http, "fan-out", R"({"children":5,"on_success":true,"fails":false,"ms":3000})");
    const auto told = [&] {
      const json::value metadata = http.get("/api/v1/runs/" + id + "/metadata").json();
      return metadata.is_object() && metadata.at("metadata").as_object().contains("triggered");
    };
    while (!told()) std::this_thread::yield();
  }
  host.kill();
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const auto parent = await_run(http, id);
  ASSERT_EQ(text(parent.at("status")), "COMPLETED") << json::serialize(parent);
  EXPECT_EQ(parent.at("attemptCount"), 1) << "the attempt has outlived its host";
  for (const json::value& child : parent.at("output").at("ids").as_array()) {
    EXPECT_EQ(text(await_run(http, text(child)).at("status")), "COMPLETED");
  }
  EXPECT_EQ(http.get("/perdure/v1/runs/" + id + "/children").json().at("data").as_array().size(), 5u);
}

TEST(Batches, OfAThousandChildrenReturnInOrderToWhoWaitsForThem) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const auto parent =
      await_run(http, trigger(http, "gather", R"({"children":998,"failing":2,"sleeping":0,"failures":0})"));
  ASSERT_EQ(text(parent.at("status")), "COMPLETED") << json::serialize(parent);
  EXPECT_EQ(parent.at("attemptCount"), 1);
  const json::array outputs = parent.at("output").at("outputs").as_array();
  ASSERT_EQ(outputs.size(), 998u);
  for (int i = 0; i < 998; ++i) ASSERT_EQ(outputs[static_cast<std::size_t>(i)], i);
  EXPECT_EQ(parent.at("output").at("errors").as_array().size(), 2u) << "a child that failed is a value";
}

TEST(Batches, OfChildrenThatFillEverySlotFinish) {
  HostProcess host({.arguments = {"--concurrency", "2"}});
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  std::vector<std::string> parents;
  for (int i = 0; i < 6; ++i)
    parents.push_back(trigger(http, "gather", R"({"children":20,"failing":0,"sleeping":0,"failures":0})"));
  for (const std::string& id : parents) {
    const auto parent = await_run(http, id);
    EXPECT_EQ(text(parent.at("status")), "COMPLETED");
    EXPECT_EQ(parent.at("output").at("outputs").as_array().size(), 20u);
  }
}

TEST(Batches, AreNotTriggeredAgainByAnAttemptThatComesAfterTheirEnd) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const auto parent =
      await_run(http, trigger(http, "gather", R"({"children":10,"failing":1,"sleeping":0,"failures":2})"));
  ASSERT_EQ(text(parent.at("status")), "COMPLETED") << json::serialize(parent);
  EXPECT_EQ(parent.at("attemptCount"), 3);
  EXPECT_EQ(parent.at("output").at("outputs").as_array().size(), 10u);
  const json::value children = http.get("/perdure/v1/runs/" + text(parent.at("id")) + "/children?limit=100").json();
  EXPECT_EQ(children.at("data").as_array().size(), 11u);
}

TEST(Batches, EndWithTheirParentWhenItIsCanceled) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  const std::string id = trigger(http, "gather", R"({"children":0,"failing":0,"sleeping":3,"failures":0})");
  const std::string list = "/perdure/v1/runs/" + id + "/children?limit=100";
  while (http.get(list).json().at("data").as_array().size() < 3) std::this_thread::yield();
  EXPECT_EQ(http.post("/api/v2/runs/" + id + "/cancel", "").status, 200);
  EXPECT_EQ(text(await_run(http, id).at("status")), "CANCELED");
  const json::value children = http.get(list).json();
  for (const json::value& child : children.at("data").as_array()) {
    EXPECT_EQ(text(await_run(http, text(child.at("id"))).at("status")), "CANCELED");
  }
}

}  // namespace
}  // namespace perdure::e2e
