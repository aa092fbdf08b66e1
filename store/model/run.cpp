// The names of what a run, an attempt and a log line can be; see run.h.
#include "store/model/run.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace perdure::store {

namespace {

// In the order of RunStatus, which begins with 1.
constexpr std::array<std::string_view, 13> kStatusNames = {
    "PENDING_VERSION", "DELAYED", "QUEUED",    "DEQUEUED",       "EXECUTING", "WAITING", "COMPLETED",
    "FAILED",          "CRASHED", "TIMED_OUT", "SYSTEM_FAILURE", "CANCELED",  "EXPIRED"};

}  // namespace

Usage operator+(const Usage& a, const Usage& b) {
  return {a.duration + b.duration, a.cpu + b.cpu, std::max(a.peak_memory, b.peak_memory),
          a.voluntary_switches + b.voluntary_switches, a.involuntary_switches + b.involuntary_switches};
}

std::string_view status_name(RunStatus status) {
  const auto number = static_cast<std::size_t>(status);
  return number >= 1 && number <= kStatusNames.size() ? kStatusNames[number - 1] : "UNKNOWN";
}

std::optional<RunStatus> parse_status(std::string_view name) {
  for (std::size_t i = 0; i < kStatusNames.size(); ++i) {
    if (kStatusNames[i] == name) return static_cast<RunStatus>(i + 1);
  }
  return std::nullopt;
}

std::string_view attempt_status_name(AttemptStatus status) {
  switch (status) {
    case AttemptStatus::kExecuting:
      return "EXECUTING";
    case AttemptStatus::kSucceeded:
      return "SUCCEEDED";
    case AttemptStatus::kFailed:
      return "FAILED";
    case AttemptStatus::kLost:
      return "LOST";
    case AttemptStatus::kCanceled:
      return "CANCELED";
  }
  return "UNKNOWN";
}

std::string_view log_level_name(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
      return "trace";
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
      return "error";
  }
  return "unknown";
}

std::string_view log_source_name(LogSource source) {
  switch (source) {
    case LogSource::kTask:
      return "task";
    case LogSource::kStdout:
      return "stdout";
    case LogSource::kStderr:
      return "stderr";
    case LogSource::kHost:
      return "host";
  }
  return "unknown";
}

}  // namespace perdure::store
