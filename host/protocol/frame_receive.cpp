// Receiving a frame from a peer that may be hostile: nothing is believed that has not been checked, and every
// descriptor that came along is either handed over or closed.
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "host/protocol/frame.h"

namespace perdure::protocol {
namespace {

constexpr std::size_t kMaxFds = kMaxDescriptors;
constexpr std::size_t kSmallPacket = 2048;
constexpr std::uint16_t kFlagMemfd = 1;
constexpr int kNeededSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;

// The descriptors of one packet; closes what is not taken.
struct Fds {
  int fd[kMaxFds + 1];
  std::size_t count = 0;
  ~Fds() {
    for (std::size_t i = 0; i < count; i++) close(fd[i]);
  }
};

void take_fds(msghdr& message, Fds& fds) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; i++) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
      if (fds.count < std::size(fds.fd)) {
        fds.fd[fds.count++] = fd;
      } else {
        close(fd);
      }
    }
  }
}

// A packet without bytes looks like the end of the link; only a link whose peer is gone hangs up.
bool hung_up(int socket) {
  pollfd state{socket, POLLRDHUP, 0};
  return poll(&state, 1, 0) < 0 || (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

// Why `fd` may not be mapped as a body of `size` bytes; null when it may.
const char* body_fault(int fd, std::size_t size) {
  const int seals = fcntl(fd, F_GET_SEALS);
  if (seals < 0) return "a large body did not come as a memfd";
  if ((seals & kNeededSeals) != kNeededSeals) return "the memfd of a large body is not sealed, so it could change";
  struct statfs system {};
  if (fstatfs(fd, &system) != 0 || system.f_type != TMPFS_MAGIC) return "a large body did not come as a plain memfd";
  struct stat file {};
  if (fstat(fd, &file) != 0 || static_cast<std::size_t>(file.st_size) != size) {
    return "the memfd of a large body has another size than the header says";
  }
  return nullptr;
}

// Why this header cannot be one of a packet with `inline_bytes` after it and `fds` beside it; null when it can.
const char* header_fault(const Header& header, std::size_t inline_bytes, std::size_t fds) {
  if (header.magic != kMagic) return "a packet does not start with the magic number";
  if ((header.flags & ~kFlagMemfd) != 0) return "a header has unknown flags";
  if (header.json_size > kMaxJson) return "the json part is over its limit";
  if (header.raw_size > kMaxRaw) return "the raw part is over its limit";
  const std::size_t body = header.json_size + header.raw_size;
  if ((header.flags & kFlagMemfd) != 0) {
    if (inline_bytes != 0) return "a packet with a memfd carries bytes as well";
    if (fds == 0) return "a packet announces a memfd and carries none";
    if (body == 0) return "a packet carries an empty memfd";
    return nullptr;
  }
  if (body != inline_bytes) return "a packet is not as long as its header says";
  if (fds > kMaxFds) return "a packet carries more descriptors than a frame may";
  return nullptr;
}

}  // namespace

Incoming::Incoming(Incoming&& other) noexcept { *this = std::move(other); }

Incoming& Incoming::operator=(Incoming&& other) noexcept {
  if (this == &other) return *this;
  clear();
  kind = other.kind;
  arg = other.arg;
  id = other.id;
  const std::size_t json_size = other.json.size();
  const std::size_t raw_size = other.raw.size();
  fds = std::move(other.fds);
  bytes_ = std::move(other.bytes_);
  mapping_ = std::exchange(other.mapping_, nullptr);
  mapping_size_ = std::exchange(other.mapping_size_, 0);
  point(json_size, raw_size);
  other.clear();
  return *this;
}

Incoming::~Incoming() { clear(); }

int Incoming::release_fd(std::size_t index) { return index < fds.size() ? std::exchange(fds[index], -1) : -1; }

void Incoming::clear() {
  for (const int fd : fds) {
    if (fd >= 0) close(fd);
  }
  fds.clear();
  if (mapping_ != nullptr) munmap(mapping_, mapping_size_);
  mapping_ = nullptr;
  mapping_size_ = 0;
  bytes_.clear();
  json = raw = {};
}

void Incoming::point(std::size_t json_size, std::size_t raw_size) {
  const char* body = mapping_ != nullptr ? static_cast<const char*>(mapping_) : bytes_.data();
  json = {body, json_size};
  raw = {body + json_size, raw_size};
}

void Receiver::reserve() {
  if (!buffer_) buffer_ = std::make_unique_for_overwrite<char[]>(kInlineLimit - kSmallPacket);
}

ReceiveResult Receiver::receive(int socket, Incoming& out, bool wait) {
  try {
    return receive_or_throw(socket, out, wait);
  } catch (const std::bad_alloc&) {
    error_.clear();  // saying more would need memory
    errno = ENOMEM;
    return ReceiveResult::kFailed;
  }
}

ReceiveResult Receiver::receive_or_throw(int socket, Incoming& out, bool wait) {
  out.clear();
  reserve();
  const auto invalid = [this](const char* why) {
    error_ = why;
    return ReceiveResult::kInvalid;
  };

  // Most packets fit into what is on the stack anyway; the large buffer is touched by the others only, which a forked
  // child that never receives one notices: it is one page less to copy.
  Header header;
  char small[kSmallPacket];
  iovec parts[3] = {{&header, sizeof header}, {small, sizeof small}, {buffer_.get(), kInlineLimit - sizeof small}};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * (kMaxFds + 1))];
  msghdr message{};
  ssize_t got = 0;
  for (;;) {
    message = {};
    message.msg_iov = parts;
    message.msg_iovlen = 3;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
    if (got >= 0) break;
    if (errno == EINTR) continue;
    if (errno == ECONNRESET) return ReceiveResult::kPeerGone;
    if (errno != EAGAIN) return ReceiveResult::kFailed;
    if (!wait) return ReceiveResult::kWouldBlock;
    pollfd readable{socket, POLLIN, 0};
    (void)poll(&readable, 1, -1);
  }
  Fds fds;
  take_fds(message, fds);
  if (got == 0) return hung_up(socket) ? ReceiveResult::kPeerGone : invalid("a packet without a byte");
  const auto size = static_cast<std::size_t>(got);
  if ((message.msg_flags & MSG_TRUNC) != 0) return invalid("a packet is longer than a frame may be");
  if ((message.msg_flags & MSG_CTRUNC) != 0) return invalid("a packet carries more descriptors than a frame may");
  if (size < sizeof header) return invalid("a packet is shorter than a header");
  if (const char* fault = header_fault(header, size - sizeof header, fds.count)) return invalid(fault);

  const std::size_t body = header.json_size + header.raw_size;
  if ((header.flags & kFlagMemfd) != 0) {
    const int fd = fds.fd[fds.count - 1];
    if (const char* fault = body_fault(fd, body)) return invalid(fault);
    void* mapping = mmap(nullptr, body, PROT_READ, MAP_PRIVATE, fd, 0);
    if (mapping == MAP_FAILED) return ReceiveResult::kFailed;
    out.mapping_ = mapping;
    out.mapping_size_ = body;
    close(fd);
    fds.count--;
  } else {
    out.bytes_.reserve(body);
    out.bytes_.assign(small, std::min(body, sizeof small));
    if (body > sizeof small) out.bytes_.append(buffer_.get(), body - sizeof small);
  }
  out.kind = static_cast<Kind>(header.kind);
  out.arg = header.arg;
  out.id = header.id;
  out.point(header.json_size, header.raw_size);
  out.fds.assign(fds.fd, fds.fd + fds.count);
  fds.count = 0;
  return ReceiveResult::kFrame;
}

}  // namespace perdure::protocol
