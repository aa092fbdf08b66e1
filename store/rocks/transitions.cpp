// What happens to runs that do not execute: cancel, wake_due, release; and log lines. See rocks_store.h.
#include <algorithm>
#include <utility>

#include "store/rocks/rocks_store.h"

namespace perdure::store::rocks {
namespace {

constexpr std::size_t kRunsPerBatch = 256;

// {"reason":"…"}
std::string reason_json(const std::string& reason) {
  if (reason.empty()) return {};
  static constexpr char kHex[] = "0123456789abcdef";
  std::string json = "{\"reason\":\"";
  for (const char c : reason) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (byte < 0x20) {
      json += "\\u00";
      json += kHex[byte >> 4];
      json += kHex[byte & 15];
    } else {
      json += c;
    }
  }
  return json + "\"}";
}

}  // namespace

void RocksStore::cancel(const RunId& run, Time now, const std::string& reason, Done<Run> done) {
  const std::optional<PackedId> id = pack(run);
  if (!id) return done(Status::not_found("there is no run " + run.text()));
  Lock lock(mutex_);
  auto answer = [&](Result<Run> result) {
    lock.unlock();
    done(std::move(result));
  };
  if (!health_) return answer(refused());
  saw_time(now);
  Result<RunRecord> record = stored_run(*database_, *id);
  if (!record) return answer(record.status());
  if (hot_.executing.contains(*id)) {
    return answer(Status::conflict("run " + run.text() + " is executing; end its attempt to cancel it"));
  }
  if (!is_final(record->run.status)) {
    const Run before = record->run;
    RunChange change(*id, std::move(*record));
    if (std::optional<Attempt>& attempt = change.record().attempt; attempt && !attempt->ended_at) {  // evicted
      attempt->status = AttemptStatus::kCanceled;
      attempt->ended_at = now;
    }
    if (Status applied = change.apply(RunEvent::kCanceled, now, 0, reason_json(reason)); !applied) {
      return answer(applied);
    }
    Batch batch(*database_);
    change.write(batch);
    mark_owing(*id, change.run(), batch);
    mark_parent(*id, change.run(), batch);
    leave(*id, before);
    settle(change);
    put_finished_counts(batch);
    if (Status written = write(batch); !written) return answer(written);
    record = change.record();
  }
  if (std::optional<Run> durable = after_sync(done, std::move(record->run))) answer(std::move(*durable));
}

Result<std::size_t> RocksStore::change_many(const std::vector<PackedId>& ids, Lock& lock,
                                            const std::function<Result<bool>(RunChange&, Batch&)>& change_one) {
  std::size_t changed = 0;
  for (std::size_t begin = 0; begin < ids.size(); begin += kRunsPerBatch) {
    if (begin > 0) {  // let others in between
      lock.unlock();
      lock.lock();
      if (!health_) return refused();
    }
    Batch batch(*database_);
    bool finished = false;
    for (std::size_t i = begin; i < std::min(ids.size(), begin + kRunsPerBatch); ++i) {
      Result<RunRecord> record = stored_run(*database_, ids[i]);
      if (record.status().code() == Code::kCorruption) {
        leave_alone(ids[i], record.status());
        continue;
      }
      if (!record) return must_reopen(record.status());
      const Run before = record->run;
      RunChange change(ids[i], std::move(*record));
      Result<bool> does = change_one(change, batch);
      if (!does) return must_reopen(does.status());
      if (!*does) continue;
      change.write(batch);
      leave(ids[i], before);
      settle(change);
      finished = finished || is_final(change.run().status);
      ++changed;
    }
    if (batch.empty()) continue;
    if (finished) put_finished_counts(batch);
    if (Status written = write(batch); !written) return written;
  }
  return changed;
}

void RocksStore::leave_alone(PackedId id, const Status& why) {
  hot_.due.erase(id);
  for (auto& [task, held] : hot_.held) held.erase(id);
  if (options_.log) options_.log(LogSinkLevel::kError, "run " + unpack(id).text() + " is left alone: " + why.message());
}

void RocksStore::go_on(bool durable) {
  for (const PackedId id : hot_.wait_index.take_over()) {
    if (durable) {
      hot_.publish(id);
    } else {
      group_.queued.push_back(id);
    }
    group_.slots_freed = true;
  }
}

void RocksStore::wake_due(Time now, Done<std::size_t> done) {
  Lock lock(mutex_);
  auto answer = [&](Result<std::size_t> result) {
    lock.unlock();
    done(std::move(result));
  };
  if (!health_) return answer(refused());
  saw_time(now);
  if (hot_.ready.advance(now + hot_.due.ahead)) group_.slots_freed = true;
  const auto waits = [this](PackedId id) { return hot_.wait_index.find(id) != nullptr; };
  for (const PackedId id : hot_.due.take_due(now, waits)) hot_.wait_index.time_over(id);
  go_on(!dirty_ && !syncing_);
  const std::vector<PackedId> due = hot_.due.until(now);
  Result<std::size_t> changed = change_many(due, lock, [&](RunChange& change, Batch& batch) -> Result<bool> {
    Run& run = change.run();
    if (run.expires_at && *run.expires_at <= now && !run.started_at && !is_final(run.status)) {
      if (Status applied = change.apply(RunEvent::kExpired, now); !applied) return applied;
      if (Status freed = free_idempotency_key(run, batch); !freed) return freed;
      mark_owing(change.id(), run, batch);
      return true;
    }
    if (run.status != RunStatus::kDelayed || !run.ready_at || *run.ready_at > now) return false;
    if (Status applied = change.apply(RunEvent::kDue, now); !applied) return applied;
    return true;
  });
  if (!changed) return answer(changed.status());
  const Result<std::size_t> timed_out = time_out_tokens(now, lock);
  if (!timed_out) return answer(timed_out.status());
  if (group_.slots_freed) wake_commit_thread();
  if (std::optional<std::size_t> durable = after_sync(done, *changed + *timed_out)) answer(*durable);
}

void RocksStore::release(const std::vector<TaskId>& tasks, Time now, Done<std::size_t> done) {
  Lock lock(mutex_);
  auto answer = [&](Result<std::size_t> result) {
    lock.unlock();
    done(std::move(result));
  };
  if (!health_) return answer(refused());
  saw_time(now);
  const auto release_one = [&](RunChange& change, Batch&) -> Result<bool> {
    if (change.run().status != RunStatus::kPendingVersion) return false;
    if (Status applied = change.apply(RunEvent::kReleased, now); !applied) return applied;
    return true;
  };
  std::size_t released = 0;
  for (const TaskId& task : tasks) {
    std::vector<PackedId> some = hot_.held_after(task, {}, kRunsPerBatch);
    while (!some.empty()) {
      const Result<std::size_t> changed = change_many(some, lock, release_one);
      if (!changed) return answer(changed.status());
      released += *changed;
      lock.unlock();  // let others in between
      lock.lock();
      if (!health_) return answer(refused());
      some = hot_.held_after(task, some.back(), kRunsPerBatch);
    }
  }
  if (std::optional<std::size_t> durable = after_sync(done, released)) answer(*durable);
}

Status RocksStore::number_logs(PackedId id, std::optional<std::uint64_t>& last, std::vector<LogEntry>& entries) const {
  if (!last) {
    Scan scan = database_->scan(Family::kLogs, run_key(id));
    scan.seek_back(std::string(8, '\xff'));
    last = scan.valid() ? u64_at_end(scan.key()) : 0;
    if (Status read = scan.status(); !read) return read;
  }
  for (LogEntry& entry : entries) entry.sequence = ++*last;
  return Status::ok();
}

void RocksStore::append_logs(const RunId& run, std::vector<LogEntry> entries) {
  const std::optional<PackedId> id = pack(run);
  if (!id || entries.empty()) return;
  Lock lock(mutex_);
  if (!health_) return;
  std::optional<std::uint64_t> unknown;
  auto found = hot_.executing.find(*id);
  if (found == hot_.executing.end() && !stored_run(*database_, *id)) return;
  std::optional<std::uint64_t>& last = found == hot_.executing.end() ? unknown : found->second.log_sequence;
  if (!number_logs(*id, last, entries)) return;
  Batch batch(*database_);
  batch.put(Family::kLogs, log_key(*id, *last), encode(entries));
  if (write(batch) && commit_thread_idle_) wake_commit_thread();
}

void RocksStore::append_events(const RunId& run, std::vector<TimelineEvent> events) {
  const std::optional<PackedId> id = pack(run);
  if (!id || events.empty()) return;
  Lock lock(mutex_);
  if (!health_) return;
  const auto executing = hot_.executing.find(*id);
  Result<RunRecord> record = executing != hot_.executing.end() ? Result<RunRecord>(std::move(executing->second.record))
                                                               : stored_run(*database_, *id);
  if (!record) return;
  RunChange change(*id, std::move(*record));
  for (TimelineEvent& each : events) change.note(std::move(each));
  Batch batch(*database_);
  change.write(batch);
  if (executing != hot_.executing.end()) executing->second.record = std::move(change.record());
  if (write(batch) && commit_thread_idle_) wake_commit_thread();
}

}  // namespace perdure::store::rocks
