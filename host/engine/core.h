// The core thread as the engine sees it: the time, a place to run things one after the other, and timers. Real
// (asio_core.h) in the host, simulated in tests.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "store/model/ids.h"

namespace perdure::engine {

/// One alarm, set again and again. Core thread only. Destroying it ends it.
class Timer {
 public:
  virtual ~Timer() = default;
  /// Calls the timer's function on the core thread once the clock reaches `when`; replaces what was set. nullopt:
  /// never.
  virtual void set(std::optional<store::Time> when) = 0;
};

class Core {
 public:
  virtual ~Core() = default;
  /// The wall clock. Any thread.
  [[nodiscard]] virtual store::Time now() const = 0;
  /// Runs `work` on the core thread: at once when called there, else soon and in order. Any thread.
  virtual void run(std::function<void()> work) = 0;
  /// Runs `work` on the core thread, after the caller's. Any thread.
  virtual void post(std::function<void()> work) = 0;
  /// A timer that calls `fire`. Core thread only; the timer must not outlive the core.
  virtual std::unique_ptr<Timer> timer(std::function<void()> fire) = 0;
};

}  // namespace perdure::engine
