// Why an attempt ended without a result. One struct for every row of "How an attempt ends" in the task model.
// A value; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace perdure::store {

enum class FailureKind : std::uint8_t {
  kTaskError = 1,        // TASK_ERROR: an error was returned or an exception left run
  kAborted,              // TASK_ERROR, abort: the task forbade retries
  kCrashed,              // CRASHED: ended by a signal
  kExitedWithoutResult,  // EXITED_WITHOUT_RESULT
  kOutOfMemory,          // OUT_OF_MEMORY
  kMaxDurationExceeded,  // MAX_DURATION_EXCEEDED
  kStalled,              // STALLED: no heartbeat
  kProtocolError,        // PROTOCOL_ERROR: frames the host cannot accept
  kOutputInvalid,        // OUTPUT_INVALID: not JSON or not UTF-8
  kOutputTooLarge,       // OUTPUT_TOO_LARGE
  kPayloadInvalid,       // TASK_PAYLOAD_INVALID
  kHostLost,             // HOST_LOST: the host, the zygote or the machine died; not counted
  kCanceled,             // CANCELED: the run was canceled while this attempt executed
  kHandleErrorError,     // HANDLE_ERROR_ERROR: catch_error failed itself while it handled another failure
};

/// The code as stored and shown: "TASK_ERROR", "CRASHED", ...
std::string_view failure_code(FailureKind kind);
std::optional<FailureKind> parse_failure_code(std::string_view code);

struct Failure {
  FailureKind kind = FailureKind::kTaskError;
  std::string name;     // the error's own name, e.g. "FixtureError"; the signal's for a crash, e.g. "SIGSEGV"
  std::string message;  // one sentence for people
  std::string stack;    // symbolized backtrace or the task's own stack text; may be empty
  std::string details;  // JSON object or empty: {"signal":11,"exit_code":3,"limit":…}
  bool operator==(const Failure&) const = default;
};

}  // namespace perdure::store
