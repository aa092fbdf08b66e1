// See run_change.h.
#include "store/rocks/run_change.h"

#include <cstddef>
#include <iterator>
#include <span>
#include <utility>

#include "store/rocks/hot_state.h"

namespace perdure::store::rocks {
namespace {
constexpr std::ptrdiff_t kMostRecentEvents = 16;
}

RunChange RunChange::created(PackedId id, Run run, Time now) {
  RunRecord record;
  record.run = std::move(run);
  RunChange change(id, std::move(record));
  change.stored_.reset();
  change.add_event(now, "triggered", 0, {});
  return change;
}

void RunChange::add_event(Time now, std::string_view name, std::uint32_t attempt, std::string data) {
  record_.recent.push_back({++record_.events, now, std::string(name), record_.run.status, attempt, std::move(data)});
}

void RunChange::note(TimelineEvent event) { add_event(event.at, event.name, event.attempt, std::move(event.data)); }

Status RunChange::apply(RunEvent event, Time now, std::uint32_t attempt, std::string data) {
  const std::optional<RunStatus> after = transition(record_.run.status, event);
  if (!after) {
    return Status::conflict("run " + record_.run.id.text() + " is " + std::string(status_name(record_.run.status)) +
                            ", which does not allow " + std::string(event_name(event)));
  }
  if (record_.run.status == RunStatus::kWaiting) {
    record_.wait.reset();
    if (*after != RunStatus::kDelayed) {  // that has a time of its own
      record_.run.ready_at.reset();
      record_.run.calendar = false;
    }
  }
  record_.run.status = *after;
  record_.run.updated_at = now;
  if (*after == RunStatus::kQueued) {
    record_.run.ready_at.reset();
    record_.run.calendar = false;
  }
  if (is_final(*after)) record_.run.finished_at = now;
  add_event(now, event_name(event), attempt, std::move(data));
  return Status::ok();
}

void RunChange::begin_attempt(Attempt attempt, Batch& batch) {
  std::optional<Attempt>& newest = record_.attempt;
  if (newest) batch.put(Family::kAttempts, attempt_key(id_, newest->number), encode(*newest));
  newest = std::move(attempt);
}

void RunChange::write(Batch& batch) {
  std::vector<TimelineEvent>& recent = record_.recent;
  if (std::ssize(recent) > kMostRecentEvents) {
    const auto kept = recent.end() - kMostRecentEvents / 2;
    batch.put(Family::kTimeline, timeline_key(id_, recent.front().sequence), encode(std::span(recent.begin(), kept)));
    recent.erase(recent.begin(), kept);
  }
  const Run& run = record_.run;
  batch.put(Family::kRuns, run_key(id_), encode_timed(record_, batch.ahead()));
  if (stored_ != run.status) {
    if (stored_) batch.erase(Family::kByStatus, status_key(*stored_, id_));
    batch.put(Family::kByStatus, status_key(run.status, id_),
              has_entry(run.status) ? encode_timed(waiting_of(record_), run.status, batch.ahead()) : std::string());
  }
  if (stored_) return;
  if (const std::optional<PackedId> parent = pack(run.parent)) batch.put(Family::kLive, child_key(*parent, id_), {});
  batch.put(Family::kByTask, task_key(run.task, id_), {});
  if (const auto schedule = pack(run.schedule)) batch.put(Family::kBySchedule, by_schedule_key(*schedule, id_), {});
  if (const auto of = pack(run.batch)) batch.put(Family::kBatches, batch_run_key(*of, id_), {});
  for (const std::string& tag : run.options.tags) batch.put(Family::kByTag, tag_key(tag, id_), {});
}

void RunChange::write_moved(Batch& batch) {
  write(batch);
  const RunStatus status = record_.run.status;
  batch.put(Family::kByStatus, status_key(status, id_), encode_timed(waiting_of(record_), status, batch.ahead()));
}

}  // namespace perdure::store::rocks
