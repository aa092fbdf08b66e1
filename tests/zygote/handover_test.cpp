// A zygote between two hosts: children that execute attempts go on, what they say and how they end waits for the next
// host, and everybody else is gone.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <map>

#include "host/protocol/roster.h"
#include "host/zygote/descendants.h"
#include "tests/zygote/behaviour_tasks.h"
#include "tests/zygote/zygote_process.h"

namespace perdure::zygote::test {
namespace {

using protocol::Incoming;
using protocol::Kind;
using protocol::Roster;

/// A directory that goes with the object.
class Place {
 public:
  Place() {
    std::string name = (std::filesystem::temp_directory_path() / "perdure-handover-XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~Place() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

/// The next host, as far as a zygote sees it.
class NextHost {
 public:
  explicit NextHost(const std::filesystem::path& socket) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket.c_str(), sizeof address.sun_path - 1);
    link_ = Fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (connect(link_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) link_.reset();
    const timeval patience{20, 0};
    setsockopt(link_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }

  [[nodiscard]] bool connected() const { return link_.get() >= 0; }
  /// Takes over; how many children there are.
  std::size_t take_over() {
    hello_ = next();
    if (hello_.kind != Kind::kOrphans) return 999;
    for (std::uint64_t i = 0; i < hello_.id; i++) {
      Incoming frame = next();
      EXPECT_EQ(frame.kind, Kind::kOrphan);
      Attempt attempt;
      attempt.id = frame.id;
      attempt.pid = static_cast<pid_t>(frame.arg);
      if (frame.fds.size() == 3) {
        attempt.link = Fd(frame.release_fd(0));
        attempt.out = Fd(frame.release_fd(1));
        attempt.err = Fd(frame.release_fd(2));
      }
      orphans.emplace(frame.id, std::move(attempt));
    }
    return orphans.size();
  }
  Incoming next() {
    Incoming frame;
    EXPECT_EQ(receiver_.receive(link_.get(), frame, true), protocol::ReceiveResult::kFrame);
    return frame;
  }
  void quit() const {
    protocol::Outgoing frame;
    frame.kind = Kind::kQuit;
    protocol::send(link_.get(), frame, true);
  }
  void die() { link_.reset(); }
  [[nodiscard]] const Incoming& hello() const { return hello_; }

  std::map<std::uint64_t, Attempt> orphans;

 private:
  Fd link_;
  protocol::Receiver receiver_;
  Incoming hello_;
};

class HandoverTest : public testing::Test {
 protected:
  HandoverTest() : zygote_(fixture("behaviours")) {
    EXPECT_NE(zygote_.manifest(), "");
    keep(600);
  }

  void keep(std::uint32_t seconds) {
    const Fd directory(open(place_.path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    const int fds[] = {roster_->descriptor(), directory.get()};
    protocol::Outgoing frame;
    frame.kind = Kind::kKeep;
    frame.arg = seconds;
    frame.fds = fds;
    frame.fd_count = 2;
    protocol::send(zygote_.control(), frame, true);
  }
  /// A spare that is given this task as an attempt of its own and is not known as taken.
  Attempt running(std::uint32_t task, const std::string& payload = "null") {
    if (!std::exchange(spares_, true)) zygote_.send(Kind::kSpares, 0, 2);
    Attempt attempt = zygote_.next_spare();
    EXPECT_NE(roster_->enter(attempt.id, 1, "run_test", 1, "token", false), Roster::kNone);
    EXPECT_TRUE(attempt.start(task, payload));
    return attempt;
  }
  [[nodiscard]] std::filesystem::path socket() const { return place_.path / std::to_string(zygote_.pid()); }
  /// Not so when it is dead and nobody has reaped it.
  static bool alive(pid_t pid) { return std::filesystem::exists("/proc/" + std::to_string(pid) + "/exe"); }

  Place place_;
  std::optional<Roster> roster_ = Roster::make();
  ZygoteProcess zygote_;
  bool spares_ = false;
};

TEST_F(HandoverTest, AttemptsGoOnAndTheNextHostHearsThem) {
  Attempt attempt = running(task::sleep_forever);
  ASSERT_TRUE(attempt.next(Kind::kLog));
  const pid_t pid = attempt.pid;
  const std::uint64_t id = attempt.id;
  attempt = {};
  zygote_.hang_up();
  NextHost next(socket());
  ASSERT_EQ(next.take_over(), 1u);
  EXPECT_EQ(next.hello().arg, protocol::kProtocolVersion);
  EXPECT_EQ(next.hello().fds.size(), 1u);
  EXPECT_EQ(next.orphans.at(id).pid, pid);
  EXPECT_TRUE(alive(pid));
  next.quit();
  EXPECT_EQ(zygote_.wait(), std::optional<int>(0));
  EXPECT_FALSE(alive(pid));
  EXPECT_TRUE(std::filesystem::is_empty(place_.path)) << "nobody is to find it any more";
}

TEST_F(HandoverTest, SparesThatNobodyHasGivenAnAttemptEnd) {
  const Attempt attempt = running(task::sleep_forever);
  const Attempt spare = zygote_.next_spare();
  zygote_.hang_up();
  NextHost next(socket());
  ASSERT_EQ(next.take_over(), 1u);
  EXPECT_TRUE(eventually([&] { return !alive(spare.pid); }));
  EXPECT_TRUE(alive(attempt.pid));
  next.quit();
}

TEST_F(HandoverTest, AZygoteWithoutAttemptsLeavesWithItsHost) {
  zygote_.send(Kind::kSpares, 0, 1);
  (void)zygote_.next_spare();
  zygote_.hang_up();
  EXPECT_EQ(zygote_.wait(), std::optional<int>(0));
  EXPECT_TRUE(std::filesystem::is_empty(place_.path));
}

TEST_F(HandoverTest, WhatAnAttemptSaidInBetweenIsThere) {
  Attempt attempt = running(task::echo, "5");
  const std::uint64_t id = attempt.id;
  attempt = {};  // before it was heard
  zygote_.hang_up();
  NextHost next(socket());
  ASSERT_EQ(next.take_over(), 1u);
  const auto outcome = next.orphans.at(id).next(Kind::kOutcome);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->raw, "5");
  next.orphans.at(id).confirm();
  const Incoming exit = next.next();
  EXPECT_EQ(exit.kind, Kind::kExited);
  EXPECT_EQ(exit.id, id);
}

TEST_F(HandoverTest, OutputThatWaitsInThePipesIsThere) {
  Attempt attempt = running(task::print);
  const std::uint64_t id = attempt.id;
  attempt = {};
  zygote_.hang_up();
  NextHost next(socket());
  ASSERT_EQ(next.take_over(), 1u);
  ASSERT_TRUE(next.orphans.at(id).next(Kind::kOutcome));
  next.orphans.at(id).confirm();
  EXPECT_EQ(next.orphans.at(id).read_output(), "to stdout");
  next.quit();
}

TEST_F(HandoverTest, AnAttemptThatDiesInBetweenIsToldWithItsExitAndItsLastWords) {
  Attempt attempt = running(task::sleep_forever);
  ASSERT_TRUE(attempt.next(Kind::kLog));
  const std::uint64_t id = attempt.id;
  const pid_t pid = attempt.pid;
  attempt = {};
  zygote_.hang_up();
  // Once the zygote has noticed, it is the parent of nobody else.
  ASSERT_TRUE(eventually([&] { return children_of(zygote_.pid()).size() == 1; }));
  ASSERT_EQ(kill(pid, SIGKILL), 0);
  ASSERT_TRUE(eventually([&] { return children_of(zygote_.pid()).empty(); }));
  NextHost next(socket());
  ASSERT_EQ(next.take_over(), 1u);
  EXPECT_GE(next.orphans.at(id).link.get(), 0);
  const Incoming exit = next.next();
  ASSERT_EQ(exit.kind, Kind::kExited);
  protocol::ExitReport report{};
  ASSERT_EQ(exit.raw.size(), sizeof report);
  std::memcpy(&report, exit.raw.data(), sizeof report);
  EXPECT_EQ(WTERMSIG(report.wait_status), SIGKILL);
}

TEST_F(HandoverTest, AnOutcomeThatWasReadAndNotConfirmedIsSaidAgain) {
  Attempt attempt = running(task::echo, "7");
  ASSERT_TRUE(attempt.next(Kind::kOutcome));  // the host had read it, and died over recording it
  const std::uint64_t id = attempt.id;
  attempt = {};
  zygote_.hang_up();
  NextHost next(socket());
  ASSERT_EQ(next.take_over(), 1u);
  const Attempt& orphan = next.orphans.at(id);
  orphan.adopt();
  const auto first = orphan.next_frame();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->kind, Kind::kResend);
  const auto again = orphan.next_frame();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->kind, Kind::kOutcome);
  EXPECT_EQ(again->raw, "7");
  EXPECT_EQ(again->id, 1u);
  orphan.confirm();
  EXPECT_EQ(next.next().kind, Kind::kExited);
}

TEST_F(HandoverTest, OneHostAfterTheOtherTakesOver) {
  Attempt attempt = running(task::sleep_forever);
  ASSERT_TRUE(attempt.next(Kind::kLog));
  const std::uint64_t id = attempt.id;
  const pid_t pid = attempt.pid;
  attempt = {};
  zygote_.hang_up();
  for (int i = 0; i < 5; i++) {
    NextHost next(socket());
    ASSERT_TRUE(next.connected());
    if (i % 2 == 1) continue;  // dies at once
    ASSERT_EQ(next.take_over(), 1u);
    EXPECT_EQ(next.orphans.at(id).pid, pid);
  }
  EXPECT_TRUE(alive(pid));
  NextHost last(socket());
  ASSERT_EQ(last.take_over(), 1u);
  last.quit();
}

TEST_F(HandoverTest, AHostThatDidNotComeInTimeIsNotWaitedFor) {
  ZygoteProcess other(fixture("behaviours"));
  ASSERT_NE(other.manifest(), "");
  const Fd directory(open(place_.path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const int fds[] = {roster_->descriptor(), directory.get()};
  protocol::Outgoing frame;
  frame.kind = Kind::kKeep;
  frame.arg = 1;
  frame.fds = fds;
  frame.fd_count = 2;
  protocol::send(other.control(), frame, true);
  other.send(Kind::kSpares, 0, 1);
  const Attempt attempt = other.next_spare();
  ASSERT_NE(roster_->enter(attempt.id, 1, "run_test", 1, "token", false), Roster::kNone);
  ASSERT_TRUE(attempt.start(task::sleep_forever, "null"));
  ASSERT_TRUE(attempt.next(Kind::kLog));
  other.hang_up();
  EXPECT_EQ(other.wait(), std::optional<int>(0));
  EXPECT_FALSE(alive(attempt.pid));
}

TEST_F(HandoverTest, AttemptsEndWithTheirZygoteWhenBothItAndTheHostDie) {
  const Attempt attempt = running(task::sleep_forever);
  ASSERT_TRUE(attempt.next(Kind::kLog));
  kill(zygote_.pid(), SIGKILL);
  zygote_.hang_up();
  EXPECT_TRUE(zygote_.wait());
  EXPECT_TRUE(eventually([&] { return !alive(attempt.pid); }));
}

}  // namespace
}  // namespace perdure::zygote::test
