// Queues of a real host: fairness behind a great backlog, and what people say about queues across the host's death.
#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>

#include "store/rocks/rocks.h"
#include "tests/e2e/host_process.h"

namespace perdure::e2e {
namespace {

constexpr int kBacklog = 100'000;
constexpr std::size_t kSlots = 2;

std::unique_ptr<store::Store> open_store(const HostProcess& host) {
  auto opened = store::open_rocks({.directory = host.data(), .log = {}, .space = {}, .file_system = {}});
  EXPECT_TRUE(opened) << opened.status().message();
  return opened ? std::move(*opened) : nullptr;
}

// Queues the backlog while no host has the store.
void fill(store::Store& store, const std::string& key) {
  std::mutex mutex;
  std::condition_variable changed;
  int durable = 0;
  for (int i = 0; i < kBacklog; ++i) {
    store::NewRun run;
    run.now = std::chrono::floor<store::Duration>(std::chrono::system_clock::now());
    run.id = store::new_run_id(run.now);
    run.task = store::TaskId("sleep");
    run.queue = store::own_queue(run.task);
    run.concurrency_key = key;
    run.payload = R"({"ms":300})";
    store.enqueue(std::move(run), [&](const store::Result<store::Enqueued>& enqueued) {
      const std::lock_guard lock(mutex);
      durable += enqueued ? 1 : 0;
      changed.notify_all();
    });
  }
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return durable == kBacklog; });
}

TEST(Queues, TheFirstRunOfAKeyWaitsForOneSlotBehindAHundredThousandOfAnother) {
  HostProcess host({.arguments = {"--concurrency", std::to_string(kSlots)}});
  std::filesystem::create_directories(host.data());
  {
    const auto store = open_store(host);
    ASSERT_TRUE(store);
    fill(*store, "big");
  }
  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  // Every slot is taken by the backlog when the other key's run comes.
  while (http.get("/api/v1/queues/sleep?type=task").json().at("running") != kSlots) continue;
  const std::string id = trigger(http, "sleep", R"({"ms":1})", {{"concurrencyKey", "small"}});
  EXPECT_EQ(await_run(http, id).at("status"), "COMPLETED");
  host.kill();

  const auto store = open_store(host);
  ASSERT_TRUE(store);
  const store::Run small = store->run(store::RunId(id)).value();
  const store::Queue queue = store->queue(store::own_queue(store::TaskId("sleep"))).value();
  EXPECT_GT(queue.queued, 90'000u) << "the backlog is there all the while";
  std::size_t before = 0;
  store::RunFilter filter;
  filter.statuses = {store::RunStatus::kExecuting, store::RunStatus::kCompleted};
  for (bool more = true; more;) {
    const store::RunPage page = store->list(filter).value();
    for (const store::Run& run : page.runs) {
      if (run.id != small.id && *run.started_at > small.created_at && *run.started_at < *small.started_at) ++before;
    }
    more = page.more_after;
    if (more) filter.after = page.runs.back().id;
  }
  EXPECT_LE(before, 1u) << "no more than one slot went to the backlog meanwhile";
}

TEST(Queues, WhatPeopleSaidOfAQueueHoldsWhenItsHostWasKilled) {
  HostProcess host;
  ASSERT_TRUE(host.start()) << host.log();
  const Ended paused = host.cli({"queues", "pause", "task/sleep"});
  ASSERT_EQ(paused.exit_status, 0) << paused.err;
  ASSERT_EQ(host.cli({"queues", "limit", "task/echo", "0"}).exit_status, 0);
  Http first = host.client();
  const std::string held = trigger(first, "sleep", R"({"ms":1})"), limited = trigger(first, "echo", "1");
  host.kill();

  ASSERT_TRUE(host.start()) << host.log();
  Http http = host.client();
  EXPECT_EQ(await_run(http, trigger(http, "count", R"({"to":1})")).at("status"), "COMPLETED");
  const Ended listed = host.cli({"queues", "list"});
  EXPECT_NE(listed.out.find("task/sleep"), std::string::npos) << listed.out << listed.err;
  EXPECT_NE(listed.out.find("paused"), std::string::npos) << listed.out;
  EXPECT_NE(listed.out.find("0 (instead of none)"), std::string::npos) << listed.out;
  for (const std::string& id : {held, limited}) {
    EXPECT_EQ(http.get("/api/v3/runs/" + id).json().at("status"), "QUEUED");
  }
  ASSERT_EQ(host.cli({"queues", "resume", "task/sleep"}).exit_status, 0);
  ASSERT_EQ(host.cli({"queues", "reset", "task/echo"}).exit_status, 0);
  EXPECT_EQ(await_run(http, held).at("status"), "COMPLETED");
  EXPECT_EQ(await_run(http, limited).at("status"), "COMPLETED");
}

}  // namespace
}  // namespace perdure::e2e
