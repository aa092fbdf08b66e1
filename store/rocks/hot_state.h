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
#include "store/rocks/wait_index.h"

namespace perdure::store::rocks {

/// A run that has a process, whether that executes or waits, with its attempt: cached, since every frame of its process
/// may need them.
struct Executing {
  RunRecord record;                                  // has an attempt
  std::optional<std::uint64_t> log_sequence;         // of the newest log entry, once known
  std::optional<std::vector<StreamInfo>> streams{};  // once known
  std::optional<AskedRequest> asked{};               // once known
};

/// Where a run stands in its queue: when it was queued, less its head start. One that goes on after a wait stands
/// before all new ones.
Time order_of(const Run& run);
/// Whether a run in this status waits for something, rather than executing or being finished.
bool waits(RunStatus status);
/// Whether the status index tells more of a run in this status than that it is there.
inline bool has_entry(RunStatus status) { return waits(status) || status == RunStatus::kWaiting; }
/// What it tells; of a WAITING one only its record knows all.
Waiting waiting_of(const Run& run);
Waiting waiting_of(const RunRecord& record);

class HotState {
 public:
  /// Reads the unfinished runs and the queues of `db`; every queued run is ready at once.
  static Result<HotState> rebuild(const Database& db);

  /// Enters a run in its present status. A QUEUED one becomes ready by publish() only; an executing one goes into
  /// `executing` by its caller.
  void enter(PackedId id, const Run& run);
  /// Takes a run out again; `run` is as it was entered. Whether that lets another run of its queue start.
  bool leave(PackedId id, const Run& run);
  /// The same for a run that has a process.
  bool leave_executing(PackedId id, const Run& run);
  /// Enters a run's wait, besides the run itself. `came`: see WaitIndex::add().
  void enter_wait(PackedId id, const Run& run, Wait wait, const std::vector<bool>& came);
  /// The same as leave() for a WAITING run that goes on: it has a slot, and keeps it.
  void leave_wait(PackedId id, const Run& run);
  /// Makes an entered QUEUED run ready, or a WAITING one whose wait is over, unless it has left meanwhile.
  void publish(PackedId id);

  /// Up to `max` runs of `task` that are held, by id from the first one after `after`.
  [[nodiscard]] std::vector<PackedId> held_after(const TaskId& task, PackedId after, std::size_t max) const;
  /// Sets a run aside that was taken from `ready` and untaken; it stays entered as QUEUED.
  void set_aside(PackedId id, const Run& run, const VersionId& version);
  /// Makes up to `max` runs that were set aside ready again, the first in order first. How many.
  std::size_t put_back(const TaskId& task, const std::optional<VersionId>& version, std::size_t max);

  /// How far timer time is ahead of the wall clock from now on.
  void set_ahead(Duration ahead) { due.ahead = tokens.ahead = ahead; }
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
  WaitIndex wait_index;  // WAITING
  VersionLocks locks;
  MetadataCache metadata;
  ScheduleIndex schedules;
  DueTimes tokens;  // that wait: timeout_at

 private:
  struct Place {
    QueueName queue;
    std::string key;
    Time order{};
  };
  static Status read_queues(const Database& db, HotState& state);
  static Status read_processes(const Database& db, RunStatus status, HotState& state);
  static Status read_waits(const Database& db, HotState& state);
  static Status read_tokens(const Database& db, HotState& state);
  /// Reads from the run what its entry does not tell yet.
  static Status complete(const Database& db, PackedId id, Waiting& waiting);
  void enter_waiting(PackedId id, RunStatus status, const Waiting& waiting);

  std::unordered_map<PackedId, Place> unpublished_;  // QUEUED, but not durably so
  std::array<std::uint64_t, static_cast<std::size_t>(RunStatus::kExpired) + 1> counts_{};
};

}  // namespace perdure::store::rocks
