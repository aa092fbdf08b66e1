// Reads are shown only once they are durable: read first, then co_await this, then reply.
#pragma once

#include <optional>
#include <utility>

#include "host/api/api.h"
#include "host/api/errors.h"
#include "host/api/handling.h"
#include "store/store.h"

namespace perdure::api {

/// For until_ok(): waits until all that is written in the store now is durable.
struct AllWritten {
  Api& api;
  void operator()(store::DoneStatus done) const { api.engine.store().synced(std::move(done)); }
};

/// The answer when what was read may yet be lost. A full disk refuses changes, but what is there can be read.
inline std::optional<Response> unless_durable(const store::Status& synced) {
  if (synced || synced.code() == store::Code::kNoSpace) return std::nullopt;
  return error_response(503, "what is stored cannot be shown safely now: " + synced.message());
}

/// See refusal_unless_durable().
class RefusalUnlessDurable {
 public:
  RefusalUnlessDurable(Exchange& exchange, Api& api) : written_{api}, until_(exchange, written_) {}

  [[nodiscard]] bool await_ready() const { return until_.await_ready(); }
  bool await_suspend(std::coroutine_handle<> handle) { return until_.await_suspend(handle); }
  std::optional<Response> await_resume() { return unless_durable(until_.await_resume()); }

 private:
  AllWritten written_;
  UntilDone<store::Status, AllWritten> until_;
};

/// co_await refusal_unless_durable(exchange, api): waits until all that is written in the store now is durable, and
/// resumes with the answer when that failed; nothing: what was read before may be shown.
inline RefusalUnlessDurable refusal_unless_durable(Exchange& exchange, Api& api) { return {exchange, api}; }

}  // namespace perdure::api
