// Sending a frame: header, json and raw gathered into one packet, or into a sealed memfd that travels beside the
// header. Small frames are sent without allocating, so that a signal handler may send them.
#include <errno.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstring>

#include "host/protocol/frame.h"

#include <fcntl.h>

namespace perdure::protocol {
namespace {

constexpr int kMaxFds = kMaxDescriptors;
constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

// A sealed memfd holding json and raw, or -1 with errno set.
int sealed_body(const Outgoing& frame) {
  const int fd = memfd_create("perdure-frame", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return -1;
  if (write_all(fd, frame.json) && write_all(fd, frame.raw) && fcntl(fd, F_ADD_SEALS, kSeals) == 0) return fd;
  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}

SendResult send_message(int socket, const msghdr& message, bool wait) {
  for (;;) {
    if (sendmsg(socket, &message, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT)) >= 0) return SendResult::kSent;
    switch (errno) {
      case EINTR:
        continue;
      case EAGAIN: {
        if (!wait) return SendResult::kWouldBlock;
        pollfd writable{socket, POLLOUT, 0};  // a non-blocking socket and a caller who waits
        (void)poll(&writable, 1, -1);
        continue;
      }
      case EPIPE:
      case ECONNRESET:
      case ENOTCONN:
        return SendResult::kPeerGone;
      default:
        return SendResult::kFailed;
    }
  }
}

}  // namespace

SendResult send(int socket, const Outgoing& frame, bool wait) {
  if (frame.json.size() > kMaxJson || frame.raw.size() > kMaxRaw || frame.fd_count < 0 || frame.fd_count > kMaxFds) {
    errno = EMSGSIZE;
    return SendResult::kFailed;
  }
  const bool large = frame.json.size() + frame.raw.size() > kInlineLimit;
  Header header{
      kMagic,          static_cast<std::uint16_t>(frame.kind),        static_cast<std::uint16_t>(large ? 1 : 0),
      frame.arg,       static_cast<std::uint32_t>(frame.json.size()), frame.id,
      frame.raw.size()};
  iovec parts[3] = {{&header, sizeof header},
                    {const_cast<char*>(frame.json.data()), frame.json.size()},
                    {const_cast<char*>(frame.raw.data()), frame.raw.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = large ? 1 : 3;

  int fds[kMaxFds + 1];
  int count = frame.fd_count;
  if (count > 0) std::memcpy(fds, frame.fds, sizeof(int) * static_cast<std::size_t>(count));
  int body = -1;
  if (large) {
    body = sealed_body(frame);
    if (body < 0) return SendResult::kFailed;
    fds[count++] = body;  // always the last one
  }
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fds)];
  if (count > 0) {
    const std::size_t size = sizeof(int) * static_cast<std::size_t>(count);
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(size);
    std::memset(control, 0, message.msg_controllen);
    cmsghdr* rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(rights), fds, size);
  }
  const SendResult result = send_message(socket, message, wait);
  if (body >= 0) {
    const int error = errno;
    close(body);
    errno = error;
  }
  return result;
}

}  // namespace perdure::protocol
