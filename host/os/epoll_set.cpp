#include "host/os/epoll_set.h"

namespace perdure::os {
namespace {

epoll_event event_of(std::uint32_t events, std::uint64_t data) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = data;
  return event;
}

}  // namespace

EpollSet::EpollSet() : fd_(epoll_create1(EPOLL_CLOEXEC)) {}

bool EpollSet::add(int fd, std::uint32_t events, std::uint64_t data) {
  epoll_event event = event_of(events, data);
  return epoll_ctl(fd_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void EpollSet::change(int fd, std::uint32_t events, std::uint64_t data) {
  epoll_event event = event_of(events, data);
  (void)epoll_ctl(fd_.get(), EPOLL_CTL_MOD, fd, &event);
}

void EpollSet::remove(int fd) { (void)epoll_ctl(fd_.get(), EPOLL_CTL_DEL, fd, nullptr); }

std::span<const epoll_event> EpollSet::ready(std::span<epoll_event> events) const {
  const int count = epoll_wait(fd_.get(), events.data(), static_cast<int>(events.size()), 0);
  return events.first(count > 0 ? static_cast<std::size_t>(count) : 0);
}

}  // namespace perdure::os
