// Which runs are listed, and a page of them. Values and pure functions; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "store/model/ids.h"
#include "store/model/run.h"

namespace perdure::store {

/// Of several values one is enough; no values: all runs. The time in a run's id is when it was created, so that runs of
/// some time are a range of ids.
struct RunFilter {
  std::vector<RunStatus> statuses;
  bool told = false;  // … as clients are told them: see told_status()
  std::vector<TaskId> tasks;
  std::vector<std::string> tags;
  std::vector<ScheduleId> schedules;
  std::vector<VersionId> versions;
  std::vector<QueueName> queues;
  std::vector<std::string> machines;  // presets
  std::optional<bool> is_test;
  BulkActionId bulk_action;      // the runs that this action canceled or made; empty: all
  std::optional<Time> from, to;  // created_at, inclusive
  BatchId batch;                 // the runs that this batch made; empty: all
  RunId after, before;           // cursor: older than `after`, or newer than `before`; empty: from the newest
  std::size_t limit = 25;        // 1-100
  bool operator==(const RunFilter&) const = default;
};

struct RunPage {
  std::vector<Run> runs;     // newest first
  bool more_after = false;   // there may be older ones: those after `after`
  bool more_before = false;  // there may be newer ones: those before `before`
  RunId after, before;       // cursors of the pages beside this one, where there is more; an empty page may have one
                             // only, in the direction in which it was asked for
};

/// The status that clients are told: a run between two attempts is QUEUED, also while its backoff lasts.
RunStatus told_status(const Run& run);

/// Whether the filter lets the run through, whatever its cursor, and whatever bulk actions canceled or made it: that
/// only an engine knows.
bool lets_through(const RunFilter& filter, const Run& run);

}  // namespace perdure::store
