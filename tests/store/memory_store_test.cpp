// What the reference engine adds to the interface for simulations: when durability comes, and failures on demand.
#include "store/memory/memory_store.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace perdure::store {
namespace {

constexpr Time kNow{Duration(1'700'000'000'000)};

NewRun new_run() {
  NewRun created;
  created.id = new_run_id(kNow);
  created.task = TaskId("echo");
  created.queue = QueueName("task/echo");
  created.now = kNow;
  created.payload = "1";
  return created;
}

ClaimDecision version_one(const Run&) { return StartOn{VersionId("v1")}; }

std::size_t claimed(MemoryStore& store) {
  std::size_t count = 0;
  store.claim(10, kNow, version_one,
              [&](const Result<std::vector<Claim>>& claims) { count = claims ? claims->size() : 0; });
  return count;
}

class SlowDisk {
 public:
  MemoryOptions options() {
    MemoryOptions options;
    options.executor = [this](std::function<void()> task) { tasks_.push_back(std::move(task)); };
    return options;
  }
  void answer_one() {
    std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    task();
  }
  [[nodiscard]] std::size_t waiting() const { return tasks_.size(); }

 private:
  std::deque<std::function<void()>> tasks_;
};

TEST(MemoryStore, ARunIsClaimableOnceTheExecutorSaysThatItIsDurable) {
  SlowDisk disk;
  MemoryStore engine(disk.options());
  bool answered = false;
  const NewRun created = new_run();
  engine.enqueue(created, [&](const Result<Enqueued>&) { answered = true; });
  EXPECT_FALSE(answered);
  EXPECT_TRUE(engine.run(created.id));  // written already
  EXPECT_EQ(claimed(engine), 0u);
  while (!answered) disk.answer_one();
  EXPECT_EQ(claimed(engine), 1u);
}

TEST(MemoryStore, AnswersAreHandedOverInTheOrderOfTheMutations) {
  SlowDisk disk;
  MemoryStore engine(disk.options());
  std::string order;
  engine.enqueue(new_run(), [&](const Result<Enqueued>&) { order += "1"; });
  engine.wake_due(kNow, [&](const Result<std::size_t>&) { order += "2"; });
  engine.synced([&](const Status&) { order += "3"; });
  while (disk.waiting() > 0) disk.answer_one();
  EXPECT_EQ(order, "123");
}

TEST(MemoryStore, ARunCanceledBeforeItWasDurableNeverBecomesClaimable) {
  SlowDisk disk;
  MemoryStore engine(disk.options());
  const NewRun created = new_run();
  engine.enqueue(created, [](const Result<Enqueued>&) {});
  engine.cancel(created.id, kNow, "", [](const Result<store::Run>&) {});
  while (disk.waiting() > 0) disk.answer_one();
  EXPECT_EQ(claimed(engine), 0u);
  EXPECT_EQ(engine.run(created.id)->status, RunStatus::kCanceled);
}

TEST(MemoryStore, AnInjectedFaultRefusesEverythingUntilTheStoreServesAgain) {
  MemoryOptions options;
  std::string failing = "claim";
  options.fault = [&](std::string_view operation) {
    return operation == failing ? Status::io("the disk is gone") : Status::ok();
  };
  MemoryStore engine(std::move(options));
  Status answer;
  engine.enqueue(new_run(), [&](const Result<Enqueued>& result) { answer = result.status(); });
  EXPECT_TRUE(answer);
  engine.claim(1, kNow, version_one, [&](const Result<std::vector<Claim>>& result) { answer = result.status(); });
  EXPECT_EQ(answer.code(), Code::kIo);
  failing.clear();
  const NewRun refused = new_run();
  engine.enqueue(refused, [&](const Result<Enqueued>& result) { answer = result.status(); });
  EXPECT_EQ(answer.code(), Code::kIo);
  EXPECT_FALSE(engine.run(refused.id));
  engine.serve_again();
  EXPECT_TRUE(engine.health());
  EXPECT_EQ(claimed(engine), 1u);
}

TEST(MemoryStore, NoSpaceForARunRefusesThatRunOnly) {
  MemoryOptions options;
  bool full = true;
  options.fault = [&](std::string_view) { return full ? Status::no_space("the reserve is reached") : Status::ok(); };
  MemoryStore engine(std::move(options));
  Status answer;
  engine.enqueue(new_run(), [&](const Result<Enqueued>& result) { answer = result.status(); });
  EXPECT_EQ(answer.code(), Code::kNoSpace);
  EXPECT_TRUE(engine.health());
  full = false;
  engine.enqueue(new_run(), [&](const Result<Enqueued>& result) { answer = result.status(); });
  EXPECT_TRUE(answer);
}

}  // namespace
}  // namespace perdure::store
