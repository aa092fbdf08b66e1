// Many descriptors watched through one, level-triggered. The set's own descriptor is readable while any of its members
// is ready, so it can be put into another event loop. Closing a member takes it out only once no other process holds a
// copy of it, so remove it before. One thread.
#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <span>

#include "host/os/unique_fd.h"

namespace perdure::os {

class EpollSet {
 public:
  /// fd() is -1 with errno set when the system has no more.
  EpollSet();

  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Watches `fd` for `events` (EPOLLIN, EPOLLOUT); `data` comes back with them.
  [[nodiscard]] bool add(int fd, std::uint32_t events, std::uint64_t data);
  void change(int fd, std::uint32_t events, std::uint64_t data);
  void remove(int fd);
  /// What is ready now, at most as much as fits into `events`. Does not wait.
  [[nodiscard]] std::span<const epoll_event> ready(std::span<epoll_event> events) const;

 private:
  UniqueFd fd_;
};

}  // namespace perdure::os
