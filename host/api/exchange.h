// One request on its way to its answer. The connection makes it, a route's coroutine answers it: with one reply(), or
// with a stream. Lives as long as either needs it, longer than the connection if need be.
// Thread: the executor's, everything.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "host/api/executor.h"
#include "host/api/http.h"
#include "host/api/signal.h"

namespace perdure::api {

class Exchange {
 public:
  Exchange(Request request, std::shared_ptr<Executor> executor)
      : request_(std::move(request)), executor_(std::move(executor)) {}
  virtual ~Exchange() = default;

  [[nodiscard]] Request& request() { return request_; }
  [[nodiscard]] const std::shared_ptr<Executor>& executor() const { return executor_; }

  /// The whole answer. Of several, the first counts.
  virtual void reply(Response response) = 0;
  [[nodiscard]] virtual bool answered() const = 0;

  /// A streamed answer: its head, then any number of pieces, then the end. `head.body` is the first piece.
  virtual void begin_stream(Response head) = 0;
  virtual void stream(std::string_view piece) = 0;
  virtual void end_stream() = 0;
  /// Whether the client is behind; stream on after signal() has told.
  [[nodiscard]] virtual bool congested() = 0;

  /// Nobody waits for the answer any more, or the server is ending: answer with what there is now.
  [[nodiscard]] virtual bool hurried() const = 0;

  /// The answer is held until there is news: who closes his half does not want it any more.
  void hold() { held_ = true; }
  [[nodiscard]] bool held() const { return held_; }

  /// Notified when hurried() or congested() changed; routes add their own reasons.
  [[nodiscard]] const std::shared_ptr<Signal>& signal() {
    if (!signal_) signal_ = std::make_shared<Signal>(executor_);
    return signal_;
  }

 protected:
  void wake() const {
    if (signal_) signal_->notify();
  }

 private:
  Request request_;
  const std::shared_ptr<Executor> executor_;
  std::shared_ptr<Signal> signal_;
  bool held_ = false;
};

using ExchangePtr = std::shared_ptr<Exchange>;

}  // namespace perdure::api
