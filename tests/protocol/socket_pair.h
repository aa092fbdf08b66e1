// Two ends of a SOCK_SEQPACKET pair, closed at the end of a test.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace perdure::protocol::test {

class SocketPair {
 public:
  SocketPair() {
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends_) != 0) ends_[0] = ends_[1] = -1;
  }
  ~SocketPair() {
    close_here();
    close_there();
  }
  SocketPair(const SocketPair&) = delete;
  SocketPair& operator=(const SocketPair&) = delete;

  int here() const { return ends_[0]; }
  int there() const { return ends_[1]; }
  void close_here() { close_end(ends_[0]); }
  void close_there() { close_end(ends_[1]); }

 private:
  static void close_end(int& end) {
    if (end >= 0) close(std::exchange(end, -1));
  }
  int ends_[2] = {-1, -1};
};

}  // namespace perdure::protocol::test
