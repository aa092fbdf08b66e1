// The durable calls of a run's attempts: what each has recorded, so that a later attempt that makes the same calls in
// the same order gets what the first one did, and nothing is done again. Values; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "store/model/ids.h"
#include "store/model/status.h"
#include "store/model/waitpoint.h"

namespace perdure::store {

/// Numbers are stored: append only.
enum class CallKind : std::uint8_t {
  kTrigger = 1,         // a child was triggered
  kStep = 2,            // a step's result was recorded
  kWait = 3,            // the run waited
  kCreateToken = 20,    // a waitpoint token was created
  kCompleteToken = 21,  // … completed
  kBatch = 30,          // a batch of children was triggered
};
/// "trigger", "step", "wait", "create_token", "complete_token", "batch"
std::string_view call_kind_name(CallKind kind);

/// One of them, as it was made.
struct RecordedCall {
  CallKind kind = CallKind::kStep;
  std::string name;             // the step's, the wait's, the triggered task's, or batch_name(); of a token that is
                                // completed its id
  std::string result = {};      // a step's: JSON text; of a token that was created, and of a batch, its id
  RunId child = {};             // of a trigger
  Wait wait = {};               // of a wait
  std::optional<Time> until{};  // … and its time
  bool calendar = false;        // … which is one of the calendar
  bool operator==(const RecordedCall&) const = default;
};

/// Which durable call of which attempt something is.
struct AttemptCall {
  RunId run;
  std::uint32_t number = 0;  // of the attempt
  std::string token;         // its fence
  std::uint64_t call = 0;    // among the run's durable calls, from 1
};

inline constexpr std::size_t kLongestStepName = 256;                     // bytes
inline constexpr std::size_t kLargestStepResult = std::size_t{3} << 20;  // bytes, as a payload

/// kInvalid unless a step may have this name and this result.
Status check_step(std::string_view name, std::string_view result);

/// kConflict, for a step of an attempt whose end is recorded, or that is another host's.
Status not_executing(const RunId& run, std::uint32_t number);

/// kConflict unless a call of this kind and name may be answered with what is recorded at its place.
Status check_same_call(const RunId& run, const RecordedCall& recorded, CallKind kind, std::string_view name);

}  // namespace perdure::store
