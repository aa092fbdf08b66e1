// A frame arrives as it was sent, whatever its size, and a link says plainly when it is full or over.
#include "host/protocol/frame.h"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>
#include <thread>

#include "tests/protocol/socket_pair.h"

namespace perdure::protocol {
namespace {

using test::SocketPair;

Outgoing outgoing(std::string_view json, std::string_view raw) {
  Outgoing frame;
  frame.kind = Kind::kOutcome;
  frame.arg = 7;
  frame.id = 0x8000000000000001;
  frame.json = json;
  frame.raw = raw;
  return frame;
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  DIR* directory = opendir("/proc/self/fd");
  while (readdir(directory) != nullptr) count++;
  closedir(directory);
  return count;
}

void expect_round_trip(const std::string& json, const std::string& raw) {
  SocketPair pair;
  ASSERT_EQ(send(pair.here(), outgoing(json, raw), true), SendResult::kSent);
  Receiver receiver;
  Incoming frame;
  ASSERT_EQ(receiver.receive(pair.there(), frame, true), ReceiveResult::kFrame) << receiver.error();
  EXPECT_EQ(frame.kind, Kind::kOutcome);
  EXPECT_EQ(frame.arg, 7u);
  EXPECT_EQ(frame.id, 0x8000000000000001u);
  EXPECT_EQ(frame.json, json);
  EXPECT_EQ(frame.raw, raw);
  EXPECT_TRUE(frame.fds.empty());
}

TEST(Frame, WithoutABodyArrivesAsSent) { expect_round_trip("", ""); }

TEST(Frame, WithJsonAndRawArrivesAsSent) { expect_round_trip(R"({"a":1})", std::string("\0\1\2", 3)); }

TEST(Frame, OfExactlyTheInlineLimitTravelsInThePacket) {
  expect_round_trip(std::string(100, 'j'), std::string(kInlineLimit - 100, 'r'));
}

TEST(Frame, LargeBodyTravelsAsSealedMemfd) {
  expect_round_trip(std::string(100, 'j'), std::string(kInlineLimit - 99, 'r'));
}

TEST(Frame, OfTheLargestSizeArrivesAsSent) { expect_round_trip(std::string(kMaxJson, 'j'), std::string(kMaxRaw, 'r')); }

TEST(Frame, OverItsLimitsIsNotSent) {
  SocketPair pair;
  const std::string json(kMaxJson + 1, 'j');
  EXPECT_EQ(send(pair.here(), outgoing(json, ""), true), SendResult::kFailed);
  const std::string raw(kMaxRaw + 1, 'r');
  EXPECT_EQ(send(pair.here(), outgoing("", raw), true), SendResult::kFailed);
}

TEST(Frame, CarriesDescriptorsBesideASmallAndALargeBody) {
  for (const std::size_t size : {std::size_t{10}, 2 * kInlineLimit}) {
    SocketPair pair;
    const int fds[] = {0, 1, 2, 1};
    const std::string raw(size, 'r');
    Outgoing frame = outgoing("", raw);
    frame.fds = fds;
    frame.fd_count = 4;
    ASSERT_EQ(send(pair.here(), frame, true), SendResult::kSent);
    Receiver receiver;
    Incoming got;
    ASSERT_EQ(receiver.receive(pair.there(), got, true), ReceiveResult::kFrame) << receiver.error();
    ASSERT_EQ(got.fds.size(), 4u);
    EXPECT_EQ(got.raw, raw);
    for (std::size_t i = 0; i < 4; i++) {
      struct stat sent {
      }, arrived{};
      fstat(fds[i], &sent);
      fstat(got.fds[i], &arrived);
      EXPECT_EQ(sent.st_ino, arrived.st_ino);
      EXPECT_EQ(fcntl(got.fds[i], F_GETFD), FD_CLOEXEC);
    }
  }
}

TEST(Frame, ClosesTheDescriptorsNobodyTook) {
  SocketPair pair;
  const std::size_t before = open_descriptors();
  const int fds[] = {0, 1};
  const std::string raw(2 * kInlineLimit, 'r');
  Outgoing frame = outgoing("", raw);
  frame.fds = fds;
  frame.fd_count = 2;
  int taken = -1;
  {
    Receiver receiver;
    Incoming got;
    ASSERT_EQ(send(pair.here(), frame, true), SendResult::kSent);
    ASSERT_EQ(receiver.receive(pair.there(), got, true), ReceiveResult::kFrame);
    taken = got.release_fd(1);
    EXPECT_EQ(got.release_fd(1), -1);
    EXPECT_EQ(got.release_fd(2), -1);
  }
  EXPECT_EQ(open_descriptors(), before + 1);
  EXPECT_EQ(close(taken), 0);
}

TEST(Frame, KeepsItsTextWhenMoved) {
  for (const std::size_t size : {std::size_t{3}, std::size_t{5000}, 2 * kInlineLimit}) {
    SocketPair pair;
    const std::string raw(size, 'r');
    ASSERT_EQ(send(pair.here(), outgoing("{}", raw), true), SendResult::kSent);
    Receiver receiver;
    Incoming got;
    ASSERT_EQ(receiver.receive(pair.there(), got, true), ReceiveResult::kFrame);
    Incoming moved = std::move(got);
    Incoming again;
    again = std::move(moved);
    EXPECT_EQ(again.json, "{}");
    EXPECT_EQ(again.raw, raw);
  }
}

TEST(Link, SaysThatThereIsNothingYet) {
  SocketPair pair;
  Receiver receiver;
  Incoming frame;
  EXPECT_EQ(receiver.receive(pair.there(), frame, false), ReceiveResult::kWouldBlock);
}

TEST(Link, SaysThatThePeerIsGoneAfterItsLastFrame) {
  SocketPair pair;
  ASSERT_EQ(send(pair.here(), outgoing("{}", ""), true), SendResult::kSent);
  pair.close_here();
  Receiver receiver;
  Incoming frame;
  EXPECT_EQ(receiver.receive(pair.there(), frame, true), ReceiveResult::kFrame);
  EXPECT_EQ(receiver.receive(pair.there(), frame, true), ReceiveResult::kPeerGone);
  EXPECT_EQ(send(pair.there(), outgoing("{}", ""), true), SendResult::kPeerGone);
}

TEST(Link, SaysThatItIsFullWhenToldNotToWait) {
  SocketPair pair;
  const std::string raw(kInlineLimit, 'r');
  SendResult result = SendResult::kSent;
  for (int i = 0; i < 100 && result == SendResult::kSent; i++) result = send(pair.here(), outgoing("", raw), false);
  EXPECT_EQ(result, SendResult::kWouldBlock);
}

TEST(Link, WaitsOnANonBlockingSocketWhenTold) {
  SocketPair pair;
  for (const int end : {pair.here(), pair.there()}) fcntl(end, F_SETFL, O_NONBLOCK);
  constexpr int kFrames = 200;
  std::thread sender([&] {
    const std::string raw(kInlineLimit, 'r');
    for (int i = 0; i < kFrames; i++) EXPECT_EQ(send(pair.here(), outgoing("", raw), true), SendResult::kSent);
  });
  Receiver receiver;
  Incoming frame;
  for (int i = 0; i < kFrames; i++) ASSERT_EQ(receiver.receive(pair.there(), frame, true), ReceiveResult::kFrame);
  sender.join();
}

TEST(Link, KeepsFramesOfSeveralSendersWhole) {
  SocketPair pair;
  constexpr int kSenders = 4;
  constexpr int kFrames = 500;
  std::vector<std::thread> senders;
  for (int s = 0; s < kSenders; s++) {
    senders.emplace_back([&pair, s] {
      const std::string raw(1000, static_cast<char>('a' + s));
      for (int i = 0; i < kFrames; i++) EXPECT_EQ(send(pair.here(), outgoing("", raw), true), SendResult::kSent);
    });
  }
  Receiver receiver;
  Incoming frame;
  for (int i = 0; i < kSenders * kFrames; i++) {
    ASSERT_EQ(receiver.receive(pair.there(), frame, true), ReceiveResult::kFrame);
    ASSERT_EQ(frame.raw, std::string(1000, frame.raw[0]));
  }
  for (std::thread& sender : senders) sender.join();
}

}  // namespace
}  // namespace perdure::protocol
