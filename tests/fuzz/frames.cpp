// Target: frames between host, zygote and attempt, and the roster. Input: a letter (a packet, a frame that is sent, a
// roster), then of a packet how its body comes, a header and the body; of a frame its parts; of a roster its memory.
#include "host/protocol/frame.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "host/os/unique_fd.h"
#include "host/protocol/roster.h"
#include "tests/fuzz/claim.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/targets.h"

namespace perdure::fuzz {
namespace {

using os::UniqueFd;
using protocol::Incoming;
using protocol::ReceiveResult;

// Two ends of a link, which is left as it was found: empty.
class Link {
 public:
  Link() {
    int ends[2];
    claim(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0, "there is a socket pair");
    peer_ = ends[0];
    own_ = ends[1];
  }
  ~Link() {
    close(peer_);
    close(own_);
  }
  [[nodiscard]] int peer() const { return peer_; }
  [[nodiscard]] int own() const { return own_; }

 private:
  int peer_ = -1, own_ = -1;
};

int lowest_free_descriptor() {
  const int fd = dup(STDERR_FILENO);
  close(fd);
  return fd;
}

UniqueFd memory_with(std::string_view bytes, std::size_t size, int seals) {
  UniqueFd fd(memfd_create("fuzzed", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  claim(fd && ftruncate(fd.get(), static_cast<off_t>(size)) == 0, "there is memory");
  claim(pwrite(fd.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()), "it can be written");
  if (seals != 0) (void)fcntl(fd.get(), F_ADD_SEALS, seals);
  return fd;
}

// How a hostile peer sends: whatever bytes, beside whatever descriptors.
bool send_packet(int socket, std::string_view bytes, const int* fds, std::size_t count) {
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * 16)> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (count > 0) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
    cmsghdr* const head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int) * count);
    std::memcpy(CMSG_DATA(head), fds, sizeof(int) * count);
  }
  return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

void claim_frame(const Incoming& frame) {
  claim(frame.json.size() <= protocol::kMaxJson && frame.raw.size() <= protocol::kMaxRaw, "a frame keeps its limits");
  claim(frame.fds.size() <= static_cast<std::size_t>(protocol::kMaxDescriptors), "a frame has few descriptors");
  unsigned sum = 0;  // every byte of it is there
  for (const char c : frame.json) sum += static_cast<unsigned char>(c);
  for (const char c : frame.raw) sum += static_cast<unsigned char>(c);
  claim(sum <= 255u * (frame.json.size() + frame.raw.size()), "the bytes of a frame are there");
}

void try_packet(Input input) {
  static const Link link;
  static protocol::Receiver receiver;
  const int before = lowest_free_descriptor();
  const std::uint8_t how = input.byte();
  const std::size_t extra = input.byte() % 10;
  std::string packet(input.rest());
  if ((how & 1) != 0 && packet.size() >= sizeof(protocol::Header)) {  // a header that is right, about the rest
    protocol::Header header{};
    std::memcpy(&header, packet.data(), sizeof header);
    const std::size_t body = packet.size() - sizeof header;
    header.magic = protocol::kMagic;
    header.flags = (how & 2) != 0 ? 1 : 0;
    header.json_size = static_cast<std::uint32_t>(std::min<std::size_t>(header.json_size, body));
    header.raw_size = body - header.json_size;
    std::memcpy(packet.data(), &header, sizeof header);
  }
  {
    UniqueFd memory;
    std::array<int, 12> fds{};
    std::size_t count = 0;
    for (; count < extra; ++count) fds[count] = STDERR_FILENO;
    if ((how & 2) != 0 && packet.size() >= sizeof(protocol::Header)) {
      const std::string_view body = std::string_view(packet).substr(sizeof(protocol::Header));
      const int seals = (how & 4) != 0 ? F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL : (how >> 4) & 0xf;
      memory = memory_with(body, body.size() + ((how & 8) != 0 ? 1 : 0), seals);
      fds[count++] = memory.get();
      packet.resize(sizeof(protocol::Header));
    }
    if (!send_packet(link.peer(), packet, fds.data(), count)) return;
  }
  {
    Incoming frame;
    const ReceiveResult result = receiver.receive(link.own(), frame, false);
    claim(result == ReceiveResult::kFrame || result == ReceiveResult::kInvalid, "a packet is a frame or is none");
    if (result == ReceiveResult::kFrame) {
      claim_frame(frame);
      const Incoming moved = std::move(frame);
      claim_frame(moved);
    } else {
      claim(!receiver.error().empty(), "what is no frame is refused in words");
      claim(frame.fds.empty(), "what is no frame hands no descriptor over");
    }
    claim(receiver.receive(link.own(), frame, false) == ReceiveResult::kWouldBlock, "one packet is one frame at most");
  }
  claim(lowest_free_descriptor() == before, "no descriptor is left open");
}

void try_frame(Input input) {
  static const Link link;
  static protocol::Receiver receiver;
  protocol::Outgoing sent;
  sent.kind = static_cast<protocol::Kind>(input.u64());
  sent.arg = static_cast<std::uint32_t>(input.u64());
  sent.id = input.u64();
  const std::size_t repeats = input.byte() == 'L' ? 20'000 : 1;  // beyond what fits into a packet
  std::string body;
  for (std::size_t i = 0; i < repeats && body.size() < 200'000; ++i) body += input.rest();
  sent.json = std::string_view(body).substr(0, body.size() / 3);
  sent.raw = std::string_view(body).substr(sent.json.size());
  claim(protocol::send(link.peer(), sent, false) == protocol::SendResult::kSent, "a frame can be sent");
  Incoming got;
  claim(receiver.receive(link.own(), got, false) == ReceiveResult::kFrame, "a frame that is sent arrives");
  claim(got.kind == sent.kind && got.arg == sent.arg && got.id == sent.id, "a frame's numbers arrive");
  claim(got.json == sent.json && got.raw == sent.raw && got.fds.empty(), "a frame's parts arrive");
}

void try_roster(Input input) {
  static const std::size_t size = [] {  // of a roster's memory
    const std::optional<protocol::Roster> roster = protocol::Roster::make();
    claim(roster.has_value(), "there is a roster");
    return static_cast<std::size_t>(lseek(roster->descriptor(), 0, SEEK_END));
  }();
  std::uint64_t used = 0;  // how many entries it says there are, behind its magic number
  if (input.rest().size() >= 16) std::memcpy(&used, input.rest().data() + 8, sizeof used);
  if (used > 512 && used <= protocol::Roster::kMostEntries) return;  // entries of zeros, which take long to read
  const int before = lowest_free_descriptor();
  {
    UniqueFd memory = memory_with(input.rest().substr(0, 1 << 16), size, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    std::optional<protocol::Roster> roster = protocol::Roster::open(memory.release());
    if (!roster) return;
    std::uint64_t last = 0;
    const auto entries = roster->entries();
    for (const protocol::Roster::Found& found : entries) {
      claim(found.entry.child != 0 && found.entry.child >= last, "entries come by child");
      claim(std::strlen(found.entry.run) < sizeof found.entry.run, "a run's id ends");
      claim(std::strlen(found.entry.token) < sizeof found.entry.token, "a token ends");
      last = found.entry.child;
    }
    const std::uint32_t place = roster->enter(UINT64_MAX, 1, "run_0", 2, "token");
    if (place != protocol::Roster::kNone) {
      claim(roster->entries().size() == entries.size() + 1, "an entry is there once it is made");
      roster->remove(place);
    }
    claim(roster->entries().size() == entries.size(), "an entry is gone once it is removed");
  }
  claim(lowest_free_descriptor() == before, "no descriptor is left open");
}

}  // namespace

void frames(std::string_view bytes) {
  Input input(bytes);
  switch (input.letter(3)) {
    case 0:
      return try_packet(input);
    case 1:
      return try_frame(input);
    default:
      return try_roster(input);
  }
}

}  // namespace perdure::fuzz
