// What a waiting request is woken by: a change of the run it watches, the end of its time, the loss of its client.
// notify() from any thread; waiting on the executor's thread, by one coroutine.
#pragma once

#include <atomic>
#include <coroutine>
#include <memory>
#include <utility>

#include "host/api/executor.h"

namespace perdure::api {

class Signal : public std::enable_shared_from_this<Signal> {
 public:
  explicit Signal(std::shared_ptr<Executor> executor) : executor_(std::move(executor)) {}

  /// [any thread] Wakes the waiting coroutine, or lets the next wait return at once. Does not block.
  void notify() {
    if (state_.exchange(State::kNotified) != State::kWaiting) return;
    const std::shared_ptr<Executor> executor = executor_;
    executor->post(handle_);
  }

  /// co_await signal.wait(deadline): returns when notified since the last wait, or at the deadline.
  auto wait(SteadyTime deadline) {
    struct Awaiter {
      Signal& signal;
      SteadyTime deadline;
      bool await_ready() const { return false; }
      bool await_suspend(std::coroutine_handle<> handle) const { return signal.suspend(handle, deadline); }
      void await_resume() const { signal.state_ = State::kIdle; }
    };
    return Awaiter{*this, deadline};
  }

 private:
  enum class State : int { kIdle, kWaiting, kNotified };

  bool suspend(std::coroutine_handle<> handle, SteadyTime deadline) {
    if (state_ == State::kNotified) return false;
    handle_ = handle;
    executor_->notify_at(deadline, weak_from_this());
    State idle = State::kIdle;
    return state_.compare_exchange_strong(idle, State::kWaiting);
  }

  const std::shared_ptr<Executor> executor_;
  std::atomic<State> state_{State::kIdle};
  std::coroutine_handle<> handle_;
};

}  // namespace perdure::api
