// Following runs of a real host, and waiting for them, also while it is killed and started again.
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <perdure/client.hpp>

#include "tests/client/door.h"
#include "tests/e2e/host_process.h"

using namespace std::chrono_literals;

namespace perdure::test {
namespace {

json::object nap(int ms) { return {{"ms", ms}}; }

TEST(ClientFollowing, HearsARunToItsEnd) {
  e2e::HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  const Client client{host.url(), host.key()};
  const auto run = client.trigger("count", json::object{{"to", 3}, {"ms", 50}}, {.delay = 1s});
  std::vector<std::string> statuses;
  json::object metadata;
  EXPECT_TRUE(client.subscribe(run, [&](const client::Run& each) {
    if (statuses.empty() || statuses.back() != each.status) statuses.push_back(each.status);
    metadata = each.metadata;
  }));
  ASSERT_GE(statuses.size(), 3u);
  EXPECT_EQ(statuses.front(), "DELAYED");
  EXPECT_EQ(statuses[statuses.size() - 2], "EXECUTING");
  EXPECT_EQ(statuses.back(), "COMPLETED");
  EXPECT_EQ(metadata.at("counted"), 3);
}

TEST(ClientFollowing, HearsARunThatFails) {
  e2e::HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  const Client client{host.url(), host.key()};
  RunError error;
  EXPECT_TRUE(client.subscribe(client.trigger("fail", None{}, {.max_attempts = 1}), [&](const client::Run& each) {
    if (each.finished()) error = each.result<None>().error();
  }));
  EXPECT_EQ(error.name, "FixtureError");
  EXPECT_EQ(error.message, "boom");
}

TEST(ClientFollowing, HearsAllRunsOfABatchAndAllWithATag) {
  e2e::HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  const Client client{host.url(), host.key()};
  const auto batch = client.batch("sleep", std::vector<json::object>(10, nap(20)), {.tags = {"a", "nap"}});
  std::set<std::string> ended;
  EXPECT_TRUE(client.subscribe(batch, [&](const client::Run& each) {
    if (each.completed()) ended.insert(each.id);
  }));
  EXPECT_EQ(ended.size(), 10u);
  // … and one that is triggered later.
  std::string later;
  std::set<std::string> tagged;
  EXPECT_FALSE(client.subscribe_tags({"nap", "a"}, [&](const client::Run& each) {
    tagged.insert(each.id);
    if (tagged.size() == 10 && later.empty()) later = client.trigger("sleep", nap(1), {.tags = {"a", "nap"}}).id;
    return later.empty() || each.id != later || !each.completed();
  }));
  EXPECT_EQ(tagged.size(), 11u);
}

TEST(ClientFollowing, EndsWithTheThreadThatSubscribes) {
  e2e::HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  const Client client{host.url(), host.key()};
  const auto run = client.trigger("sleep", nap(60'000));
  std::promise<void> heard;
  bool ended = true;
  {
    std::jthread follower([&](const std::stop_token& stop) {
      bool first = true;
      ended = client.subscribe(
          run, [&](const client::Run&) { std::exchange(first, false) ? heard.set_value() : void(); }, {.stop = stop});
    });
    heard.get_future().wait();
  }
  EXPECT_FALSE(ended);
  client.cancel(run.id);
}

// Starts the host again behind the door, once it is killed.
void kill_and_start(e2e::HostProcess& host, Door& door) {
  host.kill();
  ASSERT_TRUE(host.start()) << host.log();
  door.lead_to(host.url());
}

TEST(ClientFollowing, OutlivesAHostThatIsKilledAndStartedAgain) {
  e2e::HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  Door door(host.url());
  const Client client{door.url(), host.key()};
  const auto run = client.trigger("wait-token", json::object{{"token", client.create_token().id}});
  const std::string token = client.retrieve(run.id).payload.value().at("token").as_string().c_str();
  std::promise<void> begun;
  int ends = 0;
  bool waits = false;
  std::thread follower([&] {
    EXPECT_TRUE(client.subscribe(run, [&](const client::Run& each) {
      if (each.status == "WAITING" && !std::exchange(waits, true)) begun.set_value();
      ends += each.finished() ? 1 : 0;
    }));
  });
  begun.get_future().wait();
  kill_and_start(host, door);
  client.complete_token(token, "done");
  follower.join();
  EXPECT_EQ(ends, 1);
  EXPECT_EQ(client.wait(run).unwrap(), json::value("done"));
}

TEST(ClientFollowing, WaitsOnWhenItsHostIsKilledAndStartedAgain) {
  e2e::HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  Door door(host.url());
  const Client client{door.url(), host.key()};
  const auto batch = client.batch<json::object>("sleep", std::vector<json::object>(4, nap(1500)));
  auto waited = std::async(std::launch::async, [&] { return client.wait(batch); });
  client.subscribe(batch, [](const client::Run& each) { return each.status != "EXECUTING"; });
  kill_and_start(host, door);
  // Triggers go on, too: the first call over a connection that is dead.
  EXPECT_TRUE(client.trigger_and_wait("echo", 1).ok());
  const auto results = waited.get();
  ASSERT_EQ(results.size(), 4u);
  for (const auto& each : results) EXPECT_EQ(each.unwrap().at("slept"), 1500);
}

}  // namespace
}  // namespace perdure::test
