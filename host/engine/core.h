// The core thread as the engine sees it: the time, a place to run things one after the other, and timers. Real
// (asio_core.h) in the host, simulated in tests.
//
// Time. The wall clock may be set at any moment. now() does not notice by itself: whoever asked to hear of it is
// called, and lets now() follow by adopt_clock(), so that all that goes by now() changes at one moment of the core
// thread's.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "store/model/clock_stand.h"
#include "store/model/ids.h"

namespace perdure::engine {

/// One alarm, set again and again. Core thread only. Destroying it ends it.
class Timer {
 public:
  virtual ~Timer() = default;
  /// Calls the timer's function on the core thread once now() reaches `when`, also when the clock is set meanwhile;
  /// replaces what was set. nullopt: never.
  virtual void set(std::optional<store::Time> when) = 0;
  /// The same after this long, whatever the clock is set to.
  virtual void after(store::Duration duration) = 0;
};

class Core {
 public:
  virtual ~Core() = default;
  /// The wall clock, as last adopted. Any thread.
  [[nodiscard]] virtual store::Time now() const = 0;
  /// How that stands. Core thread only.
  [[nodiscard]] virtual store::ClockStand clock() const = 0;
  /// Calls `was_set` on the core thread whenever the wall clock was set, until it is replaced; an empty one is not
  /// called, and now() follows at once. Core thread only.
  virtual void on_clock_set(std::function<void()> was_set) = 0;
  /// Lets now(), clock() and the timers go by the wall clock as it is. Core thread only.
  virtual void adopt_clock() = 0;
  /// Runs `work` on the core thread: at once when called there, else soon and in order. Any thread.
  virtual void run(std::function<void()> work) = 0;
  /// Runs `work` on the core thread, after the caller's. Any thread.
  virtual void post(std::function<void()> work) = 0;
  /// A timer that calls `fire`. Core thread only; the timer must not outlive the core.
  virtual std::unique_ptr<Timer> timer(std::function<void()> fire) = 0;
};

}  // namespace perdure::engine
