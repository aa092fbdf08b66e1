// Several threads at once: no run is claimed twice, none is lost.
#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "tests/store/conformance/suite.h"

namespace perdure::store::conformance {
namespace {

TEST_P(StoreConformance, ThreadsThatClaimNeverGetTheSameRun) {
  constexpr std::size_t kRuns = 300;
  for (std::size_t i = 0; i < kRuns; ++i) enqueued_in("q" + std::to_string(i % 3));
  std::mutex mutex;
  std::multiset<RunId> claimed;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (;;) {
        const auto claims = conformance::claim(store(), 1 + t, now, version_one);
        if (!claims || claims->empty()) return;
        std::lock_guard lock(mutex);
        for (const Claim& each : *claims) claimed.insert(each.run.id);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(claimed.size(), kRuns);
  EXPECT_EQ(std::set<RunId>(claimed.begin(), claimed.end()).size(), kRuns);
}

TEST_P(StoreConformance, OfTwoThreadsWithTheSameIdempotencyKeyOneCreatesTheRun) {
  constexpr int kKeys = 40;
  std::mutex mutex;
  std::map<std::string, std::set<RunId>> answers;
  std::atomic<int> created{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kKeys; ++i) {
        NewRun run = new_run();
        run.options.idempotency_key = "k" + std::to_string(i);
        const std::string key = run.options.idempotency_key;
        const Result<Enqueued> answer = enqueue(store(), std::move(run));
        if (!answer) continue;
        if (!answer->existing) ++created;
        std::lock_guard lock(mutex);
        answers[key].insert(answer->id);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(created, kKeys);
  EXPECT_EQ(answers.size(), static_cast<std::size_t>(kKeys));
  for (const auto& [key, ids] : answers) EXPECT_EQ(ids.size(), 1u) << key;
}

TEST_P(StoreConformance, WhatSeveralThreadsTriggerClaimAndEndIsDoneExactlyOnce) {
  constexpr std::size_t kEach = 60, kProducers = 2, kWorkers = 3;
  store().limit_queue(QueueName("limited"), 2);
  std::atomic<std::size_t> left{kEach * kProducers};
  std::atomic<bool> wrong{false};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kProducers; ++t) {
    threads.emplace_back([&] {
      for (std::size_t i = 0; i < kEach; ++i) {
        NewRun created = new_run();
        created.queue = QueueName(i % 2 == 0 ? "limited" : "free");
        if (!enqueue(store(), std::move(created))) wrong = true;
      }
    });
  }
  for (std::size_t t = 0; t < kWorkers; ++t) {
    threads.emplace_back([&] {
      while (left > 0 && !wrong) {
        const auto claims = conformance::claim(store(), 2, now, version_one);
        if (!claims) wrong = true;
        if (!claims || claims->empty()) {
          std::this_thread::yield();
          continue;
        }
        for (const Claim& each : *claims) {
          const bool retried = each.attempt.number == 1 && each.run.id.text().back() % 3 == 0;
          const Result<store::Run> after =
              conformance::finish(store(), retried ? failure_of(each, now, RetryAt{now}) : success_of(each, now));
          if (!after) wrong = true;
          if (after && after->status == RunStatus::kCompleted) --left;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(wrong);
  EXPECT_EQ(store().counts()[RunStatus::kCompleted], kEach * kProducers);
  EXPECT_TRUE(claim().empty());
  RunFilter filter;
  filter.limit = 100;
  const RunPage page = store().list(filter).value();
  for (const store::Run& each : page.runs) {
    const std::vector<TimelineEvent> timeline = store().timeline(each.id).value();
    for (std::size_t i = 0; i < timeline.size(); ++i) ASSERT_EQ(timeline[i].sequence, i + 1);
    ASSERT_EQ(timeline.size(), 1u + 3 * each.attempts);
  }
}

TEST_P(StoreConformance, WhatSeveralThreadsSetAsideAndPutBackIsDoneExactlyOnce) {
  constexpr std::size_t kRuns = 200, kWorkers = 3;
  store().limit_queue(QueueName("limited"), 2);
  for (std::size_t i = 0; i < kRuns; ++i) enqueued_in(i % 2 == 0 ? "limited" : "free");
  std::atomic<std::size_t> left{kRuns};
  std::atomic<bool> wrong{false};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kWorkers; ++t) {
    threads.emplace_back([&, t] {
      std::size_t asked = 0;
      const VersionId version("v" + std::to_string(t));
      const auto decide = [&](const store::Run&) -> ClaimDecision {
        if (asked++ % 3 != 0) return SetAside{version};
        return StartOn{version};
      };
      while (left > 0 && !wrong) {
        const auto claims = conformance::claim(store(), 2, now, decide);
        if (!claims) wrong = true;
        if (!claims || claims->empty())
          store().put_back(TaskId("echo"), t == 0 ? std::nullopt : std::optional(version), 5);
        if (!claims) return;
        for (const Claim& each : *claims) {
          if (conformance::finish(store(), success_of(each, now))) --left;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(wrong);
  EXPECT_EQ(store().counts()[RunStatus::kCompleted], kRuns);
  EXPECT_EQ(store().set_aside(TaskId("echo"), std::nullopt), 0u);
  EXPECT_TRUE(store().locked_versions().empty());
}

}  // namespace
}  // namespace perdure::store::conformance
