#include "store/model/call.h"

#include "store/model/json_text.h"

namespace perdure::store {

namespace {
constexpr JsonLimits kResultLimits{kLargestStepResult, 128};
}

std::string_view call_kind_name(CallKind kind) {
  switch (kind) {
    case CallKind::kTrigger:
      return "trigger";
    case CallKind::kStep:
      return "step";
    case CallKind::kWait:
      return "wait";
    case CallKind::kCreateToken:
      return "create_token";
    case CallKind::kCompleteToken:
      return "complete_token";
    case CallKind::kBatch:
      return "batch";
  }
  return "unknown";
}

Status check_step(std::string_view name, std::string_view result) {
  if (name.empty() || name.size() > kLongestStepName) {
    return Status::invalid("a step's name has 1 to " + std::to_string(kLongestStepName) + " bytes");
  }
  return check_json(result, kResultLimits, "the result of the step \"" + std::string(name) + '"');
}

Status not_executing(const RunId& run, std::uint32_t number) {
  return Status::conflict("attempt " + std::to_string(number) + " of run " + run.text() +
                          " does not execute here; nothing more is recorded for it");
}

Status check_same_call(const RunId& run, const RecordedCall& recorded, CallKind kind, std::string_view name) {
  if (recorded.kind == kind && recorded.name == name) return Status::ok();
  const auto said = [](CallKind what, std::string_view of) {
    return std::string(call_kind_name(what)) + " \"" + std::string(of) + '"';
  };
  return Status::conflict("an earlier attempt of run " + run.text() +
                          " has made another call at this place: " + said(recorded.kind, recorded.name) + ", and not " +
                          said(kind, name) + "; every attempt must make the same durable calls in the same order");
}

}  // namespace perdure::store
