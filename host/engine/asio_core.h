// The core thread as it is in the host: whatever thread runs the io_context, and the system's clocks. Timers sleep on
// the clock that nobody sets; word of the wall clock being set comes from the kernel, so that nothing looks for it.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <set>

#include "host/engine/core.h"
#include "host/os/clock.h"

namespace perdure::engine {

class AsioTimer;

class AsioCore final : public Core {
 public:
  /// The clocks that it goes by; a test gives it others.
  struct Clocks {
    std::function<store::Duration()> since_boot = os::since_boot;
    std::function<store::Duration()> wall_less_boot = os::wall_less_boot;
  };

  /// `io` is run by one thread and outlives this.
  explicit AsioCore(boost::asio::io_context& io) : AsioCore(io, Clocks{}) {}
  AsioCore(boost::asio::io_context& io, Clocks clocks);
  ~AsioCore() override;

  [[nodiscard]] store::Time now() const override;
  [[nodiscard]] store::ClockStand clock() const override;
  void on_clock_set(std::function<void()> was_set) override { was_set_ = std::move(was_set); }
  void adopt_clock() override;
  void run(std::function<void()> work) override;
  void post(std::function<void()> work) override;
  std::unique_ptr<Timer> timer(std::function<void()> fire) override;

  /// The kernel said that the wall clock was set, or that the machine has slept. Core thread only.
  void clock_was_set();

 private:
  friend class AsioTimer;
  void watch_clock();

  boost::asio::io_context& io_;
  const Clocks clocks_;
  const std::string boot_;
  std::atomic<store::Duration::rep> wall_;  // less the time since boot, as adopted
  os::ClockWatch watch_;
  boost::asio::posix::stream_descriptor watched_;
  std::function<void()> was_set_;
  std::set<AsioTimer*> timers_;
};

}  // namespace perdure::engine
