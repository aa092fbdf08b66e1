// Which keys are written near each other, and what knowing it saves.
#include "store/rocks/neighbours.h"

#include <gtest/gtest.h>
#include <rocksdb/perf_context.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "store/rocks/database.h"
#include "tests/store-rocks/harness.h"

namespace perdure::store::rocks {
namespace {

const auto kLogRead = std::make_shared<const std::atomic<bool>>(true);

std::string neighbourhood(Family family, std::string_view key) {
  return neighbourhoods(family, kLogRead)->Transform(slice(key)).ToString();
}

PackedId run_of(std::int64_t milliseconds, std::uint64_t number) {
  PackedId id = first_id_of(Time{Duration{milliseconds}});
  id.low = number;
  return id;
}

TEST(Neighbours, RunsOfTheSameMomentAreNeighboursAndOthersAreNot) {
  const PackedId run = run_of(1'000'000, 1), near = run_of(1'000'001, 7), far = run_of(1'001'000, 1);
  const auto check = [&](Family family, auto key) {
    EXPECT_EQ(neighbourhood(family, key(run)), neighbourhood(family, key(near)));
    EXPECT_NE(neighbourhood(family, key(run)), neighbourhood(family, key(far)));
  };
  check(Family::kRuns, run_key);
  check(Family::kPayloads, [](PackedId id) { return payload_key(id, PayloadPart::kPayload); });
  check(Family::kByStatus, [](PackedId id) { return status_key(RunStatus::kQueued, id); });
  check(Family::kByTask, [](PackedId id) { return task_key(TaskId("t"), id); });
}

TEST(Neighbours, AnIndexHasItsOwnForEachStatusAndTask) {
  const PackedId run = run_of(1'000'000, 1);
  EXPECT_NE(neighbourhood(Family::kByStatus, status_key(RunStatus::kQueued, run)),
            neighbourhood(Family::kByStatus, status_key(RunStatus::kExecuting, run)));
  EXPECT_NE(neighbourhood(Family::kByTask, task_key(TaskId("a"), run)),
            neighbourhood(Family::kByTask, task_key(TaskId("b"), run)));
}

TEST(Neighbours, PartsOfKeysHaveNoNeighbourhood) {
  const PackedId run = run_of(1'000'000, 1);
  EXPECT_TRUE(has_neighbourhood(Family::kRuns, run_key(run)));
  EXPECT_FALSE(has_neighbourhood(Family::kRuns, run_key(run).text() + '\0'));
  EXPECT_FALSE(has_neighbourhood(Family::kPayloads, run_key(run)));
  EXPECT_FALSE(has_neighbourhood(Family::kByStatus, status_prefix(RunStatus::kQueued)));
  EXPECT_FALSE(has_neighbourhood(Family::kByTask, task_prefix(TaskId("t"))));
  EXPECT_FALSE(has_neighbourhood(Family::kByTask, {}));
  EXPECT_FALSE(has_neighbourhood(Family::kOwed, run_key(run)));
}

TEST(Neighbours, AreNotLookedAtWhileALogIsRead) {
  const std::string key = run_key(run_of(1'000'000, 1)).text();
  const auto log_read = std::make_shared<std::atomic<bool>>(false);
  const auto runs = neighbourhoods(Family::kRuns, log_read);
  EXPECT_FALSE(runs->InDomain(slice(key)));
  *log_read = true;
  EXPECT_TRUE(runs->InDomain(slice(key)));
}

TEST(Neighbours, ARangeThatBeginsWithAKeyIsDeletedWithItAndHarmsNoOther) {
  const TempDirectory directory;
  DatabaseOptions options;
  options.directory = directory.path();
  const Result<std::unique_ptr<Database>> db = Database::open(options, std::nullopt);
  ASSERT_TRUE(db) << db.status().message();
  constexpr std::uint64_t kRuns = 100;
  const auto key = [](std::uint64_t n) { return run_key(run_of(1'000'000, n)); };
  const auto write = [&](const auto& add) {
    Batch batch(**db);
    add(batch);
    ASSERT_TRUE((*db)->write(batch));
  };
  for (std::uint64_t n = 0; n < kRuns; ++n) write([&](Batch& batch) { batch.put(Family::kRuns, key(n), "a run"); });
  for (std::uint64_t n = 0; n < kRuns; n += 10) {
    write([&](Batch& batch) { batch.erase_range(Family::kRuns, key(n), key(n + 9)); });
    write([&](Batch& batch) { batch.put(Family::kRuns, key(n + 9), "changed"); });
  }
  std::string value;
  for (std::uint64_t n = 0; n < kRuns; ++n) {
    EXPECT_EQ((*db)->get(Family::kRuns, key(n), value).is_ok(), n % 10 == 9) << n;
  }
}

TEST(Neighbours, EntriesBesideEachOtherAreWrittenWithFewComparisons) {
  constexpr std::uint64_t kRuns = 20'000;
  const TempDirectory directory;
  DatabaseOptions options;
  options.directory = directory.path();
  const Result<std::unique_ptr<Database>> db = Database::open(options, std::nullopt);
  ASSERT_TRUE(db) << db.status().message();
  const auto comparisons = [&](Family family) {
    const std::uint64_t before = rocksdb::get_perf_context()->user_key_comparison_count;
    for (std::uint64_t n = 0; n < kRuns; ++n) {
      Batch batch(**db);
      batch.put(family, status_key(RunStatus::kQueued, run_of(static_cast<std::int64_t>(n / 10), n)), {});
      EXPECT_TRUE((*db)->write(batch));
    }
    return rocksdb::get_perf_context()->user_key_comparison_count - before;
  };
  for (const Family family : {Family::kByStatus, Family::kOwed}) comparisons(family);
  // Once more, among those that are there: as claims and ends do.
  const std::uint64_t with = comparisons(Family::kByStatus), without = comparisons(Family::kOwed);
  EXPECT_LT(2 * with, without);
}

}  // namespace
}  // namespace perdure::store::rocks
