// How attempts end: finish_attempt, and recover for those whose host died. See rocks_store.h.
#include <unordered_map>
#include <utility>

#include "store/model/idempotency.h"
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

// What happens to the run.
RunEvent event_of(const AttemptEnd& end) {
  if (!end.failure) return RunEvent::kSucceeded;
  if (const RetryAt* retry = std::get_if<RetryAt>(&end.after)) {
    if (retry->at > end.now) return RunEvent::kRetryLater;
    return end.failure->kind == FailureKind::kHostLost ? RunEvent::kHostLost : RunEvent::kRetryNow;
  }
  return event_of(std::get<GiveUp>(end.after));
}

}  // namespace

Status RocksStore::must_reopen(Status status) {
  health_ = status;
  wake_commit_thread();
  return status;
}

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
  if (end.number == 0 || end.number > record->run.attempts) return Status::conflict(what + " has not begun");
  if (end.number < record->run.attempts) return Status::conflict(what + " is over; a later attempt has begun");
  if (record->attempt->token != end.token)
    return Status::conflict(what + " belongs to another host; its outcome stands");
  const bool was_lost = record->attempt->status == AttemptStatus::kLost;
  if (was_lost && !(end.failure && end.failure->kind == FailureKind::kHostLost)) {
    return Status::conflict(what + " was given up as lost; that stands");
  }
  return std::move(record->run);
}

Result<RunChange> RocksStore::end_attempt(PackedId id, Executing&& executing, RunEvent event, AttemptEnd& end,
                                          Batch& batch) {
  RunChange change(id, std::move(executing.record));
  Run& run = change.run();
  Attempt& attempt = *change.record().attempt;
  leave_executing(id, run);  // `executing` is gone from here on
  attempt.ended_at = end.now;
  attempt.usage = attempt.usage + end.usage;
  attempt.status = AttemptStatus::kSucceeded;
  run.executed += end.usage.duration;
  if (!end.machine.empty()) run.machine = std::move(end.machine);
  run.failure = end.failure;
  if (end.failure) {
    attempt.status = attempt_status_of(*end.failure);
    attempt.failure = std::move(end.failure);
    if (attempt.status == AttemptStatus::kLost) ++run.host_losses;
  } else {
    batch.put(Family::kPayloads, payload_key(id, PayloadPart::kOutput), end.output);
  }
  for (TimelineEvent& each : end.events) change.note(std::move(each));
  if (event == RunEvent::kRetryLater) {
    run.ready_at = std::get<RetryAt>(end.after).at;
    run.calendar = std::get<RetryAt>(end.after).calendar;
  }
  if (Status applied = change.apply(event, end.now, end.number); !applied) return applied;
  if (Status freed = free_idempotency_key(run, batch); !freed) return freed;
  change.write(batch);
  settle(change);
  if (is_final(run.status)) put_finished_counts(batch);
  if (end.owes_hooks && is_final(run.status)) batch.put(Family::kOwed, run_key(id), {});
  mark_parent(id, run, batch);
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
  const Attempt* attempt = found == hot_.executing.end() ? nullptr : &*found->second.record.attempt;
  if (attempt == nullptr || attempt->number != end.number || attempt->token != end.token) {
    Result<Run> repeated = repeated_end(end);
    if (!repeated) return answer(repeated.status());
    if (std::optional<Run> now = after_sync(done, std::move(*repeated))) answer(std::move(*now));
    return;
  }
  const RunEvent event = event_of(end);
  if (!transition(found->second.record.run.status, event)) {
    return answer(
        Status::conflict("an attempt of run " + end.run.text() + " cannot end as " + std::string(event_name(event))));
  }
  Result<Children> children = event == RunEvent::kSucceeded ? plan_children(end) : Children();
  if (!children) return answer(children.status());
  Batch batch(*database_);
  if (!end.logs.empty()) {
    std::optional<std::uint64_t>& last = found->second.log_sequence;
    if (Status numbered = number_logs(*id, last, end.logs); !numbered) return answer(numbered);
    batch.put(Family::kLogs, log_key(*id, *last), encode(end.logs));
  }
  const std::optional<Time> due_before = hot_.next_due();
  Result<RunChange> change = end_attempt(*id, std::move(found->second), event, end, batch);
  if (!change) return answer(must_reopen(change.status()));
  // Not in group_.created: should the sync fail and the batch have survived, they stand as the end does.
  create_children(std::move(*children), end, batch);
  if (Status written = write(batch); !written) return answer(written);
  note_due_change(due_before);
  if (std::optional<Run> now = after_sync(done, std::move(change->run()))) answer(std::move(*now));
}

void RocksStore::recover(Time now, const std::vector<AdoptedAttempt>& adopted, Done<std::size_t> done) {
  Lock lock(mutex_);
  auto answer = [&](Result<std::size_t> result) {
    lock.unlock();
    done(std::move(result));
  };
  if (!health_) return answer(refused());
  saw_time(now);
  const std::optional<Time> due_before = hot_.next_due();
  std::vector<PackedId> lost;
  std::unordered_map<RunId, const AdoptedAttempt*> known;
  for (const AdoptedAttempt& each : adopted) known.emplace(each.run, &each);
  for (const auto& [id, executing] : hot_.executing) {
    const auto goes_on = known.find(executing.record.run.id);
    if (goes_on == known.end() || !goes_on->second->is(*executing.record.attempt)) lost.push_back(id);
  }
  for (const PackedId id : lost) {
    Executing& executing = hot_.executing.at(id);
    const Run& run = executing.record.run;
    AttemptEnd end;
    end.run = run.id;
    end.number = executing.record.attempt->number;
    end.now = now;
    end.failure =
        Failure{FailureKind::kHostLost, "HostLost", "the host or its machine died while the attempt executed", {}, {}};
    end.after = RetryAt{now};
    if (run.host_losses + 1 >= kMaxHostLosses) end.after = GiveUp{RunStatus::kSystemFailure};
    Batch batch(*database_);
    Result<RunChange> change = end_attempt(id, std::move(executing), event_of(end), end, batch);
    if (!change) return answer(must_reopen(change.status()));
    if (is_final(change->run().status)) mark_owing(id, change->run(), batch);
    if (Status written = write(batch); !written) return answer(written);
  }
  note_due_change(due_before);
  if (std::optional<std::size_t> durable = after_sync(done, lost.size())) answer(*durable);
}

}  // namespace perdure::store::rocks
