// Runs, attempts and what belongs to them as JSON: the public contract's shapes, and Perdure's longer ones on top of
// them. Absent values are left out, never null. Each function writes members into an object, or a whole object, as it
// says. Pure functions; any thread.
#pragma once

#include <optional>
#include <string>

#include "host/api/json_text.h"
#include "store/model/failure.h"
#include "store/model/run.h"
#include "store/model/schedule.h"
#include "store/model/status.h"

namespace perdure::api {

/// The members that a run has wherever it is shown, in lists too.
void put_summary(JsonText& json, const store::Run& run);

/// The members of a run by itself: the summary and, where given, payload and output (JSON texts). `related` is the
/// document of its related runs.
void put_run(JsonText& json, const store::Run& run, const std::string& related,
             const std::optional<std::string>& payload, const std::optional<std::string>& output);

/// The schedule that made the run, as the contract has it; `schedule` is what is stored of it, an error once it was
/// deleted. Nothing when no schedule made it.
void put_schedule_of(JsonText& json, const store::Run& run, const store::Result<store::Schedule>& schedule);

/// How deep it is below its root, and by which call it was triggered.
void put_descent(JsonText& json, const store::Run& run);

/// More members, of Perdure's own: where and how it is queued, its options.
void put_details(JsonText& json, const store::Run& run);

/// `used`: what it has used so far, of an attempt that executes.
void put_attempt(JsonText& json, const store::Attempt& attempt, const std::optional<store::Usage>& used = {});
void put_event(JsonText& json, const store::TimelineEvent& event);
void put_log_entry(JsonText& json, const store::LogEntry& entry);

}  // namespace perdure::api
