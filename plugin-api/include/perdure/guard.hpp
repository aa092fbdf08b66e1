// The one place where exceptions end: around every function of a plugin that the host calls. Turns what leaves the
// author's code into a status and an error the host records. Attempt's thread.
#pragma once

#include <perdure/plugin.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include <perdure/attempt.hpp>
#include <perdure/errors.hpp>
#include <perdure/json_write.hpp>
#include <perdure/text.hpp>
#include <perdure/type_name.hpp>

namespace perdure::detail {

inline perdure_status report(const perdure_attempt* attempt, perdure_status status, std::string_view type,
                             std::string_view message, std::string_view details = {}, std::int64_t retry_at_ms = 0) {
  perdure_error error{};
  error.struct_size = sizeof error;
  error.type = str(type);
  error.message = str(message);
  error.detail = str(details);
  error.retry_at_ms = retry_at_ms;
  attempt->services->set_error(attempt, &error);
  return status;
}

/// Collects what `error` says it was caused by (std::throw_with_nested), outermost first, as a JSON array's elements.
inline void append_causes(std::string& out, const std::exception& error) {
  try {
    std::rethrow_if_nested(error);
  } catch (const std::exception& cause) {
    if (!out.empty()) out += ',';
    append_text(out, type_name(typeid(cause)) + ": " + cause.what());
    append_causes(out, cause);
  } catch (...) {
    if (!out.empty()) out += ',';
    append_text(out, current_exception_name());
  }
}

inline perdure_status report_exception(const perdure_attempt* attempt, const std::exception& error) {
  std::string causes;
  append_causes(causes, error);
  if (!causes.empty()) causes = "{\"causes\":[" + causes + "]}";
  return report(attempt, PERDURE_FAILED, type_name(typeid(error)), error.what(), causes);
}

/// The status for the exception being handled, reported to the host. Only inside a catch block.
inline perdure_status classify(const perdure_attempt* attempt) {
  try {
    throw;
  } catch (const PayloadInvalid& e) {
    return report(attempt, PERDURE_ABORTED, "TASK_PAYLOAD_INVALID", e.what());
  } catch (const Abort& e) {
    return report(attempt, PERDURE_ABORTED, type_name(typeid(e)), e.what());
  } catch (const RetryAt& e) {
    // A time of 0 would mean the policy's; any time that is past means now.
    const std::int64_t at = e.at().time_since_epoch().count();
    return report(attempt, PERDURE_FAILED, type_name(typeid(e)), e.what(), {}, at > 0 ? at : 1);
  } catch (const OutOfMemory& e) {
    return report(attempt, PERDURE_OUT_OF_MEMORY, type_name(typeid(e)), e.what());
  } catch (const std::bad_alloc& e) {
    return report(attempt, PERDURE_OUT_OF_MEMORY, "std::bad_alloc", e.what());
  } catch (const Error& e) {
    const std::string details = e.details().is_null() ? std::string() : to_json(e.details());
    return report(attempt, PERDURE_FAILED, e.name(), e.what(), details);
  } catch (const std::exception& e) {
    return report_exception(attempt, e);
  } catch (const char* text) {
    return report(attempt, PERDURE_FAILED, "char const*", text != nullptr ? text : "a null pointer was thrown");
  } catch (const std::string& text) {
    return report(attempt, PERDURE_FAILED, "std::string", text);
  } catch (...) {
    const std::string type = current_exception_name();
    return report(attempt, PERDURE_FAILED, type, "an exception of type " + type + ", which is no std::exception");
  }
}

/// Calls body(run) and says how it ended. A status that must reach the host does so, whatever was caught on the way.
template <class Body>
perdure_status guard(const perdure_attempt* attempt, Body&& body) {
  Attempt run(attempt);
  try {
    std::forward<Body>(body)(run);
    return run.leaving().pending();
#ifdef __GLIBCXX__  // libc++ has no name for it: there the attempt ends by SIGABRT
  } catch (const abi::__forced_unwind&) {
    throw;  // pthread_exit: the C library ends the thread and may not be stopped
#endif
  } catch (...) {
    if (const perdure_status pending = run.leaving().pending(); pending != PERDURE_OK) return pending;
    try {
      return classify(attempt);
    } catch (...) {
      return report(attempt, PERDURE_OUT_OF_MEMORY, "std::bad_alloc", "no memory left to say what went wrong");
    }
  }
}

}  // namespace perdure::detail
