// Opening a store whose log was damaged: a torn end is left out, damage to what was acknowledged is refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "store/rocks/database.h"
#include "tests/store-rocks/harness.h"

namespace perdure::store::rocks {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> all_logs(const std::string& store) {
  std::vector<std::string> logs;
  for (const auto& entry : fs::directory_iterator(store)) {
    if (entry.path().extension() == ".log" && fs::file_size(entry) > 0) logs.push_back(entry.path().string());
  }
  std::sort(logs.begin(), logs.end());
  return logs;
}

void overwrite(const std::string& file, std::uint64_t offset, const std::string& bytes) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(static_cast<std::streamoff>(offset));
  stream << bytes;
}

void append(const std::string& file, const std::string& bytes) {
  std::ofstream(file, std::ios::app | std::ios::binary) << bytes;
}

class Recovery : public testing::Test {
 protected:
  // A store with `count` acknowledged runs, closed.
  void fill(int count) {
    const std::unique_ptr<Store> store = open_or_die(options_);
    for (int i = 0; i < count; ++i) {
      const NewRun run = new_run(kStart + Duration(i));
      runs_.push_back(run.id);
      ASSERT_TRUE(enqueue(*store, run));
    }
    const std::vector<std::string> logs = all_logs(directory_.path() + "/store");
    ASSERT_FALSE(logs.empty());
    log_ = logs.back();
  }
  void expect_all_there() {
    const std::unique_ptr<Store> store = open_or_die(options_);
    for (const RunId& run : runs_) EXPECT_TRUE(store->run(run)) << run.text();
    EXPECT_EQ(store->counts()[RunStatus::kQueued], runs_.size());
  }
  void expect_refused(const std::string& because) {
    const Result<std::unique_ptr<Store>> store = open_rocks(options_);
    ASSERT_FALSE(store);
    EXPECT_EQ(store.status().code(), Code::kCorruption) << store.status().message();
    EXPECT_NE(store.status().message().find(because), std::string::npos) << store.status().message();
    EXPECT_NE(store.status().message().find("--repair"), std::string::npos) << "names no way out";
  }

  TempDirectory directory_;
  RocksOptions options_ = options_for(directory_.path());
  std::vector<RunId> runs_;
  std::string log_;
};

TEST_F(Recovery, ARecordCutOffAtTheEndIsLeftOut) {
  fill(100);
  append(log_, std::string(5, '\x7f'));
  expect_all_there();
}

TEST_F(Recovery, ATornPageAtTheEndIsLeftOut) {
  fill(100);
  // A header that looks right, and a body that is not what was summed.
  append(log_, std::string("\x11\x22\x33\x44\x40\x00\x01", 7) + std::string(0x40, 'x') + std::string(2000, '\0'));
  expect_all_there();
  EXPECT_TRUE(fs::exists(directory_.path() + "/store.damaged")) << "the damaged log was not kept";
  expect_all_there();
}

TEST_F(Recovery, AFlippedBitInTheMiddleIsRefusedWithTheWayOut) {
  fill(100);
  overwrite(log_, fs::file_size(log_) / 2, std::string(1, '\xff'));
  expect_refused("synced");
  expect_refused("synced");  // refusing changed nothing
}

TEST_F(Recovery, ALogCutShortInAcknowledgedWritesIsRefused) {
  fill(100);
  fs::resize_file(log_, fs::file_size(log_) / 2);
  expect_refused("synced");
}

TEST_F(Recovery, AMissingLogIsRefused) {
  fill(100);
  fs::remove(log_);
  expect_refused("synced");
}

TEST_F(Recovery, AMissingLogBetweenOthersIsRefused) {
  for (int i = 0; i < 4; ++i) fill(5);  // each leaves a log
  const std::vector<std::string> logs = all_logs(directory_.path() + "/store");
  ASSERT_EQ(logs.size(), 4u);
  const std::string aside = directory_.path() + "/aside";
  for (std::size_t i = 1; i < logs.size(); ++i) {
    SCOPED_TRACE(logs[i]);
    fs::rename(logs[i], aside);
    expect_refused("synced");
    std::ofstream(logs[i]).close();  // there, and empty
    expect_refused("synced");
    fs::rename(aside, logs[i]);
  }
  expect_all_there();
}

TEST_F(Recovery, WithoutTheMarkDamageInTheMiddleIsRefusedToo) {
  fill(600);
  fs::remove(directory_.path() + "/store.mark");
  ASSERT_GT(fs::file_size(log_), 2u * 32768) << "the damage must lie in an earlier block of the log than the end";
  overwrite(log_, 1000, std::string(1, '\xff'));
  expect_refused("mark");
}

TEST_F(Recovery, WithoutTheMarkATornEndIsLeftOut) {
  fill(100);
  fs::remove(directory_.path() + "/store.mark");
  append(log_, std::string("\x11\x22\x33\x44\x40\x00\x01", 7) + std::string(0x40, 'x'));
  expect_all_there();
}

TEST_F(Recovery, AcceptingTheLossOpensUpToTheDamage) {
  fill(100);
  overwrite(log_, fs::file_size(log_) / 2, std::string(1, '\xff'));
  RocksOptions accepting = options_;
  accepting.accept_loss = true;
  std::size_t left = 0;
  {
    const std::unique_ptr<Store> store = open_or_die(accepting);
    left = store->counts()[RunStatus::kQueued];
    EXPECT_GT(left, 0u);
    EXPECT_LT(left, runs_.size());
  }
  EXPECT_EQ(open_or_die(options_)->counts()[RunStatus::kQueued], left) << "afterwards it opens as any other";
}

TEST_F(Recovery, AMissingCurrentFileIsRefusedInsteadOfClearingTheStore) {
  fill(10);
  fs::remove(directory_.path() + "/store/CURRENT");
  expect_refused("CURRENT");
  EXPECT_TRUE(fs::exists(log_));
}

TEST_F(Recovery, AStoreThatIsGoneIsNotTakenForANewOne) {
  fill(10);
  fs::remove_all(directory_.path() + "/store");
  expect_refused("is gone");
  fs::create_directory(directory_.path() + "/store");
  expect_refused("is gone");
  options_.accept_loss = true;
  EXPECT_EQ(open_or_die(options_)->counts()[RunStatus::kQueued], 0u);
  options_.accept_loss = false;
  EXPECT_EQ(open_or_die(options_)->counts()[RunStatus::kQueued], 0u);
}

TEST_F(Recovery, AcceptingALossWhereThereIsNoneLosesNothing) {
  fill(10);
  options_.accept_loss = true;
  expect_all_there();
  EXPECT_FALSE(fs::exists(directory_.path() + "/store.damaged"));
}

TEST_F(Recovery, MoreThanADamagedLogIsRefusedAlsoWhenTheLossIsAccepted) {
  fill(10);
  for (const auto& entry : fs::directory_iterator(directory_.path() + "/store")) {
    if (entry.path().filename().string().starts_with("MANIFEST")) overwrite(entry.path(), 20, std::string(13, '\xff'));
  }
  expect_refused("--repair cannot help here");
  options_.accept_loss = true;
  expect_refused("--repair cannot help here");
  fs::remove(directory_.path() + "/store/CURRENT");
  expect_refused("CURRENT is missing");
  EXPECT_TRUE(fs::exists(log_));
  EXPECT_FALSE(fs::exists(directory_.path() + "/store.damaged"));
}

TEST_F(Recovery, ALayoutFromTheFutureIsRefusedByNumber) {
  fill(1);
  DatabaseOptions raw;
  raw.directory = directory_.path() + "/store";
  {
    const Result<std::unique_ptr<Database>> db = Database::open(raw, std::nullopt);
    ASSERT_TRUE(db) << db.status().message();
    Batch batch(**db);
    batch.put(Family::kMeta, meta_key::kSchema, "99");
    ASSERT_TRUE((*db)->write(batch));
    ASSERT_TRUE((*db)->sync());
  }
  const Result<std::unique_ptr<Store>> store = open_rocks(options_);
  ASSERT_FALSE(store);
  EXPECT_NE(store.status().message().find("99"), std::string::npos) << store.status().message();
}

}  // namespace
}  // namespace perdure::store::rocks
