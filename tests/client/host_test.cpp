// The client against a real host with the shipped tasks.
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <perdure/client.hpp>

#include "tests/e2e/host_process.h"

using namespace std::chrono_literals;

namespace perdure::test {
namespace {

struct Greeting {
  std::string name;
};
struct Message {
  std::string message;
};
struct Nap {
  int ms = 0;
};
BOOST_DESCRIBE_STRUCT(Greeting, (), (name))
BOOST_DESCRIBE_STRUCT(Message, (), (message))
BOOST_DESCRIBE_STRUCT(Nap, (), (ms))

constexpr Task<Greeting, Message> hello_world{.id = "hello-world"};

// One host for the tests that leave it as it is.
class ClientOfAHost : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    host = new e2e::HostProcess;
    ASSERT_TRUE(host->start()) << host->log();
  }
  static void TearDownTestSuite() {
    delete host;
    host = nullptr;
  }
  const Client client{host->url(), host->key()};
  static e2e::HostProcess* host;
};
e2e::HostProcess* ClientOfAHost::host = nullptr;

TEST_F(ClientOfAHost, TriggersByTypeAndWaitsForTheOutput) {
  const auto run = client.trigger(hello_world, {.name = "Ada"}, {.tags = {"demo"}, .metadata = {{"k", 1}}});
  EXPECT_FALSE(run.cached);
  EXPECT_EQ(client.wait(run).unwrap().message, "Hello, Ada!");
  const client::Run seen = client.retrieve(run.id);
  EXPECT_TRUE(seen.completed());
  EXPECT_EQ(seen.task, "hello-world");
  EXPECT_EQ(seen.tags, std::vector<std::string>{"demo"});
  EXPECT_EQ(seen.payload_as<Greeting>().name, "Ada");
  EXPECT_EQ(seen.attempts, 1);
  // What may only read the run can follow it.
  const Client reader{host->url(), client.public_token(run)};
  EXPECT_TRUE(reader.retrieve(run.id).completed());
  EXPECT_THROW(reader.cancel(run.id), client::Forbidden);
}

TEST_F(ClientOfAHost, SendsEveryKindOfPayload) {
  for (const json::value& each : {json::value("text"), json::value("{\"a\":1}"), json::value(42), json::value(nullptr),
                                  json::value(json::array{1, "b"}), json::value("\xc3\xa9\n\"")}) {
    EXPECT_EQ(client.trigger_and_wait("echo", each).unwrap(), each);
  }
}

TEST_F(ClientOfAHost, TriggersABatchOfAHundredWithResultsInOrder) {
  std::vector<int> payloads;
  for (int i = 0; i < 100; ++i) payloads.push_back(i);
  const auto batch = client.batch<int>("echo", payloads);
  ASSERT_EQ(batch.runs.size(), 100u);
  EXPECT_EQ(client.wait(batch).unwrap(), payloads);
  EXPECT_EQ(client.retrieve_batch(batch.id).status, "COMPLETED");
  EXPECT_EQ(client.list({.batch = batch.id, .page_size = 1}).runs.at(0).batch_id, batch.id);
  std::set<std::string> listed;
  client.for_each_run({.batch = batch.id, .page_size = 30}, [&](const client::Run& run) { listed.insert(run.id); });
  EXPECT_EQ(listed.size(), 100u);
}

TEST_F(ClientOfAHost, TellsOfItemsOfABatchThatMadeNoRun) {
  const auto batch = client.batch({item("echo", 1), item("no-such-task", 2), item("echo", 3)});
  const auto results = client.wait(batch);
  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(results[0].unwrap(), json::value(1));
  EXPECT_EQ(results[1].error().name, "TRIGGER_FAILED");
  EXPECT_NE(results[1].error().message.find("no-such-task"), std::string::npos) << results[1].error().message;
  EXPECT_EQ(results[2].unwrap(), json::value(3));
}

TEST_F(ClientOfAHost, MakesOneBatchForAKey) {
  const std::vector<int> payloads{1, 2};
  const auto first = client.batch<int>("echo", payloads, {}, {.idempotency_key = "client-batch"});
  const auto second = client.batch<int>("echo", payloads, {}, {.idempotency_key = "client-batch"});
  EXPECT_EQ(first.id, second.id);
  EXPECT_TRUE(second.cached);
  EXPECT_EQ(second.runs.at(1).id, first.runs.at(1).id);
}

TEST_F(ClientOfAHost, GivesFailuresAsTypedErrors) {
  const RunResult<None> failed = client.trigger_and_wait<None>("fail", None{}, {.max_attempts = 2});
  EXPECT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().name, "FixtureError");
  EXPECT_EQ(failed.error().message, "boom");
  EXPECT_EQ(failed.error().status, "FAILED");
  const auto crashed = client.trigger_and_wait("crash", json::object(), {.max_attempts = 1});
  EXPECT_EQ(crashed.error().name, "SIGSEGV");
  EXPECT_EQ(crashed.error().status, "CRASHED");
  EXPECT_THROW(crashed.unwrap(), RunFailed);
}

TEST_F(ClientOfAHost, RefusesInWords) {
  EXPECT_THROW(client.trigger("no-such-task", 1), client::NotFound);
  EXPECT_THROW(client.retrieve("run_nosuchrun"), client::NotFound);
  EXPECT_THROW(client.wait("run_nosuchrun"), client::NotFound);
  EXPECT_THROW(client.subscribe("run_nosuchrun", [](const client::Run&) {}), client::NotFound);
  EXPECT_THROW(Client(host->url(), "tr_prod_wrong").retrieve("run_x"), client::Unauthorized);
  EXPECT_THROW(Client(host->url()).retrieve("run_x"), client::Unauthorized);
  try {
    client.trigger("hello-world", json::object{{"name", 7}});
    FAIL() << "nothing was thrown";
  } catch (const client::Invalid& e) {
    EXPECT_NE(std::string(e.what()).find("name"), std::string::npos) << e.what();
  }
}

TEST_F(ClientOfAHost, MakesOneRunForAKeyUntilItIsFreed) {
  const TriggerOptions once{.idempotency_key = "client-once"};
  const auto first = client.trigger("echo", 1, once);
  const auto second = client.trigger("echo", 2, once);
  EXPECT_EQ(first.id, second.id);
  EXPECT_TRUE(second.cached);
  EXPECT_EQ(client.retrieve(first.id).idempotency_key, "client-once");
  client.reset_idempotency_key("echo", "client-once");
  EXPECT_NE(client.trigger("echo", 3, once).id, first.id);
}

TEST_F(ClientOfAHost, CancelsReplaysReschedulesAndTags) {
  const auto later = client.trigger("echo", "x", {.delay = 1h});
  EXPECT_EQ(client.retrieve(later.id).status, "DELAYED");
  client.add_tags(later.id, {"late", "client"});
  const client::Run moved = client.reschedule(later.id, 2h);
  EXPECT_EQ(moved.tags, (std::vector<std::string>{"client", "late"}));
  EXPECT_GT(moved.delayed_until.value(), moved.created_at + 110min);
  EXPECT_EQ(client.list({.tags = {"late"}}).runs.at(0).id, later.id);
  EXPECT_THROW(client.wait(later, {.timeout = 50ms}), client::WaitTimedOut);
  client.cancel(later.id);
  const auto canceled = client.wait(later);
  EXPECT_EQ(canceled.error().status, "CANCELED");
  EXPECT_EQ(client.wait(client.replay(later.id)).unwrap(), json::value("x"));
  const auto again = client.replay_with<std::string>(later.id, "y", {.tags = {"again"}});
  EXPECT_EQ(client.wait(again).unwrap(), "y");
  EXPECT_EQ(client.retrieve(again.id).tags, std::vector<std::string>{"again"});
}

TEST_F(ClientOfAHost, ReadsAndChangesMetadata) {
  using Change = client::MetadataChange;
  const auto run = client.trigger("echo", 1, {.delay = 1h, .metadata = {{"list", json::array{1}}, {"gone", 1}}});
  EXPECT_EQ(client.change_metadata(run.id, {Change::set("s", "held"), Change::increment("n", 2),
                                            Change::append("list", 2), Change::del("gone"), Change::increment("n")}),
            (json::object{{"list", {1, 2}}, {"s", "held"}, {"n", 3}}));
  EXPECT_EQ(client.metadata(run.id).at("n"), 3);
  client.cancel(run.id);
}

TEST_F(ClientOfAHost, CompletesWhatARunWaitsFor) {
  const client::MadeToken token = client.create_token({.timeout = 10min, .tags = {"approval"}});
  EXPECT_EQ(client.retrieve_token(token.id).status, "WAITING");
  const auto run = client.trigger<Greeting>("wait-token", json::object{{"token", token.id}});
  // It waits.
  client.subscribe(run, [](const client::Run& each) { return each.status != "WAITING"; });
  // What the token's own key may do.
  Client(host->url(), client.public_token(token)).complete_token(token.id, Greeting{"Ada"});
  EXPECT_EQ(client.wait(run).unwrap().name, "Ada");
  const client::TokenState state = client.retrieve_token(token.id);
  EXPECT_EQ(state.status, "COMPLETED");
  EXPECT_EQ(state.output.value().at("name").as_string(), "Ada");
  EXPECT_EQ(state.tags, std::vector<std::string>{"approval"});
}

TEST_F(ClientOfAHost, PausesAndLimitsQueues) {
  EXPECT_TRUE(client.pause_queue("task/flaky").paused);
  const auto run = client.trigger("flaky", json::object{{"failures", 0}});
  EXPECT_EQ(client.retrieve_queue("task/flaky").queued, 1u);
  EXPECT_EQ(client.limit_queue("task/flaky", 3).concurrency_limit, 3u);
  EXPECT_EQ(client.reset_queue("task/flaky").concurrency_limit, std::nullopt);
  EXPECT_FALSE(client.resume_queue("task/flaky").paused);
  EXPECT_TRUE(client.wait(run).ok());
}

TEST_F(ClientOfAHost, IsUsedByManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  std::vector<int> outputs(8, -1);
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      int sum = 0;
      for (int k = 0; k < 5; ++k) sum += client.trigger_and_wait<int>("echo-recycled", i).unwrap();
      outputs[static_cast<std::size_t>(i)] = sum;
    });
  }
  for (std::thread& each : threads) each.join();
  for (int i = 0; i < 8; ++i) EXPECT_EQ(outputs[static_cast<std::size_t>(i)], 5 * i);
}

TEST_F(ClientOfAHost, CallsWhatHasNoVerb) {
  EXPECT_TRUE(client.call("GET", "/perdure/v1/status").as_object().contains("runs"));
  EXPECT_THROW(client.call("GET", "/perdure/v1/nothing"), client::NotFound);
}

}  // namespace
}  // namespace perdure::test
