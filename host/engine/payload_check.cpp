#include "host/engine/payload_check.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "host/engine/core_engine.h"

namespace perdure::engine {

std::optional<schema::Fault> payload_fault(const catalog::Task& task, std::string_view payload) {
  if (task.payload_schema == nullptr) return std::nullopt;
  return task.payload_schema->check(payload);
}

std::string refusal_of(const catalog::Task& task, const schema::Fault& fault) {
  return "The payload is not what the task '" + task.id.text() + "' takes: " + fault.sentence() + '.';
}

// After the catalog is the one that triggers read, so that what is created from the next moment on was checked by it.
void CoreEngine::note_schemas(const catalog::Snapshot& catalog) {
  const store::Time now = std::max(core_.now(), latest_);  // no run of before is later, had the clock been set back
  std::unordered_map<store::TaskId, Checked> next;
  for (const auto& [id, task] : catalog.tasks) {
    if (task.payload_schema == nullptr) continue;
    const auto before = checked_since_.find(id);
    const bool same = before != checked_since_.end() && before->second.schema == task.options.payload_schema;
    next.emplace(id, Checked{task.options.payload_schema, same ? before->second.since : now});
  }
  checked_since_ = std::move(next);
}

std::optional<store::Failure> CoreEngine::payload_failure(const store::Claim& claim, const catalog::Task& task) const {
  if (task.payload_schema == nullptr) return std::nullopt;
  const auto checked = checked_since_.find(task.id);
  if (claim.run.schedule.empty() && checked != checked_since_.end() && claim.run.created_at > checked->second.since &&
      checked->second.schema == task.options.payload_schema) {
    return std::nullopt;
  }
  const std::optional<schema::Fault> fault = payload_fault(task, claim.payload);
  if (!fault) return std::nullopt;
  return store::Failure{.kind = store::FailureKind::kPayloadInvalid,
                        .name = "TASK_PAYLOAD_INVALID",
                        .message = refusal_of(task, *fault),
                        .stack = {},
                        .details = boost::json::serialize(boost::json::object{{"pointer", fault->pointer}})};
}

}  // namespace perdure::engine
