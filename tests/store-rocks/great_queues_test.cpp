// Queues with very many runs or very many concurrency keys: no run waits for another key's backlog, and no claim for
// how much is there.
#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <mutex>

#include "tests/store-rocks/harness.h"

namespace perdure::store::rocks {
namespace {

class GreatQueues : public testing::Test {
 protected:
  /// Queues `count` runs, of `keys` concurrency keys in turn, and waits until the last is durable.
  void fill(int count, int keys) {
    std::mutex mutex;
    std::condition_variable changed;
    int durable = 0;
    for (int i = 0; i < count; ++i) {
      NewRun run = new_run(kStart);
      run.concurrency_key = "tenant" + std::to_string(i % keys);
      store_->enqueue(std::move(run), [&](const Result<Enqueued>& enqueued) {
        const std::lock_guard lock(mutex);
        durable += enqueued ? 1 : 0;
        changed.notify_all();
      });
    }
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return durable == count; });
  }

  TempDirectory directory_;
  RocksOptions options_ = options_for(directory_.path());
  std::unique_ptr<Store> store_ = open_or_die(options_);
};

TEST_F(GreatQueues, AHundredThousandRunsOfOneKeyDoNotDelayAnothersFirst) {
  fill(100'000, 1);
  ASSERT_EQ(claim(*store_, 8, kStart).size(), 8u);
  NewRun other = new_run(kStart);
  other.concurrency_key = "small";
  const RunId id = other.id;
  ASSERT_TRUE(enqueue(*store_, std::move(other)));
  EXPECT_EQ(claim(*store_, 1, kStart).at(0).run.id, id) << "the next free slot is its own";
  store_.reset();
  store_ = open_or_die(options_);
  ASSERT_EQ(recover(*store_, kStart).value(), 9u);
  const std::vector<Claim> claims = claim(*store_, 2, kStart);
  EXPECT_TRUE(claims.at(0).run.id == id || claims.at(1).run.id == id) << "nor after the store was opened again";
}

TEST_F(GreatQueues, EachOfAHundredThousandKeysHasItsTurnBeforeAnyHasAnother) {
  constexpr int kKeys = 100'000;
  fill(2 * kKeys, kKeys);
  EXPECT_EQ(store_->queue(QueueName("task/echo"))->queued, 2u * kKeys);
  std::map<std::string, int> served;
  for (int left = kKeys; left > 0;) {
    const std::vector<Claim> claims = claim(*store_, 1000, kStart);
    ASSERT_FALSE(claims.empty());
    for (const Claim& each : claims) ++served[each.run.concurrency_key];
    left -= static_cast<int>(claims.size());
  }
  EXPECT_EQ(served.size(), static_cast<std::size_t>(kKeys));
  const Queue queue = store_->queue(QueueName("task/echo")).value();
  EXPECT_EQ(queue.running, static_cast<std::uint64_t>(kKeys));
  EXPECT_EQ(queue.queued, static_cast<std::uint64_t>(kKeys));
  EXPECT_EQ(store_->sub_queues(queue.name, std::nullopt, 5).size(), 5u);
}

TEST_F(GreatQueues, AQueueOfAHundredThousandKeysIsPausedAndGoesOn) {
  fill(100'000, 100'000);
  const QueueName queue("task/echo");
  const auto pause = [&](bool paused) {
    return await<Queue>([&](Done<Queue> done) { store_->pause_queue(queue, paused, std::move(done)); });
  };
  ASSERT_TRUE(pause(true));
  EXPECT_TRUE(claim(*store_, 10, kStart).empty());
  ASSERT_TRUE(pause(false));
  EXPECT_EQ(claim(*store_, 10, kStart).size(), 10u);
}

}  // namespace
}  // namespace perdure::store::rocks
