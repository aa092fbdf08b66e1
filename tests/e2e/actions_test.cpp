// What is done to runs through the real executables: replayed, rescheduled, debounced, canceled and replayed in bulk.
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <chrono>
#include <set>
#include <thread>

#include "tests/e2e/host_process.h"

namespace perdure::e2e {
namespace {

std::string text(const boost::json::value& value) { return std::string(value.as_string()); }

class Actions : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(host_.start()) << host_.log(); }

  std::string cli_line(std::vector<std::string> arguments) {
    const Ended ended = host_.cli(std::move(arguments));
    EXPECT_EQ(ended.exit_status, 0) << ended.err;
    return ended.out.substr(0, ended.out.find('\n'));
  }
  std::string status(const std::string& id) {
    Http http = host_.client();
    return text(http.get("/perdure/v1/runs/" + id).json().at("status"));
  }
  // The ids of all runs that the query lets through.
  std::set<std::string> ids(const std::string& query) {
    Http http = host_.client();
    std::set<std::string> found;
    for (std::string cursor;;) {
      const auto page = http.get("/api/v1/runs?page[size]=100&" + query + cursor).json();
      for (const auto& run : page.at("data").as_array()) found.insert(text(run.at("id")));
      if (!page.at("pagination").as_object().contains("next")) return found;
      cursor = "&page[after]=" + text(page.at("pagination").at("next"));
    }
  }
  // The bulk action once it is over.
  boost::json::value await_bulk(const std::string& id) {
    Http http = host_.client();
    for (int i = 0; i < 3000; ++i) {
      auto action = http.get("/api/v1/bulk-actions/" + id).json();
      if (text(action.at("status")) != "PENDING") return action;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    ADD_FAILURE() << id << " is not over after a minute";
    return {};
  }

  HostProcess host_;
};

TEST_F(Actions, ARunIsReplayedAsItWasOrWithAnotherPayload) {
  Http http = host_.client();
  const std::string original = trigger(http, "hello-world", R"({"name":"Ada"})");
  await_run(http, original);
  const auto same = await_run(http, cli_line({"runs", "replay", original}));
  EXPECT_EQ(text(same.at("output").at("message")), "Hello, Ada!");
  EXPECT_EQ(text(same.at("replayOf")), original);
  const auto other = await_run(http, cli_line({"runs", "replay", original, "--payload", R"({"name":"Bea"})"}));
  EXPECT_EQ(text(other.at("output").at("message")), "Hello, Bea!");
}

TEST_F(Actions, ADelayedRunIsRescheduledAcrossARestart) {
  Http http = host_.client();
  const std::string id = trigger(http, "hello-world", R"({"name":"Ada"})", {{"delay", "300d"}});
  cli_line({"runs", "reschedule", id, "200d"});
  host_.kill();
  ASSERT_TRUE(host_.start()) << host_.log();
  EXPECT_EQ(status(id), "DELAYED");
  cli_line({"runs", "reschedule", id, "1s"});
  Http again = host_.client();
  EXPECT_EQ(text(await_run(again, id).at("status")), "COMPLETED");
}

TEST_F(Actions, TriggersUnderADebounceKeyMakeOneRunOfTheLatestAcrossARestart) {
  Http http = host_.client();
  const boost::json::object debounce{
      {"debounce", boost::json::object{{"key", "k"}, {"delay", "300d"}, {"mode", "trailing"}}}};
  const std::string id = trigger(http, "hello-world", R"({"name":"Ada"})", debounce);
  host_.kill();
  ASSERT_TRUE(host_.start()) << host_.log();
  Http again = host_.client();
  EXPECT_EQ(trigger(again, "hello-world", R"({"name":"Bea"})", debounce), id);
  cli_line({"runs", "reschedule", id, "1s"});
  EXPECT_EQ(text(await_run(again, id).at("output").at("message")), "Hello, Bea!");
  EXPECT_NE(trigger(again, "hello-world", R"({"name":"Cleo"})", debounce), id);
}

TEST_F(Actions, AnIdempotencyKeyIsFreedByHand) {
  const std::vector<std::string> keyed{"trigger", "hello-world", R"({"name":"Ada"})", "--idempotency-key", "k"};
  const std::string first = cli_line(keyed);
  EXPECT_EQ(cli_line(keyed), first);
  cli_line({"idempotency", "reset", "hello-world", "k"});
  EXPECT_NE(cli_line(keyed), first);
}

TEST_F(Actions, ManyRunsAreCanceledByAFilter) {
  Http http = host_.client();
  for (int i = 0; i < 120; ++i)
    trigger(http, "hello-world", R"({"name":"Ada"})", {{"delay", "300d"}, {"tags", "many"}});
  const std::string kept = trigger(http, "hello-world", R"({"name":"Ada"})", {{"delay", "300d"}});
  const std::string said = cli_line({"runs", "cancel", "--status", "DELAYED", "--tag", "many"});
  EXPECT_NE(said.find("canceled 120"), std::string::npos) << said;
  EXPECT_EQ(ids("filter[status]=CANCELED").size(), 120u);
  EXPECT_EQ(status(kept), "DELAYED");
}

TEST_F(Actions, ABulkReplayWhoseHostIsKilledGoesOnAndReplaysEachRunOnce) {
  constexpr std::size_t kRuns = 250;
  std::string last;
  {
    Http http = host_.client();
    for (std::size_t i = 0; i < kRuns; ++i)
      last = trigger(http, "hello-world", R"({"name":"Ada"})", {{"tags", "once"}});
    await_run(http, last);
    while (ids("filter[status]=COMPLETED").size() < kRuns) {
    }
  }
  Http http = host_.client();
  const auto begun = http.post("/api/v1/bulk-actions", R"({"action":"replay","filter":{"tag":"once"}})");
  ASSERT_EQ(begun.status, 202) << begun.body;
  const std::string id = text(begun.json().at("id"));
  for (int i = 0; i < 3; ++i) {
    host_.kill();
    ASSERT_TRUE(host_.start()) << host_.log();
  }
  const auto action = await_bulk(id);
  EXPECT_EQ(text(action.at("status")), "COMPLETED") << boost::json::serialize(action);
  EXPECT_EQ(action.at("counts").at("success").to_number<std::size_t>(), kRuns);
  EXPECT_EQ(ids("filter[bulkAction]=" + id).size(), kRuns);
  EXPECT_EQ(ids("filter[tag]=once").size(), 2 * kRuns);
}

}  // namespace
}  // namespace perdure::e2e
