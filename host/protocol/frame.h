// One message between host, zygote and attempt, and its transport: a SOCK_SEQPACKET packet, which arrives whole or not
// at all. A frame whose json and raw exceed kInlineLimit travels as a sealed memfd beside a header-only packet.
// Whatever arrives is hostile: receive() checks every length, the seals and the padding, and never throws.
// Not thread-safe per link unless said so; send() of one whole frame is atomic, so several threads may send on one
// socket.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/protocol/message.h"

namespace perdure::protocol {

/// Wire header, 32 bytes, host byte order, followed by json then raw. With flag bit 0 nothing follows it, and the last
/// descriptor beside the packet is the memfd that holds them.
struct Header {
  std::uint32_t magic;  // kMagic
  std::uint16_t kind;   // Kind
  std::uint16_t flags;  // bit 0: the body is in the memfd beside it
  std::uint32_t arg;
  std::uint32_t json_size;
  std::uint64_t id;
  std::uint64_t raw_size;
};
static_assert(sizeof(Header) == 32);
inline constexpr std::uint32_t kMagic = 0x31445250;  // "PRD1"

inline constexpr int kMaxDescriptors = 6;

/// A frame to send; borrows everything. `fds` are passed along (duplicated by the kernel; the caller keeps its own).
struct Outgoing {
  Kind kind{};
  std::uint32_t arg = 0;
  std::uint64_t id = 0;
  std::string_view json{};
  std::string_view raw{};
  const int* fds = nullptr;
  int fd_count = 0;  // at most kMaxDescriptors
};

/// A received frame. Owns its bytes and the descriptors in `fds` (closed on destruction unless released).
class Incoming {
 public:
  Incoming() = default;
  Incoming(Incoming&&) noexcept;
  Incoming& operator=(Incoming&&) noexcept;
  ~Incoming();

  Kind kind{};
  std::uint32_t arg = 0;
  std::uint64_t id = 0;
  std::string_view json;  // valid while this object lives and is not moved from
  std::string_view raw;
  std::vector<int> fds;
  /// Takes descriptor `index`; the caller closes it.
  int release_fd(std::size_t index);

 private:
  friend class Receiver;
  void clear();
  void point(std::size_t json_size, std::size_t raw_size);

  std::string bytes_;
  void* mapping_ = nullptr;
  std::size_t mapping_size_ = 0;
};

enum class SendResult : std::uint8_t { kSent, kWouldBlock, kPeerGone, kFailed };
/// Sends one frame. `wait`: block while the peer's buffer is full; else kWouldBlock. Never raises SIGPIPE.
/// Async-signal-safe for frames without json/raw beyond kInlineLimit.
SendResult send(int socket, const Outgoing& frame, bool wait);

enum class ReceiveResult : std::uint8_t { kFrame, kWouldBlock, kPeerGone, kInvalid, kFailed };
/// Receives frames from one socket, reusing one buffer.
class Receiver {
 public:
  /// One frame into `out`. `wait`: block until there is one. On kInvalid, error() says in words what was wrong.
  ReceiveResult receive(int socket, Incoming& out, bool wait);
  /// Allocates the buffer now rather than at the first receive.
  void reserve();
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  ReceiveResult receive_or_throw(int socket, Incoming& out, bool wait);

  std::string error_;
  std::unique_ptr<char[]> buffer_;
};

}  // namespace perdure::protocol
