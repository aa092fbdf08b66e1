// The coroutine that answers one exchange, and how it waits for the engine and the store:
//
//   Handling cancel(Api& api, ExchangePtr exchange) {
//     auto ask = [&](store::Done<store::Run> done) { api.engine.cancel(id, "", std::move(done)); };
//     store::Result<store::Run> run = co_await until_done<store::Run>(*exchange, ask);
//
// Its first two parameters are these. It starts at once, runs on the exchange's executor and frees itself at its end.
// One that an exception leaves answers 500.
#pragma once

#include <atomic>
#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "host/api/errors.h"
#include "host/api/exchange.h"
#include "store/model/status.h"

namespace perdure::api {

struct Api;

struct Handling {
  class promise_type {
   public:
    template <class... More>
    explicit promise_type(Api&, const ExchangePtr& exchange, const More&...) : exchange_(exchange) {}
    Handling get_return_object() const { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const {}
    void unhandled_exception() const {
      try {
        throw;
      } catch (const std::exception& error) {
        fail(error.what());
      } catch (...) {
        fail("the request failed");
      }
    }

   private:
    void fail(std::string_view why) const {
      if (!exchange_->answered()) return exchange_->reply(error_response(500, why));
      exchange_->end_stream();
    }
    ExchangePtr exchange_;
  };
};

/// co_await until_done<T>(exchange, start): calls start(done) and resumes with what `done` was called with, on the
/// exchange's executor, whichever thread calls `done`. T is a Status, or the T of a Result<T>.
template <class Outcome, class Start>
class UntilDone {
 public:
  UntilDone(Exchange& exchange, Start& start) : exchange_(exchange), start_(start) {}

  bool await_ready() const { return false; }
  bool await_suspend(std::coroutine_handle<> handle) {
    handle_ = handle;
    start_([this](Outcome outcome) { finish(std::move(outcome)); });
    // Done already: go on at once. Otherwise finish() resumes; nothing here may be touched any more.
    return state_.exchange(State::kSuspended) != State::kDone;
  }
  Outcome await_resume() { return std::move(*outcome_); }

 private:
  enum class State : int { kStarted, kSuspended, kDone };

  void finish(Outcome outcome) {
    const std::shared_ptr<Executor> executor = exchange_.executor();
    outcome_.emplace(std::move(outcome));
    if (state_.exchange(State::kDone) == State::kSuspended) executor->post(handle_);
  }

  Exchange& exchange_;
  Start& start_;
  std::coroutine_handle<> handle_;
  std::optional<Outcome> outcome_;
  std::atomic<State> state_{State::kStarted};
};

template <class T, class Start>
UntilDone<store::Result<T>, Start> until_done(Exchange& exchange, Start& start) {
  return {exchange, start};
}
template <class Start>
UntilDone<store::Status, Start> until_ok(Exchange& exchange, Start& start) {
  return {exchange, start};
}

}  // namespace perdure::api
