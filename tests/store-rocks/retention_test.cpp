// Removing runs gives the disk back.
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <filesystem>
#include <random>
#include <string>

#include "tests/store-rocks/harness.h"

namespace perdure::store::rocks {
namespace {

constexpr int kRuns = 4000;

// How much the tables take once RocksDB has compacted all of them, which it does by and by.
std::uintmax_t compacted_size(const std::string& directory) {
  const std::string path = directory + "/store";
  std::vector<std::string> names;
  EXPECT_TRUE(rocksdb::DB::ListColumnFamilies({}, path, &names).ok());
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const std::string& name : names) families.emplace_back(name, rocksdb::ColumnFamilyOptions());
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* raw = nullptr;
  EXPECT_TRUE(rocksdb::DB::Open({}, path, families, &handles, &raw).ok());
  const std::unique_ptr<rocksdb::DB> db(raw);
  for (rocksdb::ColumnFamilyHandle* handle : handles) {
    EXPECT_TRUE(db->CompactRange({}, handle, nullptr, nullptr).ok());
    EXPECT_TRUE(db->DestroyColumnFamilyHandle(handle).ok());
  }
  EXPECT_TRUE(db->Close().ok());
  std::uintmax_t size = 0;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    if (entry.path().extension() == ".sst") size += entry.file_size();
  }
  return size;
}

TEST(Retention, TheStoreShrinksByWhatIsRemoved) {
  const TempDirectory directory;
  const RocksOptions options = options_for(directory.path());
  std::mt19937_64 random(1);
  Time now = kStart;
  {
    const std::unique_ptr<Store> store = open_or_die(options);
    for (int i = 0; i < kRuns; ++i) {
      now += Duration(1);
      NewRun run = new_run(now);
      run.payload = '"';
      for (int j = 0; j < 500; ++j) run.payload += static_cast<char>('a' + random() % 26);
      run.payload += '"';
      run.options.tags = {"tag"};
      const RunId id = run.id;
      store->enqueue(std::move(run), [](const Result<Enqueued>&) {});
      if (i % 100 != 99) continue;
      ASSERT_TRUE(await<bool>([&](const Done<bool>& done) {
        store->synced([done](const Status& synced) { done(synced ? Result<bool>(true) : synced); });
      }));
      for (const Claim& each : claim(*store, 100, now)) ASSERT_TRUE(finish(*store, success_of(each, now)));
    }
    ASSERT_EQ(store->counts().at(RunStatus::kCompleted), kRuns);
  }
  const std::uintmax_t full = compacted_size(directory.path());
  now += std::chrono::minutes(1);
  {
    const std::unique_ptr<Store> store = open_or_die(options);
    Removal removal;
    removal.ended_before = now;
    removal.keep = kRuns / 10;
    for (bool more = true; more;) {
      const Result<Removed> removed =
          await<Removed>([&](Done<Removed> done) { store->remove_finished(removal, done); });
      ASSERT_TRUE(removed) << removed.status().message();
      removal.after = removed->last;
      more = removed->more;
    }
    ASSERT_EQ(store->counts().at(RunStatus::kCompleted), kRuns / 10);
  }
  const std::uintmax_t left = compacted_size(directory.path());
  EXPECT_GT(full, kRuns * 300u);
  EXPECT_LT(left, full / 5);
  RecordProperty("full_bytes", std::to_string(full));
  RecordProperty("left_bytes", std::to_string(left));
}

}  // namespace
}  // namespace perdure::store::rocks
