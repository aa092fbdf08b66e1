#include "tests/client/door.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace perdure::test {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

// False at the end of either side.
bool pump(int from, int to) {
  char buffer[16384];
  const ssize_t got = ::read(from, buffer, sizeof buffer);
  for (ssize_t sent = 0; sent < got;) {
    const ssize_t n = ::send(to, buffer + sent, static_cast<std::size_t>(got - sent), MSG_NOSIGNAL);
    if (n <= 0) return false;
    sent += n;
  }
  return got > 0;
}

}  // namespace

Door::Door(const std::string& url)
    : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), over_(::eventfd(0, EFD_CLOEXEC)) {
  lead_to(url);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size), 0);
  EXPECT_EQ(::listen(listener_, 64), 0);
  EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
  port_ = ntohs(address.sin_port);
  serving_ = std::thread([this] { serve(); });
}

Door::~Door() {
  const std::uint64_t one = 1;
  EXPECT_EQ(::write(over_, &one, sizeof one), static_cast<ssize_t>(sizeof one));
  serving_.join();
  for (std::thread& each : passing_) each.join();
  ::close(listener_);
  ::close(over_);
}

void Door::lead_to(const std::string& url) {
  behind_ = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
}

void Door::serve() {
  for (;;) {
    pollfd polled[] = {{over_, POLLIN, 0}, {listener_, POLLIN, 0}};
    ::poll(polled, 2, -1);
    if (polled[0].revents != 0) return;
    const int outside = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (outside >= 0) passing_.emplace_back([this, outside] { pass(outside); });
  }
}

void Door::pass(int outside) const {
  const int inside = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(behind_);
  bool open = ::connect(inside, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  while (open) {
    pollfd polled[] = {{over_, POLLIN, 0}, {outside, POLLIN, 0}, {inside, POLLIN, 0}};
    ::poll(polled, 3, -1);
    open = polled[0].revents == 0;
    if (open && polled[1].revents != 0) open = pump(outside, inside);
    if (open && polled[2].revents != 0) open = pump(inside, outside);
  }
  ::close(inside);
  ::close(outside);
}

}  // namespace perdure::test
