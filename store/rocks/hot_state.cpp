// See hot_state.h.
#include "store/rocks/hot_state.h"

#include <algorithm>

#include "store/rocks/queue_records.h"
#include "store/rocks/token_record.h"
#include "store/rocks/waited_for.h"

namespace perdure::store::rocks {

namespace {
Status cut_short(const std::string& where) {
  return Status::corruption("a key of the " + where + " is cut short; restore the store from a backup");
}
}  // namespace

bool waits(RunStatus status) { return status <= RunStatus::kQueued; }

Time order_of(const Run& run) {
  const Time order = run.updated_at - run.priority;
  return run.status == RunStatus::kWaiting ? order - kResumedFirst : order;
}

Waiting waiting_of(const Run& run) {
  Waiting waiting{run.task, run.queue,   run.concurrency_key, order_of(run), {},
                  {},       run.version, run.priority,        run.calendar,  {}};
  if (run.status == RunStatus::kDelayed || run.status == RunStatus::kWaiting) waiting.ready_at = run.ready_at;
  if (!run.started_at) waiting.expires_at = run.expires_at;
  return waiting;
}

Waiting waiting_of(const RunRecord& record) {
  Waiting waiting = waiting_of(record.run);
  waiting.wait = record.wait;
  return waiting;
}

void HotState::enter_waiting(PackedId id, RunStatus status, const Waiting& waiting) {
  const bool calendar = status == RunStatus::kDelayed && waiting.calendar;
  if (status == RunStatus::kDelayed && waiting.ready_at) due.add(*waiting.ready_at, calendar, id);
  if (waiting.expires_at) due.add(*waiting.expires_at, calendar, id);
  if (status == RunStatus::kPendingVersion) held[waiting.task].insert(id);
  if (status == RunStatus::kQueued) {
    unpublished_.insert_or_assign(id, Place{waiting.queue, waiting.concurrency_key, waiting.order});
  }
}

void HotState::enter(PackedId id, const Run& run) {
  ++count(run.status);
  if (!is_final(run.status)) {
    locks.add(run.version);
    queues.enter(run.queue, run.status, run.updated_at);
  }
  if (waits(run.status)) enter_waiting(id, run.status, waiting_of(run));
  if (run.status == RunStatus::kWaiting && run.ready_at) due.add(*run.ready_at, run.calendar, id);
}

void HotState::enter_wait(PackedId id, const Run& run, Wait wait, const std::vector<bool>& came) {
  wait_index.add(id, {run.queue, run.concurrency_key, order_of(run), std::move(wait)}, came);
}

void HotState::leave_wait(PackedId id, const Run& run) {
  --count(RunStatus::kWaiting);
  locks.drop(run.version);
  queues.leave(run.queue, RunStatus::kWaiting, {});
  if (run.ready_at) due.erase(*run.ready_at, run.calendar, id);
  executing.erase(id);
  wait_index.remove(id);
}

bool HotState::leave(PackedId id, const Run& run) {
  if (run.status == RunStatus::kExecuting || run.status == RunStatus::kWaiting) return leave_executing(id, run);
  --count(run.status);
  locks.drop(run.version);
  queues.leave(run.queue, run.status, run.updated_at);
  const bool delayed = run.status == RunStatus::kDelayed, calendar = delayed && run.calendar;
  if (run.ready_at && delayed) due.erase(*run.ready_at, calendar, id);
  if (run.expires_at) due.erase(*run.expires_at, calendar, id);
  if (run.status == RunStatus::kPendingVersion) {
    auto of = held.find(run.task);
    if (of != held.end()) {
      of->second.erase(id);
      if (of->second.empty()) held.erase(of);
    }
  }
  if (run.status == RunStatus::kQueued && unpublished_.erase(id) == 0) {
    const Time order = order_of(run);
    if (!ready.remove(run.queue, run.concurrency_key, order, id)) aside.remove(run.task, order, id);
  }
  return false;
}

bool HotState::leave_executing(PackedId id, const Run& run) {
  if (run.status == RunStatus::kWaiting) {
    const WaitIndex::Entry* const entry = wait_index.find(id);
    const bool kept_slot = entry != nullptr && entry->wait.keeps_slot;
    const Time order = order_of(run);
    if (!kept_slot && !ready.remove(run.queue, run.concurrency_key, order, id)) aside.remove(run.task, order, id);
    leave_wait(id, run);
    return kept_slot && ready.ended(run.queue, run.concurrency_key);
  }
  --count(RunStatus::kExecuting);
  locks.drop(run.version);
  queues.leave(run.queue, RunStatus::kExecuting, {});
  executing.erase(id);
  return ready.ended(run.queue, run.concurrency_key);
}

void HotState::publish(PackedId id) {
  auto found = unpublished_.find(id);
  if (found == unpublished_.end()) {
    const WaitIndex::Entry* const over = wait_index.publish(id);
    if (over != nullptr && !over->wait.keeps_slot) ready.add(over->queue, over->key, over->order, id);
    return;
  }
  ready.add(found->second.queue, found->second.key, found->second.order, id);
  unpublished_.erase(found);
}

std::vector<PackedId> HotState::held_after(const TaskId& task, PackedId after, std::size_t max) const {
  std::vector<PackedId> runs;
  const auto of = held.find(task);
  if (of == held.end()) return runs;
  for (auto at = of->second.upper_bound(after); at != of->second.end() && runs.size() < max; ++at) runs.push_back(*at);
  return runs;
}

void HotState::set_aside(PackedId id, const Run& run, const VersionId& version) {
  aside.add(run.task, version, {id, run.queue, run.concurrency_key, order_of(run)});
}

std::size_t HotState::put_back(const TaskId& task, const std::optional<VersionId>& version, std::size_t max) {
  std::size_t count = 0;
  for (; count < max; ++count) {
    const std::optional<AsideRun> back = aside.take(task, version);
    if (!back) break;
    ready.add(back->queue, back->key, back->order, back->run);
  }
  return count;
}

std::optional<Time> HotState::next_due() const {
  std::optional<Time> first = ready.next_open();
  if (first) *first -= due.ahead;
  for (const std::optional<Time>& next : {due.next(), tokens.next()}) {
    if (next && (!first || *next < *first)) first = next;
  }
  return first;
}

FinishedCounts HotState::finished() const {
  FinishedCounts counts{};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    counts[i] = counts_[static_cast<std::size_t>(RunStatus::kCompleted) + i];
  }
  return counts;
}

// Entries that are complete need no look at the run; nor does a run that cannot be read stop the store from opening.
Status HotState::complete(const Database& db, PackedId id, Waiting& waiting) {
  if (waiting.version && waiting.priority) return Status::ok();
  waiting.version.emplace();
  waiting.priority.emplace(0);
  std::string bytes;
  if (Status got = db.get(Family::kRuns, run_key(id), bytes); !got) {
    return got.code() == Code::kNotFound ? Status::ok() : got;
  }
  const Result<RunRecord> record = decode_run(id, bytes);
  if (!record) return Status::ok();
  waiting.version = record->run.version;
  waiting.priority = record->run.priority;
  return Status::ok();
}

bool HotState::set(const QueueName& queue, const QueueSettings& settings) {
  queues.set(queue, settings);
  return ready.limit(queue, settings);
}

Status HotState::read_queues(const Database& db, HotState& state) {
  Scan settings = db.scan(Family::kQueues, queue_prefix(QueuePart::kSettings));
  for (; settings.valid(); settings.next()) {
    const Result<QueueSettings> of = decode_queue(settings.value());
    if (!of) return of.status();
    state.set(QueueName(std::string(settings.key().substr(1))), *of);
  }
  if (!settings.status()) return settings.status();
  Scan windows = db.scan(Family::kQueues, queue_prefix(QueuePart::kStarts));
  for (; windows.valid(); windows.next()) {
    Result<RateWindow> window = decode_window(windows.value());
    if (!window) return window.status();
    const std::optional<SubQueueName> of = sub_queue_in_key(windows.key());
    if (!of) return cut_short("queues");
    state.ready.restore(of->first, of->second, std::move(*window));
  }
  return windows.status();
}

// The runs that have a process, or had one when the host ended.
Status HotState::read_processes(const Database& db, RunStatus status, HotState& state) {
  std::string bytes;
  Scan scan = db.scan(Family::kByStatus, status_prefix(status));
  for (; scan.valid(); scan.next()) {
    const std::optional<PackedId> id = run_in_key(scan.key(), 1);
    if (!id) return cut_short("status index");
    if (status == RunStatus::kWaiting) {
      const Result<Waiting> waiting = decode_waiting(scan.value());
      if (!waiting) return waiting.status();
      if (waiting->wait && waiting->wait->evicted) continue;
    }
    if (Status got = db.get(Family::kRuns, run_key(*id), bytes); !got) return got;
    Result<RunRecord> record = decode_run(*id, bytes);
    if (!record) return record.status();
    if (!record->attempt) {
      return Status::corruption("run " + record->run.id.text() + " executes without an attempt; " +
                                "restore the store from a backup");
    }
    to_wall(record->run, db.ahead());
    if (status == RunStatus::kExecuting) {
      ++state.count(status);
      state.locks.add(record->run.version);
      state.queues.enter(record->run.queue, status, {});
      state.ready.started(record->run.queue, record->run.concurrency_key);
    }
    state.executing.emplace(*id, Executing{std::move(*record), std::nullopt});
  }
  return scan.status();
}

// What the WAITING runs wait for; after the processes, which may be among it.
Status HotState::read_waits(const Database& db, HotState& state) {
  Scan scan = db.scan(Family::kByStatus, status_prefix(RunStatus::kWaiting));
  for (; scan.valid(); scan.next()) {
    const std::optional<PackedId> id = run_in_key(scan.key(), 1);
    if (!id) return cut_short("status index");
    Result<Waiting> waiting = decode_waiting(scan.value());
    if (!waiting) return waiting.status();
    if (!waiting->wait) {
      return Status::corruption("run " + unpack(*id).text() + " waits for nothing; restore the store from a backup");
    }
    to_wall(*waiting, RunStatus::kWaiting, db.ahead());
    ++state.count(RunStatus::kWaiting);
    if (waiting->version) state.locks.add(*waiting->version);
    state.queues.enter(waiting->queue, RunStatus::kWaiting, {});
    if (waiting->ready_at) state.due.add(*waiting->ready_at, waiting->calendar, *id);
    if (waiting->wait->keeps_slot) state.ready.started(waiting->queue, waiting->concurrency_key);
    std::vector<bool> came;
    for (const Waitpoint& member : waiting->wait->members) {
      const Result<bool> has_come = is_over(db, member);
      if (!has_come) return has_come.status();
      came.push_back(*has_come);
    }
    state.wait_index.add(
        *id,
        {std::move(waiting->queue), std::move(waiting->concurrency_key), waiting->order, std::move(*waiting->wait)},
        came);
  }
  for (const PackedId run : state.wait_index.take_over()) state.publish(run);
  return scan.status();
}

Status HotState::read_tokens(const Database& db, HotState& state) {
  const std::string prefix = token_status_prefix(TokenStatus::kWaiting);
  Scan scan = db.scan(Family::kTokens, prefix);
  for (; scan.valid(); scan.next()) {
    const std::optional<PackedId> id = run_in_key(scan.key(), prefix.size());
    if (!id) return cut_short("tokens");
    const Result<TokenTimeout> timeout = decode_token_timeout(scan.value(), db.ahead());
    if (!timeout) return timeout.status();
    state.tokens.add(timeout->at, timeout->calendar, *id);
  }
  return scan.status();
}

Result<HotState> HotState::rebuild(const Database& db) {
  HotState state;
  state.set_ahead(db.ahead());
  std::string bytes;
  if (Status got = db.get(Family::kMeta, meta_key::kFinished, bytes); got) {
    Result<FinishedCounts> counts = decode_finished(bytes);
    if (!counts) return counts.status();
    for (std::size_t i = 0; i < counts->size(); ++i) {
      state.counts_[static_cast<std::size_t>(RunStatus::kCompleted) + i] = (*counts)[i];
    }
  } else if (got.code() != Code::kNotFound) {
    return got;
  }

  if (Status read = read_queues(db, state); !read) return read;
  if (Status read = read_tokens(db, state); !read) return read;
  for (auto status = RunStatus::kPendingVersion; waits(status);
       status = static_cast<RunStatus>(static_cast<int>(status) + 1)) {
    Scan scan = db.scan(Family::kByStatus, status_prefix(status));
    for (; scan.valid(); scan.next()) {
      const std::optional<PackedId> id = run_in_key(scan.key(), 1);
      if (!id) return cut_short("status index");
      Result<Waiting> waiting = decode_waiting(scan.value());
      if (!waiting) return waiting.status();
      if (Status completed = complete(db, *id, *waiting); !completed) return completed;
      to_wall(*waiting, status, db.ahead());
      ++state.count(status);
      state.locks.add(*waiting->version);
      state.queues.enter(waiting->queue, status, waiting->order + *waiting->priority);
      state.enter_waiting(*id, status, *waiting);
      if (status == RunStatus::kQueued) state.publish(*id);
    }
    if (!scan.status()) return scan.status();
  }

  for (const RunStatus status : {RunStatus::kExecuting, RunStatus::kWaiting}) {
    if (Status read = read_processes(db, status, state); !read) return read;
  }
  if (Status read = read_waits(db, state); !read) return read;
  Result<ScheduleIndex> schedules = ScheduleIndex::rebuild(db);
  if (!schedules) return schedules.status();
  state.schedules = std::move(*schedules);
  return state;
}

}  // namespace perdure::store::rocks
