// One host at a time has a data directory.
#include "store/rocks/lock.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "tests/store-rocks/harness.h"

namespace perdure::store::rocks {
namespace {

TEST(Lock, ASecondStoreIsRefusedNamingTheFirstOnesProcess) {
  const TempDirectory directory;
  const std::unique_ptr<Store> first = open_or_die(options_for(directory.path()));
  const Result<std::unique_ptr<Store>> second = open_rocks(options_for(directory.path()));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.status().code(), Code::kUnavailable);
  EXPECT_NE(second.status().message().find("process " + std::to_string(::getpid()) + ";"), std::string::npos)
      << second.status().message();
}

TEST(Lock, IsFreeAgainOnceTheStoreIsClosed) {
  const TempDirectory directory;
  open_or_die(options_for(directory.path())).reset();
  EXPECT_TRUE(open_rocks(options_for(directory.path())));
}

TEST(Lock, EndsWithTheProcessThatHasIt) {
  const TempDirectory directory;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const Result<std::unique_ptr<DirectoryLock>> lock = DirectoryLock::take(directory.path());
    if (::write(ready[1], lock ? "1" : "0", 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char taken = 0;
  ASSERT_EQ(::read(ready[0], &taken, 1), 1);
  ASSERT_EQ(taken, '1');
  const Result<std::unique_ptr<DirectoryLock>> refused = DirectoryLock::take(directory.path());
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.status().message().find(std::to_string(child)), std::string::npos) << refused.status().message();
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(DirectoryLock::take(directory.path()));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(Lock, ADirectoryThatCannotBeMadeIsAnErrorThatNamesIt) {
  const TempDirectory directory;
  std::filesystem::create_symlink("/nonexistent/target", directory.path() + "/data");
  const Result<std::unique_ptr<DirectoryLock>> lock = DirectoryLock::take(directory.path() + "/data");
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.status().code(), Code::kIo);
  EXPECT_NE(lock.status().message().find(directory.path() + "/data/lock"), std::string::npos)
      << lock.status().message();
}

}  // namespace
}  // namespace perdure::store::rocks
