// What the bare zygote and its host say to each other, over a seqpacket socket:
//   host -> zygote   a run's number with the attempt's end of a socketpair attached; or nothing attached: fork a spare
//   zygote -> host   an Event; with the host's end of a spare's socketpair attached when one is ready
//   host <-> attempt the payload, the result
// Single-threaded on both sides.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cstdint>
#include <cstring>

namespace perdure::bench {

enum class EventKind : std::uint32_t { kExited, kSpareReady };
struct Event {
  std::uint32_t id;
  std::int32_t pid;
  std::int32_t status;
  EventKind kind;
};
constexpr std::size_t kMessageSize = 4096;

/// One message, with a descriptor attached when fd >= 0. False: not sent.
inline bool send_with(int to, const void* data, std::size_t size, int fd) {
  iovec part{const_cast<void*>(data), size};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (fd >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  }
  return sendmsg(to, &message, MSG_NOSIGNAL) >= 0;
}

/// One waiting message and the descriptor attached, else -1 in *fd. As recvmsg: 0 at the end, -1 when none waits.
inline ssize_t receive_with(int from, void* data, std::size_t size, int* fd) {
  iovec part{data, size};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  *fd = -1;
  const ssize_t got = recvmsg(from, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (got > 0) {
    if (const cmsghdr* header = CMSG_FIRSTHDR(&message)) std::memcpy(fd, CMSG_DATA(header), sizeof(int));
  }
  return got;
}

}  // namespace perdure::bench
