// The thread that a request lives on, as coroutines see it: where they are resumed, and by what clock. Implemented by
// Worker, which drains what was posted in one go, so that a group commit wakes it once for all its runs.
#pragma once

#include <chrono>
#include <coroutine>
#include <memory>

namespace perdure::api {

using SteadyTime = std::chrono::steady_clock::time_point;
class Signal;

class Executor {
 public:
  virtual ~Executor() = default;
  /// [any thread] Resumes `handle` on the executor's thread, soon. Once the executor has ended, destroys it instead.
  virtual void post(std::coroutine_handle<> handle) = 0;
  /// [its thread] Notifies the signal at `when`, if it still exists.
  virtual void notify_at(SteadyTime when, std::weak_ptr<Signal> signal) = 0;
};

}  // namespace perdure::api
