// See run_change.h.
#include "store/rocks/run_change.h"

#include <utility>

#include "store/rocks/hot_state.h"

namespace perdure::store::rocks {

RunChange RunChange::created(PackedId id, Run run, Time now) {
  RunChange change(id, RunRecord{std::move(run), 0});
  change.stored_.reset();
  change.add_event(now, "triggered", 0, {});
  return change;
}

void RunChange::add_event(Time now, std::string_view name, std::uint32_t attempt, std::string data) {
  events_.push_back({++record_.events, now, std::string(name), record_.run.status, attempt, std::move(data)});
}

Status RunChange::apply(RunEvent event, Time now, std::uint32_t attempt, std::string data) {
  const std::optional<RunStatus> after = transition(record_.run.status, event);
  if (!after) {
    return Status::conflict("run " + record_.run.id.text() + " is " + std::string(status_name(record_.run.status)) +
                            ", which does not allow " + std::string(event_name(event)));
  }
  record_.run.status = *after;
  record_.run.updated_at = now;
  add_event(now, event_name(event), attempt, std::move(data));
  return Status::ok();
}

void RunChange::write(Batch& batch) const {
  const Run& run = record_.run;
  batch.put(Family::kRuns, run_key(id_), encode(record_));
  if (!events_.empty()) {
    batch.put(Family::kTimeline, timeline_key(id_, events_.front().sequence), encode(events_));
  }
  if (stored_ && *stored_ != run.status) batch.erase(Family::kByStatus, status_key(*stored_, id_));
  batch.put(Family::kByStatus, status_key(run.status, id_),
            is_final(run.status) ? std::string() : encode(waiting_of(run)));
  if (stored_) return;
  batch.put(Family::kByTask, task_key(run.task, id_), {});
  for (const std::string& tag : run.options.tags) batch.put(Family::kByTag, tag_key(tag, id_), {});
}

}  // namespace perdure::store::rocks
