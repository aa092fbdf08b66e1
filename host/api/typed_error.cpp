#include "host/api/typed_error.h"

#include <string_view>

namespace perdure::api {
namespace {

using store::FailureKind;
using store::RunStatus;

std::string_view crash_code(std::string_view signal) {
  if (signal == "SIGSEGV") return "TASK_PROCESS_SIGSEGV";
  if (signal == "SIGTERM") return "TASK_PROCESS_SIGTERM";
  return "TASK_RUN_CRASHED";
}

// The code of a failure that is the host's to name; empty: it is an error of the task's own.
std::string_view code_of(const store::Failure& failure) {
  switch (failure.kind) {
    case FailureKind::kTaskError:
    case FailureKind::kAborted:
    case FailureKind::kHandleErrorError:
      return {};
    case FailureKind::kCrashed:
      return crash_code(failure.name);
    case FailureKind::kExitedWithoutResult:
      return "TASK_PROCESS_EXITED_WITH_NON_ZERO_CODE";
    case FailureKind::kOutOfMemory:
      return "TASK_PROCESS_OOM_KILLED";
    case FailureKind::kMaxDurationExceeded:
      return "MAX_DURATION_EXCEEDED";
    case FailureKind::kStalled:
      return "TASK_RUN_HEARTBEAT_TIMEOUT";
    case FailureKind::kOutputInvalid:
    case FailureKind::kOutputTooLarge:
      return "TASK_OUTPUT_ERROR";
    case FailureKind::kPayloadInvalid:
      return "TASK_INPUT_ERROR";
    case FailureKind::kCanceled:
      return "TASK_RUN_CANCELLED";
    case FailureKind::kProtocolError:
    case FailureKind::kHostLost:
      break;
  }
  return "TASK_EXECUTION_FAILED";
}

void put_internal(JsonText& json, std::string_view code, const store::Failure* failure) {
  json.begin_object().text("type", "INTERNAL_ERROR").text("code", code);
  if (failure != nullptr && !failure->message.empty()) json.text("message", failure->message);
  if (failure != nullptr && !failure->stack.empty()) json.text("stackTrace", failure->stack);
  json.end_object();
}

}  // namespace

bool ended_badly(const store::Run& run) { return store::is_final(run.status) && run.status != RunStatus::kCompleted; }

void put_typed_error(JsonText& json, const store::Run& run) {
  const store::Failure* const failure = run.failure ? &*run.failure : nullptr;
  if (run.status == RunStatus::kCanceled) return put_internal(json, "TASK_RUN_CANCELLED", nullptr);
  if (failure == nullptr) {
    json.begin_object().text("type", "STRING_ERROR");
    json.text("raw", run.status == RunStatus::kExpired ? "The run was not started before its ttl passed"
                                                       : "The run failed, and it is not known why");
    json.end_object();
    return;
  }
  if (const std::string_view code = code_of(*failure); !code.empty()) return put_internal(json, code, failure);
  json.begin_object().text("type", "BUILT_IN_ERROR");
  json.text("name", failure->name.empty() ? "Error" : failure->name).text("message", failure->message);
  json.text("stackTrace", failure->stack).end_object();
}

}  // namespace perdure::api
