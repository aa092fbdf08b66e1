// The disk fails at the first, second, third … operation of a piece of work, until the work gets through without one.
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/store-rocks/fault_file_system.h"
#include "tests/store-rocks/harness.h"
#include "tests/store-rocks/history_checker.h"

namespace perdure::store::rocks {
namespace {

struct World {
  World() { options.file_system = disk; }
  TempDirectory directory;
  std::shared_ptr<FaultFileSystem> disk = std::make_shared<FaultFileSystem>();
  RocksOptions options = options_for(directory.path());
  HistoryChecker checker;
};

void note_created(World& world, const RunId& id, const Result<Enqueued>& result) {
  if (result) {
    world.checker.note_created(result->id);
  } else {
    EXPECT_TRUE(result.status().code() == Code::kIo || result.status().code() == Code::kNoSpace)
        << result.status().message();
    world.checker.note_refused(id);
  }
}

// Trigger, run, fail, run again, succeed; another is canceled. Goes on after errors as a host would.
void work(World& world, Store& store) {
  Time now = kStart;
  for (int i = 0; i < 4; ++i) {
    NewRun run = new_run(now += Duration(1));
    run.options.tags = {"t"};
    run.options.idempotency_key = "key" + std::to_string(i);
    const RunId id = run.id;
    note_created(world, id, enqueue(store, run));
    if (i == 3) {
      if (Result<Run> canceled = cancel(store, id, now); canceled) world.checker.note_status(id, canceled->status);
    }
  }
  for (int round = 0; round < 3; ++round) {
    for (const Claim& each : claim(store, 2, now += Duration(1))) {
      const bool success = each.attempt.number == 2;
      AttemptEnd end = success ? success_of(each, now) : failure_of(each, now, RetryAt{now});
      if (Result<Run> run = finish(store, end); run) {
        world.checker.note_ended(each.run.id, each.attempt.number, success, run->status);
      }
    }
  }
}

void expect_right(const World& world, const Store& store, const std::string& when) {
  for (const std::string& wrong : world.checker.check(store)) ADD_FAILURE() << when << ": " << wrong;
}

TEST(DiskFailure, AtAnyOperationIsAnErrorAndServiceResumesByItself) {
  bool failed = true;
  for (std::uint64_t n = 1; failed; ++n) {
    World world;
    EventListener listener;
    std::unique_ptr<Store> store = open_or_die(world.options);
    store->listen(&listener);
    world.disk->fail_from(n);
    work(world, *store);
    failed = world.disk->failed() || !store->health();
    const bool noticed = !store->health() || !listener.health().empty();
    world.disk->heal();
    if (noticed) {
      ASSERT_TRUE(listener.wait_for_health(true)) << "failing from operation " << n << " on";
    }
    expect_right(world, *store, "failing from operation " + std::to_string(n) + " on");
    work(world, *store);
    expect_right(world, *store, "after failing from operation " + std::to_string(n) + " on");
    store->listen(nullptr);
    store.reset();
    expect_right(world, *open_or_die(world.options), "reopened after operation " + std::to_string(n));
    if (HasFailure()) return;
    ASSERT_LT(n, 1000u) << "the work never gets through";
  }
}

// As Linux does: after a sync failed, a second one of the same file succeeds, and the bytes were never written.
TEST(DiskFailure, WhatAFailedSyncLeftInMemoryIsNotTakenForDurable) {
  bool failed = true;
  for (std::uint64_t n = 1; failed; ++n) {
    World world;
    EventListener listener;
    std::unique_ptr<Store> store = open_or_die(world.options);
    store->listen(&listener);
    world.disk->fail_from(n);
    work(world, *store);
    failed = world.disk->failed();
    world.disk->heal();
    if (!store->health() || !listener.health().empty()) {
      ASSERT_TRUE(listener.wait_for_health(true)) << n;
    }
    work(world, *store);
    ASSERT_TRUE(synced(*store));
    world.disk->cut_power();
    store->listen(nullptr);
    store.reset();
    world.disk->lose_unsynced(n);
    expect_right(world, *open_or_die(world.options), "power lost after a failure at operation " + std::to_string(n));
    if (HasFailure()) return;
    ASSERT_LT(n, 1000u) << "the work never gets through";
  }
}

TEST(DiskFailure, AttemptsThatExecuteSurviveIt) {
  World world;
  EventListener listener;
  const std::unique_ptr<Store> store = open_or_die(world.options);
  store->listen(&listener);
  const NewRun run = new_run(kStart);
  ASSERT_TRUE(enqueue(*store, run));
  const std::vector<Claim> claims = claim(*store, 1, kStart);
  ASSERT_EQ(claims.size(), 1u);
  world.disk->fail_from(1);
  EXPECT_FALSE(enqueue(*store, new_run(kStart)));
  ASSERT_TRUE(listener.wait_for_health(false));
  world.disk->heal();
  ASSERT_TRUE(listener.wait_for_health(true));
  EXPECT_TRUE(claim(*store, 1, kStart).empty()) << "the run executes already";
  const auto finished = finish(*store, success_of(claims[0], kStart));
  ASSERT_TRUE(finished) << finished.status().message();
  EXPECT_EQ(finished->status, RunStatus::kCompleted);
  store->listen(nullptr);
}

// Whether the end's write was lost or survived, and was found when the store opened itself again.
TEST(DiskFailure, AVersionIsToldFreeOnceWhicheverOperationOfItsLastEndFails) {
  bool failed = true;
  for (std::uint64_t n = 1; failed; ++n) {
    World world;
    EventListener listener;
    const std::unique_ptr<Store> store = open_or_die(world.options);
    store->listen(&listener);
    ASSERT_TRUE(enqueue(*store, new_run(kStart)));
    const std::vector<Claim> claims = claim(*store, 1, kStart);
    ASSERT_EQ(claims.size(), 1u);
    ASSERT_TRUE(synced(*store));
    world.disk->fail_from(n);
    failed = !finish(*store, success_of(claims[0], kStart));
    world.disk->heal();
    if (failed) {
      EXPECT_TRUE(listener.free().empty()) << n;
      ASSERT_TRUE(listener.wait_for_health(true)) << n;
      ASSERT_TRUE(finish(*store, success_of(claims[0], kStart))) << n;
    }
    EXPECT_TRUE(store->locked_versions().empty()) << n;
    ASSERT_TRUE(listener.wait_for_free(1)) << n;
    ASSERT_TRUE(enqueue(*store, new_run(kStart)));  // after which everything before was told
    EXPECT_EQ(listener.free(), std::vector<VersionId>{claims[0].attempt.version}) << n;
    store->listen(nullptr);
    ASSERT_LT(n, 1000u) << "the end never gets through";
  }
}

TEST(DiskFailure, WhileOpeningIsAnErrorAndHarmsNothing) {
  World prepared;
  {
    const std::unique_ptr<Store> store = open_or_die(prepared.options);
    work(prepared, *store);
  }
  bool failed = true;
  for (std::uint64_t n = 1; failed; ++n) {
    World world;
    std::filesystem::copy(prepared.directory.path(), world.directory.path(), std::filesystem::copy_options::recursive);
    world.disk->fail_from(n);
    const Result<std::unique_ptr<Store>> broken = open_rocks(world.options);
    failed = !broken;
    if (!failed) continue;
    EXPECT_EQ(broken.status().code(), Code::kIo) << broken.status().message();
    world.disk->heal();
    expect_right(prepared, *open_or_die(world.options), "opening failed at operation " + std::to_string(n));
    if (HasFailure()) return;
    ASSERT_LT(n, 1000u) << "opening never gets through";
  }
}

TEST(DiskFailure, PowerLostAtAnyOperationLosesNothingAcknowledged) {
  bool cut = true;
  for (std::uint64_t n = 1; cut; ++n) {
    World world;
    {
      const std::unique_ptr<Store> store = open_or_die(world.options);
      cut = false;
      world.disk->at_operation(n, [&] {
        world.disk->cut_power();
        cut = true;
      });
      Time now = kStart;
      for (int i = 0; i < 3; ++i) {
        const NewRun run = new_run(now);
        if (enqueue(*store, run)) world.checker.note_created(run.id);
        for (const Claim& each : claim(*store, 1, now)) {
          if (auto ended = finish(*store, success_of(each, now)); ended) {
            world.checker.note_ended(each.run.id, 1, true, ended->status);
          }
        }
      }
    }
    world.disk->lose_unsynced(n);
    expect_right(world, *open_or_die(world.options), "power lost at operation " + std::to_string(n));
    if (HasFailure()) return;
    ASSERT_LT(n, 1000u) << "the work never gets through";
  }
}

}  // namespace
}  // namespace perdure::store::rocks
