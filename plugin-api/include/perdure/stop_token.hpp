// Whether an attempt should stop: the run was cancelled, its time is over, or the host is gone. Any thread, until the
// task function returns.
#pragma once

#include <perdure/plugin.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace perdure {

class StopToken {
 public:
  explicit StopToken(const perdure_attempt* attempt) noexcept : attempt_(attempt) {}

  /// Cheap enough for an inner loop: no system call.
  bool stop_requested() const noexcept { return attempt_->services->is_cancelled(attempt_) != PERDURE_OK; }

  /// A descriptor that polls readable once a stop is requested, for use beside others; -1 when the host has none. Only
  /// poll it, never read or close it.
  int descriptor() const noexcept {
    std::int32_t fd = -1;
    return attempt_->services->cancel_fd(attempt_, &fd) == PERDURE_OK ? fd : -1;
  }

  /// Sleeps for `duration`, or until a stop is requested: then true.
  bool wait_for(std::chrono::milliseconds duration) const noexcept {
    using Clock = std::chrono::steady_clock;
    constexpr std::chrono::milliseconds kLook{20};       // between two looks where there is nothing to poll
    constexpr std::chrono::milliseconds kLong{3600000};  // what one poll() is asked for at most
    constexpr std::chrono::milliseconds kEver{std::chrono::hours(24 * 365 * 100)};
    const auto start = Clock::now();
    duration = std::min(duration, kEver);
    pollfd stop{descriptor(), POLLIN, 0};
    while (!stop_requested()) {
      const auto left = duration - (Clock::now() - start);
      if (left <= Clock::duration::zero()) return false;
      const auto most = std::min(std::chrono::ceil<std::chrono::milliseconds>(left), stop.fd < 0 ? kLook : kLong);
      if (::poll(&stop, stop.fd < 0 ? 0 : 1, static_cast<int>(most.count())) > 0 && !stop_requested()) stop.fd = -1;
    }
    return true;
  }

 private:
  const perdure_attempt* attempt_;
};

}  // namespace perdure
