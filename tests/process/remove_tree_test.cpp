// Emptying a directory, whatever was put into it.
#include "host/os/remove_tree.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "host/os/unique_fd.h"

namespace perdure::os::test {
namespace {

namespace fs = std::filesystem;

class ClearDirectory : public testing::Test {
 protected:
  ClearDirectory() {
    if (mkdtemp(path_) == nullptr) ADD_FAILURE() << "no directory for the test";
    directory_ = UniqueFd(open(path_, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  ~ClearDirectory() override {
    (void)clear_directory(directory_.get(), [] { return true; });
    rmdir(path_);
  }
  [[nodiscard]] fs::path path() const { return path_; }
  bool clear() {
    return clear_directory(directory_.get(), [] { return true; });
  }

 private:
  char path_[32] = "/tmp/perdure-test.XXXXXX";

 protected:
  UniqueFd directory_;
};

TEST_F(ClearDirectory, LeavesTheDirectoryItself) {
  fs::create_directories(path() / "a/b");
  std::ofstream(path() / "a/b/file") << "text";
  std::ofstream(path() / "file") << "text";
  EXPECT_TRUE(clear());
  EXPECT_TRUE(fs::is_empty(path()));
  EXPECT_TRUE(clear());
}

TEST_F(ClearDirectory, NeedsNoDescriptorForALevel) {
  UniqueFd level(openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int i = 0; i < 1500; i++) {  // deeper than most processes may have descriptors, and than paths may be long
    ASSERT_EQ(mkdirat(level.get(), "level", 0700), 0);
    level = UniqueFd(openat(level.get(), "level", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  level = UniqueFd();
  EXPECT_TRUE(clear());
  EXPECT_TRUE(fs::is_empty(path()));
}

TEST_F(ClearDirectory, RemovesLinksAndNotWhatTheyNameEvenInPlaceOfADirectory) {
  const fs::path beside = path().string() + "-beside";
  fs::create_directory(beside);
  std::ofstream(beside / "file") << "text";
  fs::create_directory_symlink(beside, path() / "link");
  fs::create_directory(path() / "a");
  fs::create_directory_symlink(beside, path() / "a/link");
  EXPECT_TRUE(clear());
  EXPECT_TRUE(fs::is_empty(path()));
  EXPECT_TRUE(fs::exists(beside / "file"));
  fs::remove_all(beside);
}

TEST_F(ClearDirectory, OpensWhatItsOwnerClosed) {
  fs::create_directories(path() / "closed/inside/deeper");
  std::ofstream(path() / "closed/inside/file") << "text";
  chmod((path() / "closed/inside").c_str(), 0);
  chmod((path() / "closed").c_str(), 0);
  chmod(path().c_str(), 0500);
  EXPECT_TRUE(clear());
  EXPECT_TRUE(fs::is_empty(path()));
}

TEST_F(ClearDirectory, IsNotMisledByTheNamesItGivesItself) {
  fs::create_directories(path() / ".0/.1/.2/.0/.1");
  fs::create_directories(path() / "a/.0/b/.1/c");
  std::ofstream(path() / ".1") << "text";
  std::ofstream(path() / "a/.0/b/file") << "text";
  EXPECT_TRUE(clear());
  EXPECT_TRUE(fs::is_empty(path()));
}

TEST_F(ClearDirectory, StopsWhenAskedToAndSaysThatSomethingIsLeft) {
  for (int i = 0; i < 10; i++) fs::create_directories(path() / std::to_string(i) / "inside");
  int asked = 0;
  EXPECT_FALSE(clear_directory(directory_.get(), [&] { return ++asked < 5; }));
  EXPECT_FALSE(fs::is_empty(path()));
  EXPECT_TRUE(clear());
}

}  // namespace
}  // namespace perdure::os::test
