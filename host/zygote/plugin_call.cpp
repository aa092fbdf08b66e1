#include "host/zygote/plugin_call.h"

#include <cxxabi.h>
#include <stdlib.h>
#include <unistd.h>

#include <exception>
#include <new>
#include <string>
#include <typeinfo>
#include <utility>

#include "host/zygote/outcome_frames.h"

namespace perdure::zygote {
namespace {

using protocol::Outcome;

std::string current_exception_type() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  if (type == nullptr) return "of another language";
  int status = 0;
  char* text = abi::__cxa_demangle(type->name(), nullptr, nullptr, &status);
  std::string name = status == 0 ? text : type->name();
  free(text);
  return name;
}

std::string escaped(const char* what) {
  std::string message = "an exception crossed the C boundary: " + current_exception_type();
  if (what != nullptr) message += std::string(" (") + what + ")";
  return error_json("ForeignException", message);
}

std::string unexplained(perdure_status status, const Callee& callee, bool self_test) {
  std::string message = self_test ? "it" : std::string(callee.what);
  message += " returned status " + std::to_string(status) + " and set no error";
  if (status == PERDURE_SUSPENDED) message += "; PERDURE_SUSPENDED is for a wait that began, and none did";
  if (const std::string_view words = last_error_words(); !words.empty()) {
    message += "; the last service that failed said: " + std::string(words);
  }
  return error_json(self_test ? "" : "TaskError", message);
}

// Not checked for undefined behaviour: a forced unwinding comes without an object, and the handler's reference to it is
// seen as null.
__attribute__((no_sanitize("undefined"))) perdure_status enter(const perdure_attempt& attempt, const Callee& callee,
                                                               Call& call) {
  try {
    return callee.middleware != nullptr ? callee.middleware(&attempt, callee.next) : callee.function(&attempt);
  } catch (const abi::__forced_unwind&) {
    if (!call.state.on_attempt_thread()) throw;  // on_cancel's own thread ends, and no other
    // pthread_exit() unwinds the main thread and must not be stopped; there is nothing to come back to.
    const std::string message = std::string(callee.what) + " called pthread_exit on the attempt's thread";
    call.said.error = error_json("ThreadExited", message);
    send_outcome(call.state, Outcome::kFailed, std::move(call.said));
    (void)await_confirm(call.state.link);
    _exit(0);
  } catch (const std::bad_alloc& e) {
    call.said.error = escaped(e.what());
    return PERDURE_OUT_OF_MEMORY;
  } catch (const std::exception& e) {
    call.said.error = escaped(e.what());
    return PERDURE_FAILED;
  } catch (...) {
    call.said.error = escaped(nullptr);
    return PERDURE_FAILED;
  }
}

// Whatever a function makes of it: nothing that this process says counts any more.
Ended suspended() {
  Ended ended;
  ended.status = PERDURE_CANCELLED;
  ended.said.error = error_json("Suspended", "the process leaves while its run waits");
  return ended;
}

}  // namespace

Ended call_plugin(AttemptState& state, const perdure_attempt& attempt, const Callee& callee) {
  Call call(state);
  call.guest = callee.guest;
  call.caller = callee.caller;
  perdure_attempt own = attempt;
  own.host = &call;
  own.user = callee.user;
  own.event = {callee.event.data(), callee.event.size()};
  own.init = {callee.init.data(), callee.init.size()};
  Ended ended;
  ended.status = enter(own, callee, call);
  ended.said = std::move(call.said);
  if (state.suspended && state.on_attempt_thread()) return suspended();
  if (!ended.said.mismatch.empty() && ended.status != PERDURE_CANCELLED) {
    ended.status = PERDURE_FAILED;
    ended.said.error = std::exchange(ended.said.mismatch, {});
    ended.said.retry_at = 0;
  }
  if (ended.status != PERDURE_OK && ended.said.error.empty()) {
    ended.said.error = unexplained(ended.status, callee, attempt.task_id.len == 0);
  }
  return ended;
}

Outcome outcome_of(perdure_status status) {
  switch (status) {
    case PERDURE_OK:
      return Outcome::kSuccess;
    case PERDURE_ABORTED:
      return Outcome::kAborted;
    case PERDURE_OUT_OF_MEMORY:
      return Outcome::kOutOfMemory;
    case PERDURE_CANCELLED:
      return Outcome::kCanceled;
    default:
      return Outcome::kFailed;
  }
}

}  // namespace perdure::zygote
