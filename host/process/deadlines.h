// Every timer of the supervisor behind one Asio timer: arming and clearing one costs a tree insertion, no system call.
// Core thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <utility>

namespace perdure::process {

using Instant = std::chrono::steady_clock::time_point;

class Deadlines;

/// Something with at most one deadline.
class Timed {
 public:
  Timed() = default;
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;
  virtual ~Timed();
  /// The deadline has passed; it is cleared.
  virtual void on_deadline(Instant now) = 0;

 private:
  friend class Deadlines;
  Deadlines* deadlines_ = nullptr;
  std::optional<Instant> due_;
};

class Deadlines {
 public:
  explicit Deadlines(boost::asio::io_context& io) : timer_(io) {}
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;
  ~Deadlines();

  /// Replaces the deadline of `timed`.
  void set(Timed& timed, Instant due);
  void clear(Timed& timed);

 private:
  void arm();
  void fire();

  boost::asio::steady_timer timer_;
  std::optional<Instant> armed_;
  std::set<std::pair<Instant, Timed*>> pending_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace perdure::process
