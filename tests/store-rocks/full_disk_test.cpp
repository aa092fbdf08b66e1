// A full disk: new runs are refused by name, nothing accepted is lost, and service resumes by itself when there is
// room.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/store-rocks/fault_file_system.h"
#include "tests/store-rocks/harness.h"
#include "tests/store-rocks/history_checker.h"

namespace perdure::store::rocks {
namespace {

NewRun big_run(Time now) {
  NewRun run = new_run(now);
  run.payload = "\"" + std::string(100'000, 'p') + "\"";
  return run;
}

void expect_right(const HistoryChecker& checker, const Store& store) {
  for (const std::string& wrong : checker.check(store)) ADD_FAILURE() << wrong;
}

TEST(FullDisk, BelowTheReserveRunsAreRefusedButEndsAreRecorded) {
  const TempDirectory directory;
  const auto disk = std::make_shared<FaultFileSystem>();
  RocksOptions options = options_for(directory.path());
  options.file_system = disk;
  options.space.reserve_bytes = 1 << 20;
  options.space.check_every = std::chrono::milliseconds(0);
  const std::unique_ptr<Store> store = open_or_die(options);
  ASSERT_TRUE(enqueue(*store, new_run(kStart)));

  disk->set_free_space((1 << 20) - 1);
  const Result<Enqueued> refused = enqueue(*store, new_run(kStart));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.status().code(), Code::kNoSpace);
  EXPECT_NE(refused.status().message().find("reserve"), std::string::npos) << refused.status().message();
  const std::vector<Claim> claims = claim(*store, 1, kStart);
  ASSERT_EQ(claims.size(), 1u);
  EXPECT_TRUE(finish(*store, success_of(claims[0], kStart)));
  EXPECT_TRUE(store->health());

  disk->set_free_space(1 << 20);
  EXPECT_TRUE(enqueue(*store, new_run(kStart)));
}

TEST(FullDisk, ARepeatedTriggerIsAnsweredEvenBelowTheReserve) {
  const TempDirectory directory;
  const auto disk = std::make_shared<FaultFileSystem>();
  RocksOptions options = options_for(directory.path());
  options.file_system = disk;
  options.space.reserve_bytes = 1 << 20;
  options.space.check_every = std::chrono::milliseconds(0);
  const std::unique_ptr<Store> store = open_or_die(options);
  NewRun run = new_run(kStart);
  run.options.idempotency_key = "once";
  ASSERT_TRUE(enqueue(*store, run));
  disk->set_free_space(0);
  NewRun again = new_run(kStart);
  again.options.idempotency_key = "once";
  const Result<Enqueued> answer = enqueue(*store, again);
  ASSERT_TRUE(answer) << answer.status().message();
  EXPECT_EQ(answer->id, run.id);
}

// Fills the disk of `options` by enqueueing, then checks refusal, reads, and that `make_room` brings service back.
void fill_and_recover(const RocksOptions& options, const std::function<void()>& make_room) {
  HistoryChecker checker;
  EventListener listener;
  std::unique_ptr<Store> store = open_or_die(options);
  store->listen(&listener);
  Status refusal;
  RunId first;
  for (int i = 0; i < 10'000 && refusal; ++i) {
    const NewRun run = big_run(kStart + Duration(i));
    const Result<Enqueued> result = enqueue(*store, run);
    if (result) {
      checker.note_created(run.id);
      if (first.empty()) first = run.id;
    } else {
      checker.note_refused(run.id);
      refusal = result.status();
    }
  }
  ASSERT_EQ(refusal.code(), Code::kNoSpace) << refusal.message();
  ASSERT_TRUE(listener.wait_for_health(false));
  EXPECT_EQ(listener.health().back().code(), Code::kNoSpace);
  make_room();
  ASSERT_TRUE(listener.wait_for_health(true));
  EXPECT_TRUE(store->health());
  const NewRun next = new_run(kStart + std::chrono::hours(1));
  const Result<Enqueued> served = enqueue(*store, next);
  ASSERT_TRUE(served) << served.status().message();
  checker.note_created(next.id);
  expect_right(checker, *store);
  const std::vector<Claim> claims = claim(*store, 1, kStart);
  ASSERT_EQ(claims.size(), 1u);
  EXPECT_EQ(claims[0].run.id, first) << "what was accepted first comes first";
  store->listen(nullptr);
  store.reset();
  expect_right(checker, *open_or_die(options));
}

TEST(FullDisk, IsRefusedByNameAndServedAgainWhenThereIsRoom) {
  const TempDirectory directory;
  const auto disk = std::make_shared<FaultFileSystem>();
  RocksOptions options = options_for(directory.path());
  options.file_system = disk;
  disk->set_free_space(3 << 20);
  fill_and_recover(options, [&] { disk->set_free_space(std::nullopt); });
}

// A real small file system, where this process may mount one.
class SmallDisk {
 public:
  explicit SmallDisk(int megabytes)
      : mounted_(::mount("tmpfs", directory_.path().c_str(), "tmpfs", 0,
                         ("size=" + std::to_string(megabytes) + "m").c_str()) == 0) {}
  ~SmallDisk() {
    if (mounted_) ::umount2(directory_.path().c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  [[nodiscard]] bool mounted() const { return mounted_; }
  [[nodiscard]] std::string path() const { return directory_.path(); }
  /// Takes so many bytes, until empty().
  void fill(std::uint64_t bytes) const {
    const int file = ::open((path() + "/other").c_str(), O_WRONLY | O_CREAT, 0600);
    EXPECT_EQ(::posix_fallocate(file, 0, static_cast<off_t>(bytes)), 0);
    ::close(file);
  }
  void empty() const { std::filesystem::remove(path() + "/other"); }

 private:
  TempDirectory directory_;
  bool mounted_;
};

TEST(FullDisk, OnARealFileSystemNothingIsLost) {
  const SmallDisk disk(24);
  if (!disk.mounted()) GTEST_SKIP() << "may not mount a tmpfs here: " << std::strerror(errno);
  disk.fill(14 << 20);
  fill_and_recover(options_for(disk.path() + "/data"), [&] { disk.empty(); });
}

TEST(FullDisk, TheBallastMakesRoomWhenNobodyElseDoesAndComesBackLater) {
  const SmallDisk disk(16);
  if (!disk.mounted()) GTEST_SKIP() << "may not mount a tmpfs here: " << std::strerror(errno);
  SpaceOptions options;
  options.reserve_bytes = 0;
  options.reserve_fraction = 0;
  options.ballast_bytes = 5 << 20;
  Space space(options, disk.path(), rocksdb::FileSystem::Default());
  space.restore_ballast();
  ASSERT_TRUE(std::filesystem::exists(disk.path() + "/ballast"));
  disk.fill(space.free_bytes());
  EXPECT_LT(space.free_bytes(), 1u << 20);
  EXPECT_TRUE(space.may_reopen(0));
  EXPECT_FALSE(std::filesystem::exists(disk.path() + "/ballast"));
  EXPECT_GE(space.free_bytes(), 4u << 20);
  space.restore_ballast();
  EXPECT_FALSE(std::filesystem::exists(disk.path() + "/ballast")) << "there is no room for it yet";
  disk.empty();
  space.restore_ballast();
  EXPECT_TRUE(std::filesystem::exists(disk.path() + "/ballast"));
}

}  // namespace
}  // namespace perdure::store::rocks
