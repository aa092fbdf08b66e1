// How attempts end: finish_attempt, and recover for those whose host died. See rocks_store.h.
#include <utility>

#include "store/rocks/rocks_store.h"

namespace perdure::store::rocks {
namespace {

RunEvent event_of(GiveUp gave_up) {
  switch (gave_up.status) {
    case RunStatus::kCrashed:
      return RunEvent::kCrashed;
    case RunStatus::kTimedOut:
      return RunEvent::kTimedOut;
    case RunStatus::kSystemFailure:
      return RunEvent::kGaveUp;
    case RunStatus::kCanceled:
      return RunEvent::kCanceled;
    case RunStatus::kExpired:
      return RunEvent::kExpired;
    default:
      return RunEvent::kFailed;
  }
}

AttemptStatus attempt_status_of(const Failure& failure) {
  if (failure.kind == FailureKind::kHostLost) return AttemptStatus::kLost;
  if (failure.kind == FailureKind::kCanceled) return AttemptStatus::kCanceled;
  return AttemptStatus::kFailed;
}

bool frees_its_key(RunStatus status) {
  return is_final(status) && status != RunStatus::kCompleted && status != RunStatus::kCanceled;
}

}  // namespace

Status RocksStore::free_idempotency_key(const Run& run, Batch& batch) const {
  const std::string& key = run.options.idempotency_key;
  if (key.empty() || !frees_its_key(run.status)) return Status::ok();
  const std::string stored_under = key_key(KeyKind::kIdempotency, run.task, key);
  std::string bytes;
  const Status got = database_->get(Family::kKeys, stored_under, bytes);
  if (got.code() == Code::kNotFound) return Status::ok();
  if (!got) return got;
  const Result<KeyRecord> record = decode_key(bytes);
  if (!record) return record.status();
  if (unpack(record->run) == run.id) batch.erase(Family::kKeys, stored_under);
  return Status::ok();
}

Result<Run> RocksStore::repeated_end(const AttemptEnd& end) const {
  const std::string what = "attempt " + std::to_string(end.number) + " of run " + end.run.text();
  const std::optional<PackedId> id = pack(end.run);
  if (!id) return Status::not_found("there is no run " + end.run.text());
  Result<RunRecord> record = stored_run(*database_, *id);
  if (!record) return record.status();
  std::string bytes;
  const Status got = database_->get(Family::kAttempts, attempt_key(*id, end.number), bytes);
  if (got.code() == Code::kNotFound) return Status::conflict(what + " has not begun");
  if (!got) return got;
  const Result<Attempt> attempt = decode_attempt(end.run, bytes);
  if (!attempt) return attempt.status();
  if (attempt->token != end.token) return Status::conflict(what + " belongs to another host; its outcome stands");
  if (record->run.attempts != end.number) return Status::conflict(what + " is over; a later attempt has begun");
  return std::move(record->run);
}

Result<RunChange> RocksStore::end_attempt(Executing executing, AttemptEnd& end, Batch& batch) {
  const PackedId id = *pack(end.run);
  RunChange change(id, std::move(executing.record));
  Attempt& attempt = executing.attempt;
  Run& run = change.run();
  attempt.ended_at = end.now;
  attempt.usage = end.usage;
  run.executed += end.usage.duration;
  Status applied;
  if (!end.failure) {
    attempt.status = AttemptStatus::kSucceeded;
    run.failure.reset();
    applied = change.apply(RunEvent::kSucceeded, end.now, end.number);
    batch.put(Family::kPayloads, payload_key(id, PayloadPart::kOutput), end.output);
  } else {
    const bool lost = end.failure->kind == FailureKind::kHostLost;
    attempt.status = attempt_status_of(*end.failure);
    attempt.failure = end.failure;
    run.failure = end.failure;
    if (lost) ++run.host_losses;
    if (const RetryAt* retry = std::get_if<RetryAt>(&end.after)) {
      const bool at_once = retry->at <= end.now;
      if (!at_once) run.ready_at = retry->at;
      applied = change.apply(lost && at_once ? RunEvent::kHostLost
                             : at_once       ? RunEvent::kRetryNow
                                             : RunEvent::kRetryLater,
                             end.now, end.number);
    } else {
      applied = change.apply(event_of(std::get<GiveUp>(end.after)), end.now, end.number);
    }
  }
  if (!applied) return applied;
  if (is_final(run.status)) run.finished_at = end.now;
  if (Status freed = free_idempotency_key(run, batch); !freed) return freed;
  if (!end.logs.empty()) {
    if (Status numbered = number_logs(id, executing.log_sequence, end.logs); !numbered) return numbered;
    batch.put(Family::kLogs, log_key(id, *executing.log_sequence), encode(end.logs));
  }
  batch.put(Family::kAttempts, attempt_key(id, end.number), encode(attempt));
  change.write(batch);
  return change;
}

void RocksStore::finish_attempt(AttemptEnd end, Done<Run> done) {
  const std::optional<PackedId> id = pack(end.run);
  Lock lock(mutex_);
  auto answer = [&](Result<Run> result) {
    lock.unlock();
    done(std::move(result));
  };
  if (!health_) return answer(refused());
  saw_time(end.now);
  auto found = id ? hot_.executing.find(*id) : hot_.executing.end();
  if (found == hot_.executing.end() || found->second.attempt.number != end.number ||
      found->second.attempt.token != end.token) {
    Result<Run> repeated = repeated_end(end);
    if (!repeated) return answer(repeated.status());
    if (std::optional<Run> now = after_sync(done, std::move(*repeated))) answer(std::move(*now));
    return;
  }
  Batch batch(*database_);
  const Run before = found->second.record.run;
  Result<RunChange> change = end_attempt(found->second, end, batch);
  if (!change) return answer(change.status());
  const std::optional<Time> due_before = hot_.next_due();
  leave(*id, before);
  settle(*change);
  if (is_final(change->run().status)) put_finished_counts(batch);
  if (Status written = write(batch); !written) return answer(written);
  if (hot_.next_due() != due_before) group_.due_changed = true;
  if (std::optional<Run> now = after_sync(done, std::move(change->run()))) answer(std::move(*now));
}

void RocksStore::recover(Time now, Done<std::size_t> done) {
  Lock lock(mutex_);
  auto answer = [&](Result<std::size_t> result) {
    lock.unlock();
    done(std::move(result));
  };
  if (!health_) return answer(refused());
  saw_time(now);
  std::vector<PackedId> lost;
  for (const auto& [id, executing] : hot_.executing) lost.push_back(id);
  for (const PackedId id : lost) {
    Executing& executing = hot_.executing.at(id);
    const Run before = executing.record.run;
    AttemptEnd end;
    end.run = before.id;
    end.number = executing.attempt.number;
    end.now = now;
    end.failure =
        Failure{FailureKind::kHostLost, "HostLost", "the host or its machine died while the attempt executed", {}, {}};
    end.after = RetryAt{now};
    if (before.host_losses + 1 >= kMaxHostLosses) end.after = GiveUp{RunStatus::kSystemFailure};
    Batch batch(*database_);
    Result<RunChange> change = end_attempt(executing, end, batch);
    if (!change) return answer(change.status());
    leave(id, before);
    settle(*change);
    if (is_final(change->run().status)) put_finished_counts(batch);
    if (Status written = write(batch); !written) return answer(written);
  }
  if (std::optional<std::size_t> durable = after_sync(done, lost.size())) answer(*durable);
}

}  // namespace perdure::store::rocks
