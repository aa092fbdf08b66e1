// Whatever a hostile peer sends, receiving it answers with words, crashes nothing and leaks no descriptor.
#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include <array>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "host/protocol/frame.h"
#include "tests/protocol/socket_pair.h"

namespace perdure::protocol {
namespace {

using test::SocketPair;

constexpr int kAllSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

// Sends bytes and descriptors as they are.
bool send_packet(int socket, const std::string& bytes, const std::vector<int>& fds = {}) {
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  std::vector<char> control(CMSG_SPACE(sizeof(int) * fds.size()));
  if (!fds.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
    std::memcpy(CMSG_DATA(rights), fds.data(), sizeof(int) * fds.size());
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL) >= 0;
}

std::string packet(const Header& header, const std::string& body = {}) {
  return std::string(reinterpret_cast<const char*>(&header), sizeof header) + body;
}

Header header(std::size_t json, std::size_t raw, std::uint16_t flags = 0) {
  return {kMagic, static_cast<std::uint16_t>(Kind::kLog), flags, 0, static_cast<std::uint32_t>(json), 0, raw};
}

// A memfd of `size` bytes; closed by the caller.
int memfd(std::size_t size, int seals) {
  const int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  EXPECT_EQ(ftruncate(fd, static_cast<off_t>(size)), 0);
  if (seals != 0) {
    EXPECT_EQ(fcntl(fd, F_ADD_SEALS, seals), 0);
  }
  return fd;
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  DIR* directory = opendir("/proc/self/fd");
  while (readdir(directory) != nullptr) count++;
  closedir(directory);
  return count;
}

class HostileFrame : public testing::Test {
 protected:
  // What receiving says of this packet; nothing may stay open.
  std::string verdict(const std::string& bytes, const std::vector<int>& fds = {}) {
    EXPECT_TRUE(send_packet(pair_.here(), bytes, fds));
    const std::size_t before = open_descriptors();
    Incoming frame;
    const ReceiveResult result = receiver_.receive(pair_.there(), frame, true);
    EXPECT_EQ(open_descriptors(), before);
    EXPECT_EQ(result, ReceiveResult::kInvalid);
    return result == ReceiveResult::kInvalid ? receiver_.error() : "accepted";
  }

  SocketPair pair_;
  Receiver receiver_;
};

TEST_F(HostileFrame, WithoutAByteIsNoEndOfTheLink) { EXPECT_EQ(verdict(""), "a packet without a byte"); }

TEST_F(HostileFrame, ShorterThanAHeaderIsRefused) {
  const std::string whole = packet(header(0, 0));
  for (std::size_t size = 1; size < whole.size(); size++) {
    EXPECT_EQ(verdict(whole.substr(0, size)), "a packet is shorter than a header");
  }
}

TEST_F(HostileFrame, WithAnotherMagicNumberIsRefused) {
  Header wrong = header(0, 0);
  wrong.magic++;
  EXPECT_EQ(verdict(packet(wrong)), "a packet does not start with the magic number");
}

TEST_F(HostileFrame, WithUnknownFlagsIsRefused) {
  EXPECT_EQ(verdict(packet(header(0, 0, 2))), "a header has unknown flags");
}

TEST_F(HostileFrame, WhoseLengthIsNotAsAnnouncedIsRefused) {
  for (const auto& [json, raw, body] :
       {std::array<std::size_t, 3>{1, 1, 1}, {1, 1, 3}, {0, 0, 1}, {5, 0, 0}, {0, 5, 0}}) {
    EXPECT_EQ(verdict(packet(header(json, raw), std::string(body, 'x'))), "a packet is not as long as its header says");
  }
}

TEST_F(HostileFrame, WithHugeLengthsIsRefusedBeforeTheyAreAdded) {
  EXPECT_EQ(verdict(packet(header(kMaxJson + 1, 0))), "the json part is over its limit");
  EXPECT_EQ(verdict(packet(header(0, kMaxRaw + 1))), "the raw part is over its limit");
  EXPECT_EQ(verdict(packet(header(1, SIZE_MAX), "")), "the raw part is over its limit");
}

TEST_F(HostileFrame, LongerThanAPacketMayBeIsRefused) {
  EXPECT_EQ(verdict(packet(header(0, kInlineLimit), std::string(kInlineLimit + 1, 'x'))),
            "a packet is longer than a frame may be");
}

TEST_F(HostileFrame, WithTooManyDescriptorsIsRefused) {
  EXPECT_EQ(verdict(packet(header(0, 0)), std::vector<int>(7, 0)),
            "a packet carries more descriptors than a frame may");
  EXPECT_EQ(verdict(packet(header(0, 0)), std::vector<int>(200, 0)),
            "a packet carries more descriptors than a frame may");
}

TEST_F(HostileFrame, ThatAnnouncesAMemfdAndBringsNoneIsRefused) {
  EXPECT_EQ(verdict(packet(header(0, 5, 1))), "a packet announces a memfd and carries none");
}

TEST_F(HostileFrame, ThatBringsAMemfdAndBytesIsRefused) {
  const int fd = memfd(5, kAllSeals);
  EXPECT_EQ(verdict(packet(header(0, 5, 1), "12345"), {fd}), "a packet with a memfd carries bytes as well");
  close(fd);
}

TEST_F(HostileFrame, WithAnEmptyMemfdIsRefused) {
  const int fd = memfd(0, kAllSeals);
  EXPECT_EQ(verdict(packet(header(0, 0, 1)), {fd}), "a packet carries an empty memfd");
  close(fd);
}

TEST_F(HostileFrame, WhoseMemfdLacksAnySealIsRefused) {
  for (const int missing : {F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE}) {
    const int fd = memfd(100'000, kAllSeals & ~missing);
    EXPECT_EQ(verdict(packet(header(0, 100'000, 1)), {fd}),
              "the memfd of a large body is not sealed, so it could change");
    close(fd);
  }
}

TEST_F(HostileFrame, WhoseMemfdHasAnotherSizeIsRefused) {
  for (const std::size_t size : {99'999u, 100'001u, 1u}) {
    const int fd = memfd(size, kAllSeals);
    EXPECT_EQ(verdict(packet(header(0, 100'000, 1)), {fd}),
              "the memfd of a large body has another size than the header says");
    close(fd);
  }
}

TEST_F(HostileFrame, WhoseBodyIsAnotherKindOfDescriptorIsRefused) {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  const int file = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  EXPECT_EQ(ftruncate(file, 100'000), 0);
  for (const int fd : {null, file, pair_.here()}) {
    const std::string words = verdict(packet(header(0, 100'000, 1)), {fd});
    EXPECT_TRUE(words == "a large body did not come as a memfd" ||
                words == "the memfd of a large body is not sealed, so it could change")
        << words;
  }
  close(null);
  close(file);
}

TEST_F(HostileFrame, LeavesTheLinkUsable) {
  EXPECT_NE(verdict("garbage"), "");
  Outgoing good;
  good.kind = Kind::kHeartbeat;
  ASSERT_EQ(send(pair_.here(), good, true), SendResult::kSent);
  Incoming frame;
  EXPECT_EQ(receiver_.receive(pair_.there(), frame, true), ReceiveResult::kFrame);
}

// Headers that are nearly right, with bodies, descriptors and memfds of every kind: each is a frame or is refused, and
// what is taken for a frame has the sizes it was checked for.
TEST_F(HostileFrame, OfRandomContentNeverDoesHarm) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto upto = [&random](std::size_t most) { return std::uniform_int_distribution<std::size_t>(0, most)(random); };
  const std::size_t before = open_descriptors();
  int frames = 0;
  for (int i = 0; i < 20'000; i++) {
    Header h = header(upto(40), upto(40), static_cast<std::uint16_t>(upto(1)));
    std::string body(upto(3) == 0 ? upto(80) : h.json_size + h.raw_size, 'x');
    if (upto(7) == 0) {
      auto* bytes = reinterpret_cast<unsigned char*>(&h);
      bytes[upto(sizeof h - 1)] = static_cast<unsigned char>(upto(255));
    }
    std::vector<int> fds;
    if ((h.flags & 1) != 0 && upto(3) != 0) {
      body.clear();
      fds.push_back(memfd(upto(3) == 0 ? upto(80) : h.json_size + h.raw_size % 100, upto(3) == 0 ? 0 : kAllSeals));
    }
    std::string bytes = packet(h, body);
    if (upto(15) == 0) bytes.resize(upto(bytes.size()));
    ASSERT_TRUE(send_packet(pair_.here(), bytes, fds));
    for (const int fd : fds) close(fd);
    Incoming frame;
    const ReceiveResult result = receiver_.receive(pair_.there(), frame, false);
    ASSERT_TRUE(result == ReceiveResult::kFrame || result == ReceiveResult::kInvalid);
    if (result == ReceiveResult::kInvalid) {
      ASSERT_NE(receiver_.error(), "");
      continue;
    }
    frames++;
    ASSERT_EQ(frame.json.size(), h.json_size);
    ASSERT_EQ(frame.raw.size(), h.raw_size);
    for (const char c : frame.raw) ASSERT_TRUE(c == 'x' || c == '\0');
  }
  EXPECT_GT(frames, 1000);
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace perdure::protocol
