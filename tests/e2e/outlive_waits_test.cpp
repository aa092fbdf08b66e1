// Runs that wait outlive their host like those that execute: they go on in their processes, wait once, and hear what
// they waited for.
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <chrono>
#include <thread>

#include "tests/e2e/host_process.h"

namespace perdure::e2e {
namespace {

std::string text(const boost::json::value& value) { return std::string(value.as_string()); }

class OutliveWaits : public testing::Test {
 protected:
  OutliveWaits() { EXPECT_TRUE(host_.start()) << host_.log(); }

  void next_host() {
    host_.kill();
    ASSERT_TRUE(host_.start()) << host_.log();
  }
  /// Triggers, waits until the run waits, and kills the host `times` times.
  boost::json::object waited(const std::string& task, const boost::json::object& payload, int times = 1) {
    std::string id;
    {
      Http http = host_.client();
      id = trigger(http, task, boost::json::serialize(payload));
      const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
      while (http.get("/api/v3/runs/" + id).json().at("status") != "WAITING") {
        if (std::chrono::steady_clock::now() > deadline) {
          ADD_FAILURE() << id << " never waits";
          break;
        }
        std::this_thread::yield();
      }
    }
    for (int i = 0; i < times; ++i) next_host();
    Http http = host_.client();
    return await_run(http, id);
  }

  HostProcess host_{{.plugins = PERDURE_TEST_BIN_DIR "/../fixtures/waiter"}};
};

TEST_F(OutliveWaits, AWaitGoesOnInTheSameProcess) {
  const auto run = waited("nap", {{"ms", 2000}});
  EXPECT_EQ(text(run.at("status")), "COMPLETED") << boost::json::serialize(run) << host_.log();
  EXPECT_EQ(run.at("attempts").as_array().size(), 1u);
  EXPECT_EQ(run.at("output").at("before"), run.at("output").at("after"));
  EXPECT_EQ(run.at("output").at("replay"), 0);
}

TEST_F(OutliveWaits, AWaitGoesOnThroughManyHosts) {
  const auto run = waited("nap", {{"ms", 3000}}, 5);
  EXPECT_EQ(text(run.at("status")), "COMPLETED") << boost::json::serialize(run) << host_.log();
  EXPECT_EQ(run.at("attempts").as_array().size(), 1u) << boost::json::serialize(run) << host_.log();
}

TEST_F(OutliveWaits, AParentHearsOfItsChildThatOutlivedTheHostAsWell) {
  const auto run = waited("ask", {{"value", "leaf"}, {"fails", false}, {"ms", 1500}});
  EXPECT_EQ(text(run.at("status")), "COMPLETED") << boost::json::serialize(run) << host_.log();
  EXPECT_EQ(text(run.at("output")), "leaf");
  EXPECT_EQ(run.at("attempts").as_array().size(), 1u);
  Http http = host_.client();
  const auto children = http.get("/perdure/v1/runs/" + text(run.at("id")) + "/children").json();
  ASSERT_EQ(children.at("data").as_array().size(), 1u);
  const auto child = await_run(http, text(children.at("data").at(0).at("id")));
  EXPECT_EQ(child.at("attempts").as_array().size(), 1u);
}

// It may execute for five seconds, and waits for three and executes for three.
TEST_F(OutliveWaits, WhatWasWaitedDoesNotCountAgainstATimeLimit) {
  const auto run = waited("timed", {{"ms", 3000}});
  EXPECT_EQ(text(run.at("status")), "COMPLETED") << boost::json::serialize(run) << host_.log();
  EXPECT_EQ(run.at("attempts").as_array().size(), 1u);
}

TEST_F(OutliveWaits, RunsThatWaitWithinEachOtherAllEnd) {
  const auto run = waited("nest", {{"depth", 30}}, 3);
  EXPECT_EQ(text(run.at("status")), "COMPLETED") << boost::json::serialize(run) << host_.log();
  EXPECT_EQ(run.at("output"), 30);
  EXPECT_EQ(run.at("attempts").as_array().size(), 1u);
}

}  // namespace
}  // namespace perdure::e2e
