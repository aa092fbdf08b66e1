// What waits for the disk and what does not: one sync for everyone, claims beside it, runs claimable only after it.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "store/rocks/database.h"
#include "store/rocks/records.h"
#include "tests/store-rocks/fault_file_system.h"
#include "tests/store-rocks/harness.h"

namespace perdure::store::rocks {
namespace {

// A disk whose next sync can be held up.
class Commit : public testing::Test {
 protected:
  Commit() {
    options_.file_system = disk_;
    options_.sync_within = std::chrono::hours(1);  // nothing is synced that nobody waits for
    store_ = open_or_die(options_);
  }
  ~Commit() override {
    if (held_) release_.set_value();
    store_.reset();
  }
  // Enqueues a run whose sync begins and does not end until let_go().
  NewRun enqueue_and_hold() {
    NewRun run = new_run(kStart);
    hold([&] { store_->enqueue(run, [this](Result<Enqueued> result) { recorded_.set_value(result.is_ok()); }); });
    return run;
  }
  // Does what makes one write, whose sync begins and does not end until let_go().
  void hold(const std::function<void()>& mutation) {
    std::promise<void> syncing;
    held_ = true;
    const std::shared_future<void> go = release_.get_future().share();
    disk_->at_operation(2, [&syncing, go] {  // 1 is the write
      syncing.set_value();
      go.wait();
    });
    mutation();
    syncing.get_future().get();
  }
  void let_go() {
    held_ = false;
    release_.set_value();
  }

  TempDirectory directory_;
  std::shared_ptr<FaultFileSystem> disk_ = std::make_shared<FaultFileSystem>();
  RocksOptions options_ = options_for(directory_.path());
  std::unique_ptr<Store> store_;
  std::promise<void> release_;
  std::promise<bool> recorded_;
  bool held_ = false;
};

TEST_F(Commit, ARunCanBeClaimedOnlyOnceItIsDurable) {
  const NewRun run = enqueue_and_hold();
  EXPECT_TRUE(store_->run(run.id)) << "it is written, so it can be read";
  EXPECT_TRUE(claim(*store_, 1, kStart).empty());
  let_go();
  EXPECT_TRUE(recorded_.get_future().get());
  EXPECT_EQ(claim(*store_, 1, kStart).size(), 1u);
}

TEST_F(Commit, AClaimWaitsForNoSync) {
  ASSERT_TRUE(enqueue(*store_, new_run(kStart)));
  enqueue_and_hold();
  bool answered = false;
  store_->claim(
      1, kStart, [](const store::Run&) { return StartOn{VersionId("v")}; },
      [&](Result<std::vector<Claim>> claims) { answered = claims && claims->size() == 1; });
  EXPECT_TRUE(answered) << "the claim was not answered before it returned";
  let_go();
}

TEST_F(Commit, OneSyncServesEveryoneWhoCameWhileTheLastOneRan) {
  enqueue_and_hold();
  constexpr int kWaiting = 50;
  std::atomic<int> left = kWaiting;
  std::promise<void> all;
  const std::uint64_t before = disk_->operations();
  for (int i = 0; i < kWaiting; ++i) {
    store_->enqueue(new_run(kStart), [&](Result<Enqueued>) {
      if (--left == 0) all.set_value();
    });
  }
  let_go();
  all.get_future().get();
  EXPECT_EQ(disk_->operations() - before, kWaiting + 1u) << "a write each and one sync";
}

TEST_F(Commit, AnswersComeInTheOrderOfTheCalls) {
  enqueue_and_hold();
  std::vector<int> order;
  std::promise<void> all;
  for (int i = 0; i < 20; ++i) {
    store_->enqueue(new_run(kStart), [&order, &all, i](Result<Enqueued>) {
      order.push_back(i);
      if (order.size() == 20) all.set_value();
    });
  }
  let_go();
  all.get_future().get();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

// A run ends and, before that is durable, another one is locked to the version.
class CommitLocks : public Commit {
 protected:
  CommitLocks() {
    store_->listen(&listener_);
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(enqueue(*store_, new_run(kStart)));
    const std::vector<Claim> first = claim(*store_, 1, kStart);
    EXPECT_TRUE(synced(*store_));
    hold([&] {
      store_->finish_attempt(success_of(first.at(0), kStart),
                             [this](const Result<store::Run>& run) { recorded_.set_value(run.is_ok()); });
    });
    second_ = claim(*store_, 1, kStart).at(0);
  }
  ~CommitLocks() override { store_->listen(nullptr); }

  EventListener listener_;
  Claim second_;
};

TEST_F(CommitLocks, AVersionIsNotToldFreeWhenARunWasLockedToItAgain) {
  let_go();
  EXPECT_TRUE(recorded_.get_future().get());
  EXPECT_TRUE(listener_.free().empty());
  ASSERT_TRUE(finish(*store_, success_of(second_, kStart)));
  EXPECT_EQ(listener_.free().size(), 1u);
}

TEST_F(CommitLocks, AVersionIsToldFreeOnlyWhenTheEndThatFreedItIsDurable) {
  std::promise<std::size_t> told;
  store_->finish_attempt(success_of(second_, kStart),
                         [&](const Result<store::Run>&) { told.set_value(listener_.free().size()); });
  EXPECT_TRUE(store_->locked_versions().empty());
  EXPECT_TRUE(listener_.free().empty());
  let_go();
  EXPECT_TRUE(recorded_.get_future().get());
  EXPECT_EQ(told.get_future().get(), 1u);
}

TEST_F(Commit, ClosingSyncsWhatNobodyWaitedFor) {
  const NewRun run = new_run(kStart);
  ASSERT_TRUE(enqueue(*store_, run));
  ASSERT_EQ(claim(*store_, 1, kStart).size(), 1u);
  store_.reset();
  disk_->lose_unsynced(1);
  store_ = open_or_die(options_);
  EXPECT_EQ(store_->run(run.id)->status, RunStatus::kExecuting);
}

TEST_F(Commit, ARunWhoseRecordIsDamagedDoesNotStopTheOthers) {
  const NewRun bad = new_run(kStart), good = new_run(kStart + Duration(1));
  ASSERT_TRUE(enqueue(*store_, bad));
  ASSERT_TRUE(enqueue(*store_, good));
  store_.reset();
  DatabaseOptions raw;
  raw.directory = directory_.path() + "/store";
  {
    const Result<std::unique_ptr<Database>> db = Database::open(raw, std::nullopt);
    ASSERT_TRUE(db) << db.status().message();
    Batch batch(**db);
    batch.put(Family::kRuns, run_key(*pack(bad.id)), "nonsense");
    ASSERT_TRUE((*db)->write(batch));
  }
  store_ = open_or_die(options_);
  store_->limit_queue(good.queue, 1);  // so that the damaged one stops it also when it keeps a slot
  const std::vector<Claim> claims = claim(*store_, 10, kStart);
  ASSERT_EQ(claims.size(), 1u);
  EXPECT_EQ(claims[0].run.id, good.id);
  EXPECT_EQ(store_->run(bad.id).status().code(), Code::kCorruption);
  EXPECT_TRUE(store_->health());
}

TEST(ExpiredKeys, AreDroppedByCompactionAndOthersKept) {
  const auto now = std::make_shared<LatestTime>(kStart.time_since_epoch().count());
  const auto filter = make_expired_keys_filter(now)->CreateCompactionFilter({});
  bool changed = false;
  std::string new_value;
  const std::string over = encode(KeyRecord{{1, 2}, kStart - Duration(1)}), valid = encode(KeyRecord{{1, 2}, kStart});
  EXPECT_TRUE(filter->Filter(0, "key", over, &new_value, &changed));
  EXPECT_FALSE(filter->Filter(0, "key", valid, &new_value, &changed));
  EXPECT_FALSE(filter->Filter(0, "key", "damaged", &new_value, &changed));
}

}  // namespace
}  // namespace perdure::store::rocks
