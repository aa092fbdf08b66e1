// Opening a store whose values were written by an earlier version of the engine.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "store/rocks/database.h"
#include "store/rocks/records.h"
#include "tests/store-rocks/harness.h"

namespace perdure::store::rocks {
namespace {

class OlderValues : public testing::Test {
 protected:
  Claim start(Time now) { return claim(*store_, 1, now).at(0); }

  // Closes the store and takes from every entry of the status index what says the version a run is locked to.
  void forget_versions() {
    store_.reset();
    DatabaseOptions raw;
    raw.directory = directory_.path() + "/store";
    const Result<std::unique_ptr<Database>> db = Database::open(raw, std::nullopt);
    ASSERT_TRUE(db) << db.status().message();
    Batch batch(**db);
    for (const RunStatus status : {RunStatus::kPendingVersion, RunStatus::kDelayed, RunStatus::kQueued}) {
      for (Scan scan = (*db)->scan(Family::kByStatus, status_prefix(status)); scan.valid(); scan.next()) {
        Result<Waiting> waiting = decode_waiting(scan.value());
        ASSERT_TRUE(waiting) << waiting.status().message();
        ASSERT_TRUE(waiting->version) << "the entry is an old one already";
        waiting->version.reset();
        batch.put(Family::kByStatus, scan.key(), encode(*waiting));
      }
    }
    ASSERT_FALSE(batch.empty());
    ASSERT_TRUE((*db)->write(batch));
    ASSERT_TRUE((*db)->sync());
  }

  TempDirectory directory_;
  RocksOptions options_ = options_for(directory_.path());
  std::unique_ptr<Store> store_ = open_or_die(options_);
};

TEST_F(OlderValues, TheVersionARunIsLockedToIsReadFromTheRun) {
  const NewRun delayed = new_run(kStart), queued = new_run(kStart), executing = new_run(kStart);
  ASSERT_TRUE(enqueue(*store_, delayed));
  ASSERT_TRUE(finish(*store_, failure_of(start(kStart), kStart, RetryAt{kStart + Duration(1000)})));
  ASSERT_TRUE(enqueue(*store_, executing));
  const Claim executes = start(kStart);
  ASSERT_TRUE(enqueue(*store_, queued));
  ASSERT_TRUE(finish(*store_, failure_of(start(kStart), kStart, RetryAt{kStart})));
  const VersionId version = executes.attempt.version;
  NewRun unstarted = new_run(kStart + Duration(1)), expiring = new_run(kStart + Duration(2));
  expiring.options.ttl = Duration(60'000);
  ASSERT_TRUE(enqueue(*store_, unstarted));
  ASSERT_TRUE(enqueue(*store_, expiring));
  ASSERT_EQ(store_->locked_versions(), (std::map<VersionId, std::uint64_t>{{version, 3}}));

  forget_versions();
  store_ = open_or_die(options_);
  EXPECT_EQ(store_->locked_versions(), (std::map<VersionId, std::uint64_t>{{version, 3}}));
  EventListener listener;
  store_->listen(&listener);
  ASSERT_TRUE(cancel(*store_, delayed.id, kStart));
  ASSERT_TRUE(finish(*store_, success_of(executes, kStart)));
  ASSERT_TRUE(cancel(*store_, unstarted.id, kStart));
  ASSERT_TRUE(cancel(*store_, expiring.id, kStart));
  EXPECT_EQ(store_->locked_versions(), (std::map<VersionId, std::uint64_t>{{version, 1}}));
  EXPECT_TRUE(listener.free().empty());
  ASSERT_TRUE(cancel(*store_, queued.id, kStart));
  EXPECT_EQ(listener.free(), std::vector<VersionId>{version});
  store_->listen(nullptr);
}

TEST_F(OlderValues, ARunThatCannotBeReadDoesNotKeepTheStoreFromOpening) {
  const NewRun bad = new_run(kStart), good = new_run(kStart);
  ASSERT_TRUE(enqueue(*store_, bad));
  ASSERT_TRUE(enqueue(*store_, good));
  forget_versions();
  {
    DatabaseOptions raw;
    raw.directory = directory_.path() + "/store";
    const Result<std::unique_ptr<Database>> db = Database::open(raw, std::nullopt);
    ASSERT_TRUE(db) << db.status().message();
    Batch batch(**db);
    batch.put(Family::kRuns, run_key(*pack(bad.id)), "nonsense");
    ASSERT_TRUE((*db)->write(batch));
  }
  store_ = open_or_die(options_);
  const std::vector<Claim> claims = claim(*store_, 10, kStart);
  ASSERT_EQ(claims.size(), 1u);
  EXPECT_EQ(claims[0].run.id, good.id);
}

}  // namespace
}  // namespace perdure::store::rocks
