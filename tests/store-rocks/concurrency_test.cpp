// Many threads at once on one store: nothing is lost, nothing happens twice, limits hold.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/store-rocks/harness.h"
#include "tests/store-rocks/history_checker.h"

namespace perdure::store::rocks {
namespace {

constexpr int kRuns = 400;
constexpr std::size_t kLimit = 3;

TEST(Concurrency, EveryRunIsExecutedOnceAndNoLimitIsExceeded) {
  const TempDirectory directory;
  const std::unique_ptr<Store> store = open_or_die(options_for(directory.path()));
  store->limit_queue(QueueName("task/echo"), kLimit);
  HistoryChecker checker;
  std::atomic<int> begun{0}, ended{0};
  std::mutex mutex;
  std::map<std::string, std::size_t> executing;
  std::size_t most = 0;
  const Time now = kStart;

  auto produce = [&](int thread) {
    for (int i = 0; i < kRuns / 2; ++i) {
      NewRun run = new_run(now);
      run.concurrency_key = "tenant" + std::to_string(i % 2);
      run.options.idempotency_key = std::to_string(thread) + "/" + std::to_string(i);
      const Result<Enqueued> result = enqueue(*store, run);
      ASSERT_TRUE(result);
      checker.note_created(result->id);
    }
  };
  auto consume = [&] {
    while (ended < kRuns) {
      for (const Claim& each : claim(*store, 2, now)) {
        ++begun;
        {
          std::lock_guard lock(mutex);
          most = std::max(most, ++executing[each.run.concurrency_key]);
        }
        store->append_logs(each.run.id, {{0, now, 1, LogLevel::kInfo, LogSource::kTask, "hello", {}}});
        store->set_attempt_pid(each.run.id, 1, 42);
        {
          std::lock_guard lock(mutex);
          --executing[each.run.concurrency_key];
        }
        const auto after = finish(*store, success_of(each, now));
        ASSERT_TRUE(after) << after.status().message();
        checker.note_ended(each.run.id, 1, true, after->status);
        ++ended;
      }
      std::this_thread::yield();
    }
  };
  auto read = [&] {
    while (ended < kRuns) {
      RunFilter filter;
      filter.statuses = {RunStatus::kQueued, RunStatus::kCompleted};
      filter.tasks = {TaskId("echo")};
      const Result<RunPage> page = store->list(filter);
      ASSERT_TRUE(page);
      for (const store::Run& run : page->runs) ASSERT_TRUE(store->timeline(run.id));
      (void)store->counts();
      (void)store->next_due();
    }
  };
  std::vector<std::thread> threads;
  threads.emplace_back(produce, 0);
  threads.emplace_back(produce, 1);
  threads.emplace_back(consume);
  threads.emplace_back(consume);
  threads.emplace_back(read);
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(begun, kRuns) << "some run was claimed twice";
  EXPECT_LE(most, kLimit);
  EXPECT_EQ(store->counts()[RunStatus::kCompleted], static_cast<std::uint64_t>(kRuns));
  for (const std::string& wrong : checker.check(*store)) ADD_FAILURE() << wrong;
}

TEST(Concurrency, OfManyTriggersWithOneKeyOneCreatesTheRun) {
  const TempDirectory directory;
  const std::unique_ptr<Store> store = open_or_die(options_for(directory.path()));
  std::atomic<int> created{0};
  std::mutex mutex;
  std::map<RunId, int> answers;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      NewRun run = new_run(kStart);
      run.options.idempotency_key = "once";
      const Result<Enqueued> result = enqueue(*store, run);
      ASSERT_TRUE(result);
      if (!result->existing) ++created;
      std::lock_guard lock(mutex);
      ++answers[result->id];
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(created, 1);
  EXPECT_EQ(answers.size(), 1u);
  EXPECT_EQ(store->counts()[RunStatus::kQueued], 1u);
}

}  // namespace
}  // namespace perdure::store::rocks
