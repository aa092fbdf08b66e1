// How runs wait: begin_wait, evict, and going on again. See rocks_store.h.
#include <algorithm>
#include <utility>

#include "store/rocks/live_records.h"
#include "store/rocks/rocks_store.h"
#include "store/rocks/waited_for.h"

namespace perdure::store::rocks {

Result<PackedId> RocksStore::process_of(const RunId& run, std::uint32_t number, const std::string& token) const {
  const std::optional<PackedId> id = pack(run);
  if (!id) return Status::not_found("there is no run " + run.text());
  const auto found = hot_.executing.find(*id);
  if (found == hot_.executing.end()) {
    const Result<RunRecord> there = stored_run(*database_, *id);
    return there ? not_executing(run, number) : there.status();
  }
  const Attempt& attempt = *found->second.record.attempt;
  if (attempt.number != number || attempt.token != token) return not_executing(run, number);
  return *id;
}

Result<std::vector<bool>> RocksStore::what_came(const RecordedCall& call, Time now) const {
  std::vector<bool> came;
  for (const Waitpoint& member : call.wait.members) {
    Result<bool> has_come = member.kind == WaitpointKind::kTime ? Result<bool>(call.until && *call.until <= now)
                                                                : is_over(*database_, member);
    if (!has_come) return has_come.status();
    came.push_back(*has_come);
  }
  return came;
}

void RocksStore::put_call(PackedId run, std::uint64_t number, RecordedCall call, Batch& batch) {
  if (call.until && !call.calendar) *call.until += batch.ahead();
  batch.put(Family::kLive, call_key(run, number), encode(call));
}

Result<WaitBegun> RocksStore::enter_wait(NewWait& asked, Batch& batch) {
  const Result<PackedId> found = process_of(asked.run, asked.number, asked.token);
  if (!found) return found.status();
  const PackedId id = *found;
  Executing& executing = hot_.executing.at(id);
  if (const auto& waits = executing.record.wait;
      executing.record.run.status == RunStatus::kWaiting && waits && waits->call == asked.wait.call) {
    const Result<std::optional<RecordedCall>> again = stored_call(*database_, id, asked.wait.call);
    if (!again) return again.status();
    if (!*again) return Status::corruption("the wait of run " + asked.run.text() + " is not recorded");
    if (Status same = check_same_call(asked.run, **again, CallKind::kWait, asked.name); !same) return same;
    WaitBegun begun{**again, false};
    begun.call.wait.keeps_slot = waits->keeps_slot;
    return begun;  // claim() says when it is over
  }
  if (executing.record.run.status != RunStatus::kExecuting) {
    return Status::conflict("run " + asked.run.text() + " waits already; an attempt waits for one thing at a time");
  }
  Result<std::optional<RecordedCall>> before = stored_call(*database_, id, asked.wait.call);
  if (!before) return before.status();
  WaitBegun begun;
  if (*before) {
    if (Status same = check_same_call(asked.run, **before, CallKind::kWait, asked.name); !same) return same;
    begun.call = std::move(**before);
    begun.call.wait.keeps_slot = asked.wait.keeps_slot;
  } else {
    begun.call = {CallKind::kWait, std::move(asked.name), {}, {}, std::move(asked.wait), asked.until, asked.calendar};
  }
  RecordedCall& call = begun.call;
  if (call.wait.first) {
    begun.over = true;
    return begun;
  }
  const Result<std::vector<bool>> came = what_came(call, asked.now);
  if (!came) return came.status();
  const bool any = call.wait.mode == WaitMode::kAny;
  begun.over = any ? std::ranges::find(*came, true) != came->end() : std::ranges::find(*came, false) == came->end();
  if (begun.over && any) {
    call.wait.first = static_cast<std::uint32_t>(std::ranges::find(*came, true) - came->begin());
  }
  if (!*before || begun.over) put_call(id, call.wait.call, call, batch);
  if (begun.over) return begun;

  RunChange change(id, std::move(executing.record));
  Executing process = std::move(executing);
  const bool freed = hot_.leave_executing(id, change.run());
  if (call.wait.keeps_slot) {
    hot_.ready.started(change.run().queue, change.run().concurrency_key);
  } else if (freed) {
    group_.slots_freed = true;
  }
  change.run().ready_at = call.until;
  change.run().calendar = call.calendar;
  if (Status applied = change.apply(RunEvent::kWaitBegan, asked.now, asked.number,
                                    wait_event_data(call.name, call.wait, call.until));
      !applied) {
    return must_reopen(applied);
  }
  change.record().wait = call.wait;
  change.write(batch);
  settle(change);
  hot_.enter_wait(id, change.run(), call.wait, *came);
  process.record = std::move(change.record());
  hot_.executing.insert_or_assign(id, std::move(process));
  return begun;
}

void RocksStore::begin_wait(NewWait wait, Done<WaitBegun> done) {
  if (Status checked = check_wait(wait.name, wait.wait, wait.until.has_value()); !checked) return done(checked);
  Lock lock(mutex_);
  auto answer = [&](Result<WaitBegun> result) {
    lock.unlock();
    done(std::move(result));
  };
  if (!health_) return answer(refused());
  saw_time(wait.now);
  const std::optional<Time> due_before = hot_.next_due();
  Batch batch(*database_);
  Result<WaitBegun> begun = enter_wait(wait, batch);
  if (!begun) return answer(begun.status());
  if (!batch.empty()) {
    if (Status written = write(batch); !written) return answer(written);
  }
  note_due_change(due_before);
  if (std::optional<WaitBegun> durable = after_sync(done, std::move(*begun))) answer(std::move(*durable));
}

void RocksStore::evict(const RunId& run, std::uint32_t number, const std::string& token, const Usage& usage,
                       DoneStatus done) {
  Lock lock(mutex_);
  auto answer = [&](const Status& status) {
    lock.unlock();
    done(status);
  };
  if (!health_) return answer(refused());
  const Result<PackedId> found = process_of(run, number, token);
  if (!found) return answer(found.status());
  const PackedId id = *found;
  RunRecord& record = hot_.executing.at(id).record;
  if (record.run.status != RunStatus::kWaiting) {
    return answer(Status::conflict("run " + run.text() + " does not wait, so that its process is needed"));
  }
  if (hot_.wait_index.find(id)->over) {
    return answer(Status::conflict("run " + run.text() + " is to go on, so that its process is needed"));
  }
  RunChange change(id, std::move(record));
  hot_.executing.erase(id);
  Wait& wait = *change.record().wait;
  wait.evicted = true;
  if (std::exchange(wait.keeps_slot, false) && hot_.ready.ended(change.run().queue, change.run().concurrency_key)) {
    group_.slots_freed = true;
    wake_commit_thread();
  }
  Attempt& attempt = *change.record().attempt;
  ++attempt.evictions;
  attempt.pid = 0;
  attempt.usage = attempt.usage + usage;
  change.run().executed += usage.duration;
  hot_.wait_index.evict(id);
  Batch batch(*database_);
  change.write_moved(batch);
  if (Status written = write(batch); !written) return answer(written);
  answer(Status::ok());
}

Status RocksStore::resume(RunChange& change, std::string payload, Claiming& claiming) {
  const WaitIndex::Entry* const entry = hot_.wait_index.find(change.id());
  const Wait wait = entry->wait;
  if (wait.first) {
    Result<std::optional<RecordedCall>> call = stored_call(*database_, change.id(), wait.call);
    if (!call) return call.status();
    if (*call) {
      (*call)->wait.first = wait.first;
      put_call(change.id(), wait.call, std::move(**call), claiming.batch);
    }
  }
  const auto process = hot_.executing.find(change.id());
  Executing executing;
  if (process != hot_.executing.end()) executing = std::move(process->second);
  hot_.leave_wait(change.id(), change.run());
  if (Status resumed = change.apply(RunEvent::kResumed, claiming.now, change.run().attempts); !resumed) return resumed;
  Claim claim;
  claim.run = change.run();
  claim.attempt = *change.record().attempt;
  claim.payload = std::move(payload);
  claim.resumed = wait;
  change.write(claiming.batch);
  settle(change);
  executing.record = std::move(change.record());
  hot_.executing.insert_or_assign(change.id(), std::move(executing));
  claiming.claims.push_back(std::move(claim));
  return Status::ok();
}

// Runs whose wait is over and that kept their slot.
Status RocksStore::resume_in_place(Claiming& claiming) {
  while (const std::optional<PackedId> id = hot_.wait_index.take_resumable()) {
    RunChange change(*id, std::move(hot_.executing.at(*id).record));
    if (Status resumed = resume(change, {}, claiming); !resumed) return resumed;
  }
  return Status::ok();
}

}  // namespace perdure::store::rocks
