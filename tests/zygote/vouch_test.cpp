// Heartbeats that the zygote sends for its children, tried on children of the test.
#include "host/zygote/vouch.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/zygote/attempt.h"
#include "tests/zygote/zygote_process.h"

namespace perdure::zygote::test {
namespace {

using protocol::Kind;

class Vouch : public testing::Test {
 protected:
  void SetUp() override {
    const int saved = fcntl(kLinkDescriptor, F_GETFD) < 0 ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;
    placeholder_ = Fd(saved);  // descriptor 3, where a zygote has its control link
    if (!can_vouch()) GTEST_SKIP() << "this system does not let a process look into its children";
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    host_.link = Fd(ends[0]);
    child_link_ = Fd(ends[1]);
  }
  void TearDown() override {
    if (child_ > 0) {
      kill(child_, SIGKILL);
      waitpid(child_, nullptr, 0);
    }
  }
  // A child of this name whose link is what `link` is here; ready when this returns.
  void start_child(const char* name, int link) {
    int ready[2];
    ASSERT_EQ(pipe2(ready, O_CLOEXEC), 0);
    child_ = fork();
    if (child_ == 0) {
      prctl(PR_SET_NAME, name);
      dup2(link, kLinkDescriptor);
      (void)!write(ready[1], "1", 1);
      for (;;) pause();
    }
    char byte = 0;
    ASSERT_EQ(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
  }
  bool heard() { return host_.next(Kind::kHeartbeat, std::chrono::milliseconds(50)).has_value(); }

  Fd placeholder_, child_link_;
  Attempt host_;
  pid_t child_ = -1;
};

TEST_F(Vouch, SendsAHeartbeatForAnAttempt) {
  start_child(kRunningName, child_link_.get());
  vouch_for(child_);
  EXPECT_TRUE(heard());
}

TEST_F(Vouch, SendsNoneForASpare) {
  start_child(kWaitingName, child_link_.get());
  vouch_for(child_);
  EXPECT_FALSE(heard());
}

TEST_F(Vouch, SendsNoneForAStoppedAttemptUntilItGoesOn) {
  start_child(kRunningName, child_link_.get());
  kill(child_, SIGSTOP);
  int status = 0;
  ASSERT_EQ(waitpid(child_, &status, WUNTRACED), child_);
  vouch_for(child_);
  EXPECT_FALSE(heard());
  kill(child_, SIGCONT);
  ASSERT_EQ(waitpid(child_, &status, WCONTINUED), child_);
  vouch_for(child_);
  EXPECT_TRUE(heard());
}

TEST_F(Vouch, SendsNothingToADescriptorTheTaskPutInPlaceOfTheLink) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const Fd mine(ends[0]), theirs(ends[1]);
  start_child(kRunningName, theirs.get());
  vouch_for(child_);
  char byte = 0;
  EXPECT_LT(recv(mine.get(), &byte, 1, MSG_DONTWAIT), 0);
}

TEST_F(Vouch, SendsNothingToItsOwnHostForAChildThatHasNotPutItsLinkInPlaceYet) {
  const Fd kept(fcntl(kLinkDescriptor, F_DUPFD_CLOEXEC, kLinkDescriptor + 1));
  ASSERT_EQ(dup2(child_link_.get(), kLinkDescriptor), kLinkDescriptor);  // as if it were a zygote's control link
  start_child("perdure-zygote", kLinkDescriptor);
  vouch_for(child_);
  EXPECT_FALSE(heard());
  ASSERT_EQ(dup2(kept.get(), kLinkDescriptor), kLinkDescriptor);
  vouch_for(child_);
  EXPECT_TRUE(heard()) << "it is a link like any other";
}

TEST_F(Vouch, MindsNoChildThatIsDead) {
  start_child(kRunningName, child_link_.get());
  kill(child_, SIGKILL);
  siginfo_t dead{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child_), &dead, WEXITED | WNOWAIT), 0);
  vouch_for(child_);
  EXPECT_FALSE(heard());
}

}  // namespace
}  // namespace perdure::zygote::test
