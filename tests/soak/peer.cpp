#include "tests/soak/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace perdure::soak {
namespace {

int left(Clock::time_point until) {
  const auto rest = std::chrono::ceil<milliseconds>(until - Clock::now());
  return static_cast<int>(std::max(rest, milliseconds(0)).count());
}

}  // namespace

Peer::Peer(std::uint16_t port, bool small_buffer) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const int small = 4096;
  if (small_buffer) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

Peer::~Peer() { ::close(socket_); }

bool Peer::send(std::string_view bytes, milliseconds patience) {
  const Clock::time_point until = Clock::now() + patience;
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno != EAGAIN) return false;
    pollfd writable{socket_, POLLOUT, 0};
    if (::poll(&writable, 1, left(until)) != 1) return false;
  }
  return true;
}

void Peer::half_close() const { ::shutdown(socket_, SHUT_WR); }

bool Peer::receive(Clock::time_point until) {
  pollfd readable{socket_, POLLIN, 0};
  if (::poll(&readable, 1, left(until)) != 1) return false;
  char buffer[16384];
  const ssize_t got = ::recv(socket_, buffer, sizeof buffer, 0);
  if (got > 0) received_.append(buffer, static_cast<std::size_t>(got));
  return got > 0;
}

int Peer::read(milliseconds patience) {
  const Clock::time_point until = Clock::now() + patience;
  std::size_t head = 0;
  while ((head = received_.find("\r\n\r\n")) == std::string::npos) {
    if (!receive(until)) return 0;
  }
  constexpr std::string_view kLength = "\r\ncontent-length: ";
  const std::size_t at = received_.find(kLength);
  const std::size_t size = at < head ? std::strtoul(received_.c_str() + at + kLength.size(), nullptr, 10) : 0;
  while (received_.size() < head + 4 + size) {
    if (!receive(until)) return 0;
  }
  const int status = std::atoi(received_.c_str() + received_.find(' ') + 1);
  body_ = received_.substr(head + 4, size);
  received_.erase(0, head + 4 + size);
  return status;
}

int Peer::look(milliseconds patience) const {
  char line[12] = {};
  if (!readable(patience) || ::recv(socket_, line, sizeof line, MSG_PEEK) != sizeof line) return 0;
  return std::atoi(std::string(line, sizeof line).c_str() + 9);
}

void Peer::take_byte() const {
  char byte = 0;
  (void)::recv(socket_, &byte, 1, MSG_DONTWAIT);
}

bool Peer::readable(milliseconds within) const {
  pollfd readable{socket_, POLLIN, 0};
  return ::poll(&readable, 1, static_cast<int>(within.count())) == 1;
}

bool Peer::ends(milliseconds within) {
  const Clock::time_point until = Clock::now() + within;
  while (receive(until)) received_.clear();
  return received_.empty() && Clock::now() < until;
}

bool Peer::is_reset(milliseconds within) const {
  pollfd nothing{socket_, 0, 0};
  return ::poll(&nothing, 1, static_cast<int>(within.count())) == 1 && (nothing.revents & (POLLERR | POLLHUP)) != 0;
}

}  // namespace perdure::soak
