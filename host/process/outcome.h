// What a child says about the end of its attempt, turned into the result the engine is told. Everything is checked: the
// child is hostile. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "host/process/launcher.h"

namespace perdure::process {

/// Why a kOutcome frame is not one; the attempt is then a PROTOCOL_ERROR.
struct OutcomeFault {
  std::string what;
};

/// The failure that an error object describes, whatever it lacks; its kind is TASK_ERROR. `json` has passed check_json.
store::Failure read_error(std::string_view json);

/// The result in a kOutcome frame. A result that is not JSON or over `output_limit` bytes is a result too: a failure.
std::variant<AttemptResult, OutcomeFault> read_outcome(std::uint32_t arg, std::string_view json, std::string_view raw,
                                                       std::uint64_t output_limit);

}  // namespace perdure::process
