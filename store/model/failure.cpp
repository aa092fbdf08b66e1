#include "store/model/failure.h"

#include <array>
#include <utility>

namespace perdure::store {
namespace {

constexpr std::array<std::pair<FailureKind, std::string_view>, 14> kCodes = {{
    {FailureKind::kTaskError, "TASK_ERROR"},
    {FailureKind::kAborted, "TASK_ERROR"},  // told from an ordinary error by its kind only: shown, they are the same
    {FailureKind::kCrashed, "CRASHED"},
    {FailureKind::kExitedWithoutResult, "EXITED_WITHOUT_RESULT"},
    {FailureKind::kOutOfMemory, "OUT_OF_MEMORY"},
    {FailureKind::kMaxDurationExceeded, "MAX_DURATION_EXCEEDED"},
    {FailureKind::kStalled, "STALLED"},
    {FailureKind::kProtocolError, "PROTOCOL_ERROR"},
    {FailureKind::kOutputInvalid, "OUTPUT_INVALID"},
    {FailureKind::kOutputTooLarge, "OUTPUT_TOO_LARGE"},
    {FailureKind::kPayloadInvalid, "TASK_PAYLOAD_INVALID"},
    {FailureKind::kHostLost, "HOST_LOST"},
    {FailureKind::kCanceled, "CANCELED"},
    {FailureKind::kHandleErrorError, "HANDLE_ERROR_ERROR"},
}};

}  // namespace

std::string_view failure_code(FailureKind kind) {
  for (const auto& [known, code] : kCodes) {
    if (known == kind) return code;
  }
  return "UNKNOWN";
}

std::optional<FailureKind> parse_failure_code(std::string_view code) {
  for (const auto& [kind, known] : kCodes) {
    if (known == code) return kind;  // TASK_ERROR is kTaskError, the first of the two
  }
  return std::nullopt;
}

}  // namespace perdure::store
