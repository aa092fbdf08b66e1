// The descriptors of all attempts in one epoll set that is one descriptor to Asio: a wake-up handles a batch, and an
// attempt costs no registration with Asio. Core thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "host/os/epoll_set.h"

namespace perdure::process {

/// Is told that one of its descriptors is ready. Retire it (see below) rather than deleting it.
class alignas(8) Watcher {
 public:
  virtual ~Watcher() = default;
  /// `which` is what add() was given, `events` as epoll(7) says them.
  virtual void on_event(std::uint32_t which, std::uint32_t events) = 0;
};

class DescriptorEvents {
 public:
  /// `before_batch` is called before each batch of events.
  DescriptorEvents(boost::asio::io_context& io, std::function<void()> before_batch);
  ~DescriptorEvents();
  DescriptorEvents(const DescriptorEvents&) = delete;
  DescriptorEvents& operator=(const DescriptorEvents&) = delete;

  /// Tells `watcher` while `fd` is ready (level-triggered) until it is removed. `which` is 0-7. False, with
  /// errno set, when the system refuses.
  [[nodiscard]] bool add(int fd, Watcher& watcher, std::uint32_t which, std::uint32_t events = EPOLLIN);
  void change(int fd, Watcher& watcher, std::uint32_t which, std::uint32_t events);
  /// To be called before a member is closed: a program being started may hold a copy of it for a moment longer, and
  /// the events of that copy would reach a watcher that is gone.
  void remove(int fd);
  /// Destroys `watcher` once no event of the current batch can reach it. Its descriptors must have been removed.
  void retire(std::unique_ptr<Watcher> watcher);

 private:
  void wait();
  void handle_batch();

  boost::asio::io_context& io_;
  std::function<void()> before_batch_;
  os::EpollSet set_;
  boost::asio::posix::stream_descriptor stream_;
  std::vector<std::unique_ptr<Watcher>> retired_;
  bool burying_ = false;  // the retired are about to be destroyed
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace perdure::process
