// How often the watchdog looks at a process tree: one that executes, one whose attempt waits, and one that goes on.
#include "host/process/guarded_tree.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "host/os/process.h"

namespace perdure::process::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr milliseconds kOften{250};

// A child that takes a MiB for each byte it is sent, and says so.
class GuardedTreeTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(pipe(orders_), 0);
    ASSERT_EQ(pipe(answers_), 0);
    pid_ = fork();
    if (pid_ == 0) {
      char order = 0;
      while (read(orders_[0], &order, 1) == 1) {
        void* const memory = mmap(nullptr, kMiB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) _exit(1);
        memset(memory, 1, kMiB);
        if (write(answers_[1], &order, 1) != 1) _exit(1);
      }
      _exit(0);
    }
    tree_.emplace(pid_, os::open_pidfd(pid_), store::Machine{"", 1, 512 * kMiB});
    tree_->begin(1);
    tree_->settle_watched();
  }
  void TearDown() override {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    for (const int fd : {orders_[0], orders_[1], answers_[0], answers_[1]}) close(fd);
  }
  void take_memory() {
    char byte = 0;
    ASSERT_EQ(write(orders_[1], &byte, 1), 1);
    ASSERT_EQ(read(answers_[0], &byte, 1), 1);
  }
  // Looks when it is due, and tells for how long no further one is.
  Instant::duration look() {
    now_ = *tree_->next_look();
    EXPECT_FALSE(tree_->look(now_));
    return *tree_->next_look() - now_;
  }
  void rest() {
    tree_->wait(true);
    for (int i = 0; i < 20; i++) (void)look();
  }

  int orders_[2], answers_[2];
  pid_t pid_ = -1;
  Instant now_;
  std::optional<GuardedTree> tree_;
};

TEST_F(GuardedTreeTest, OneThatExecutesIsLookedAtOften) {
  for (int i = 0; i < 20; i++) EXPECT_LE(look(), kOften);
}

TEST_F(GuardedTreeTest, OneThatWaitsIsLookedAtEverMoreRarelyButNotNever) {
  tree_->wait(true);
  Instant::duration before{};
  for (int i = 0; i < 20; i++) {
    const Instant::duration pause = look();
    EXPECT_GE(pause, before);
    before = pause;
  }
  EXPECT_GE(before, seconds(5));
  EXPECT_LE(before, seconds(10));
}

TEST_F(GuardedTreeTest, OneThatWaitsAndTakesMemoryIsLookedAtOften) {
  rest();
  take_memory();
  EXPECT_LE(look(), kOften);
}

TEST_F(GuardedTreeTest, OneThatGoesOnIsLookedAtAtOnceAndOften) {
  rest();
  tree_->wait(false);
  const Instant soon = now_ + milliseconds(1);
  tree_->look_sooner(soon);
  EXPECT_EQ(tree_->next_look(), soon);
  EXPECT_LE(look(), kOften);
  EXPECT_LE(look(), kOften);
}

TEST_F(GuardedTreeTest, ItsNextAttemptDoesNotWait) {
  rest();
  tree_->begin(2);
  EXPECT_LE(look(), kOften);
}

}  // namespace
}  // namespace perdure::process::test
