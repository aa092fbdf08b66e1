// What the engine keeps in memory of unfinished runs: who is ready, due, held for a version or executing, and how many
// runs are in each status and locked to each version. Everything here is derived from the database; rebuild() makes it
// anew. Not thread-safe: the store's mutex guards it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "store/model/run.h"
#include "store/model/status.h"
#include "store/model/stream.h"
#include "store/rocks/aside_runs.h"
#include "store/rocks/database.h"
#include "store/rocks/keys.h"
#include "store/rocks/live_records.h"
#include "store/rocks/metadata_cache.h"
#include "store/rocks/queue_table.h"
#include "store/rocks/ready_index.h"
#include "store/rocks/records.h"
#include "store/rocks/schedule_index.h"
#include "store/rocks/timer_time.h"
#include "store/rocks/version_locks.h"

namespace perdure::store::rocks {

/// A run that executes, with its attempt: cached, since every frame of its process may need them.
struct Executing {
  RunRecord record;                                  // has an attempt
  std::optional<std::uint64_t> log_sequence;         // of the newest log entry, once known
  std::optional<std::vector<StreamInfo>> streams{};  // once known
  std::optional<AskedRequest> asked{};               // once known
};

/// Where a run stands in its queue: when it was queued, less its head start.
Time order_of(const Run& run);
/// Whether a run in this status waits for something, rather than executing or being finished.
bool waits(RunStatus status);
/// The index value of a run that waits.
Waiting waiting_of(const Run& run);

class HotState {
 public:
  /// Reads the unfinished runs and the queues of `db`; every queued run is ready at once.
  static Result<HotState> rebuild(const Database& db);

  /// Enters a run in its present status. A QUEUED one becomes ready by publish() only; an executing one goes into
  /// `executing` by its caller.
  void enter(PackedId id, const Run& run);
  /// Takes a run out again; `run` is as it was entered. Whether that lets another run of its queue start.
  bool leave(PackedId id, const Run& run);
  /// The same for an executing run.
  bool leave_executing(PackedId id, const Run& run);
  /// Makes an entered QUEUED run ready, unless it has left meanwhile.
  void publish(PackedId id);

  /// Up to `max` runs of `task` that are held, by id from the first one after `after`.
  [[nodiscard]] std::vector<PackedId> held_after(const TaskId& task, PackedId after, std::size_t max) const;
  /// Sets a run aside that was taken from `ready` and untaken; it stays entered as QUEUED.
  void set_aside(PackedId id, const Run& run, const VersionId& version);
  /// Makes up to `max` runs that were set aside ready again, the first in order first. How many.
  std::size_t put_back(const TaskId& task, const std::optional<VersionId>& version, std::size_t max);

  [[nodiscard]] std::optional<Time> next_due() const;
  [[nodiscard]] std::uint64_t& count(RunStatus status) { return counts_[static_cast<std::size_t>(status)]; }
  [[nodiscard]] std::uint64_t count(RunStatus status) const { return counts_[static_cast<std::size_t>(status)]; }
  [[nodiscard]] FinishedCounts finished() const;

  /// What limits `queue` from now on. Whether a run may start now that could not before.
  bool set(const QueueName& queue, const QueueSettings& settings);

  QueueTable queues;
  ReadyIndex ready;
  AsideRuns aside;                            // QUEUED, but not ready
  DueTimes due;                               // DELAYED: ready_at; not started: expires_at
  std::map<TaskId, std::set<PackedId>> held;  // PENDING_VERSION
  std::unordered_map<PackedId, Executing> executing;
  VersionLocks locks;
  MetadataCache metadata;
  ScheduleIndex schedules;

 private:
  struct Place {
    QueueName queue;
    std::string key;
    Time order{};
  };
  static Status read_queues(const Database& db, HotState& state);
  /// Reads from the run what its entry does not tell yet.
  static Status complete(const Database& db, PackedId id, Waiting& waiting);
  void enter_waiting(PackedId id, RunStatus status, const Waiting& waiting);

  std::unordered_map<PackedId, Place> unpublished_;  // QUEUED, but not durably so
  std::array<std::uint64_t, static_cast<std::size_t>(RunStatus::kExpired) + 1> counts_{};
};

}  // namespace perdure::store::rocks
