#include "host/process/descriptor_events.h"

#include <array>
#include <boost/asio/post.hpp>
#include <utility>

namespace perdure::process {
namespace {

constexpr std::uintptr_t kWhichMask = 7;

std::uint64_t data_of(Watcher& watcher, std::uint32_t which) {
  return reinterpret_cast<std::uintptr_t>(&watcher) | (which & kWhichMask);
}

}  // namespace

DescriptorEvents::DescriptorEvents(boost::asio::io_context& io, std::function<void()> before_batch)
    : io_(io), before_batch_(std::move(before_batch)), stream_(io, set_.fd()) {
  wait();
}

DescriptorEvents::~DescriptorEvents() { (void)stream_.release(); }

bool DescriptorEvents::add(int fd, Watcher& watcher, std::uint32_t which, std::uint32_t events) {
  return set_.add(fd, events, data_of(watcher, which));
}

void DescriptorEvents::change(int fd, Watcher& watcher, std::uint32_t which, std::uint32_t events) {
  set_.change(fd, events, data_of(watcher, which));
}

void DescriptorEvents::remove(int fd) { set_.remove(fd); }

void DescriptorEvents::retire(std::unique_ptr<Watcher> watcher) {
  retired_.push_back(std::move(watcher));
  if (std::exchange(burying_, true)) return;
  boost::asio::post(io_, [this, alive = std::weak_ptr<bool>(alive_)] {
    if (alive.expired()) return;
    burying_ = false;
    retired_.clear();
  });
}

void DescriptorEvents::wait() {
  stream_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                     [this, alive = std::weak_ptr<bool>(alive_)](const boost::system::error_code& error) {
                       if (error || alive.expired()) return;
                       handle_batch();
                       wait();
                     });
}

void DescriptorEvents::handle_batch() {
  before_batch_();
  std::array<epoll_event, 128> events{};
  for (const epoll_event& event : set_.ready(events)) {
    auto* watcher = reinterpret_cast<Watcher*>(event.data.u64 & ~kWhichMask);
    watcher->on_event(static_cast<std::uint32_t>(event.data.u64 & kWhichMask), event.events);
  }
}

}  // namespace perdure::process
