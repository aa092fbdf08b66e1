// Whether a payload is what a task takes: the one place where a task's schema decides, for whoever triggers and before
// a run executes. Pure functions; any thread. Bounded in time, so that the core thread may check too.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "host/catalog/snapshot.h"
#include "host/schema/schema.h"

namespace perdure::engine {

/// What is wrong with `payload` for `task`; nothing when it fits, or the task takes any.
std::optional<schema::Fault> payload_fault(const catalog::Task& task, std::string_view payload);

/// The sentence that refuses a payload.
std::string refusal_of(const catalog::Task& task, const schema::Fault& fault);

}  // namespace perdure::engine
