// One execution of a hook: as a child tells it (kSpan), and as the run's timeline shows it. Pure; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "host/process/hook_set.h"
#include "store/model/failure.h"
#include "store/model/ids.h"

namespace perdure::process {

/// Whose hook it is.
enum class HookScope : std::uint8_t { kTask, kPlugin, kGlobal };

/// How the execution of a hook failed, in short.
struct HookError {
  std::string name;
  std::string message;
};

struct HookSpan {
  Hook hook{};
  HookScope scope{};
  store::Time started_at{};
  std::chrono::microseconds duration{};
  std::optional<HookError> error;
  bool ignored = false;  // the error did the attempt no harm
};

/// The json of a kSpan; nothing when it is none. Texts are shortened to what a timeline can bear.
std::optional<HookSpan> read_hook_span(std::string_view json);

/// The data of the timeline event "hook": {"hook","scope","startedAt","durationUs","error":{"name","message"}?,
/// "ignored":true?}.
std::string hook_span_json(const HookSpan& span);

}  // namespace perdure::process
