// How runs come to be: enqueue, with its idempotency keys and request ids. See rocks_store.h.
#include <utility>

#include "store/model/idempotency.h"
#include "store/rocks/live_records.h"
#include "store/rocks/rocks_store.h"

namespace perdure::store::rocks {
namespace {

constexpr std::chrono::minutes kRequestIdKept{10};

void note_permit(const NewRun& created, PackedId run, Batch& batch) {
  if (created.permit.empty()) return;
  batch.put(Family::kKeys, key_key(KeyKind::kPermit, {}, created.permit),
            encode(KeyRecord{run, created.permit_expires + batch.ahead()}));
}

Run new_run(NewRun&& created) {
  Run run;
  run.id = std::move(created.id);
  run.task = std::move(created.task);
  run.queue = std::move(created.queue);
  run.concurrency_key = std::move(created.concurrency_key);
  run.priority = created.priority;
  run.created_at = created.now;
  run.options = std::move(created.options);
  run.origin = std::move(created.origin);
  run.parent = std::move(created.parent);
  run.root = std::move(created.root);
  run.depth = created.depth;
  run.schedule = std::move(created.schedule);
  run.scheduled_for = created.scheduled_for;
  run.batch = std::move(created.batch);
  run.version = created.version;
  run.status = RunStatus::kQueued;
  run.updated_at = created.since.value_or(created.now);
  if (created.delayed_until && *created.delayed_until > run.updated_at) {
    run.status = RunStatus::kDelayed;
    run.ready_at = created.delayed_until;
    run.calendar = created.calendar;
  } else if (created.pending_version) {
    run.status = RunStatus::kPendingVersion;
  }
  if (created.debounce && run.status == RunStatus::kDelayed) {
    run.debounce_key = created.debounce->key;
    if (created.debounce->max_delay) run.debounce_until = created.now + *created.debounce->max_delay;
  }
  if (run.options.ttl && *run.options.ttl > Duration::zero()) {
    run.expires_at = run.ready_at.value_or(run.updated_at) + *run.options.ttl;
  }
  return run;
}

}  // namespace

Result<std::optional<KeyRecord>> RocksStore::live_key(KeyKind kind, const TaskId& task, const std::string& key,
                                                      Time now) const {
  if (key.empty()) return std::optional<KeyRecord>();
  std::string bytes;
  const Status got = database_->get(Family::kKeys, key_key(kind, task, key), bytes);
  if (got.code() == Code::kNotFound) return std::optional<KeyRecord>();
  if (!got) return got;
  Result<KeyRecord> record = decode_key(bytes);
  if (!record) return record.status();
  if (record->expires_at <= now + database_->ahead()) return std::optional<KeyRecord>();
  // The key of a run that was withdrawn (see reopening.cpp) stands for nothing.
  const Status run = database_->get(Family::kRuns, run_key(record->run), bytes);
  if (run.code() == Code::kNotFound) return std::optional<KeyRecord>();
  if (!run) return run;
  return std::optional<KeyRecord>(*record);
}

Status RocksStore::room_for_more() const {
  if (space_->may_grow()) return Status::ok();
  return Status::no_space("the disk of " + options_.directory + " has less than the reserve of " +
                          std::to_string(space_->reserve_bytes() >> 20) +
                          " MB free, which is kept for runs already accepted; free space there");
}

void RocksStore::create(PackedId id, NewRun created, Batch& batch) {
  batch.put(Family::kPayloads, payload_key(id, PayloadPart::kPayload), created.payload);
  if (created.queue_limit) {
    QueueSettings settings = hot_.queues.settings(created.queue);
    if (std::exchange(settings.triggered, created.queue_limit) != created.queue_limit) {
      change_queue(created.queue, settings, batch);
    }
  }
  const Time now = created.now;
  RunChange change = RunChange::created(id, new_run(std::move(created)), now);
  change.write(batch);
  put_debounce_key(id, change.run(), batch);
  settle(change);
}

void RocksStore::reset_idempotency_key(const TaskId& task, const std::string& key, Time now, Done<RunId> done) {
  Lock lock(mutex_);
  auto answer = [&](Result<RunId> result) {
    lock.unlock();
    done(std::move(result));
  };
  if (!health_) return answer(refused());
  saw_time(now);
  const Result<std::optional<KeyRecord>> known = live_key(KeyKind::kIdempotency, task, key, now);
  if (!known) return answer(known.status());
  if (!*known) return answer(no_run_has(task, key));
  Batch batch(*database_);
  batch.erase(Family::kKeys, key_key(KeyKind::kIdempotency, task, key));
  if (Status written = write(batch); !written) return answer(written);
  if (std::optional<RunId> durable = after_sync(done, unpack((*known)->run))) answer(std::move(*durable));
}

void RocksStore::enqueue(NewRun created, Done<Enqueued> done) {
  const std::optional<PackedId> id = pack(created.id);
  if (!id) {
    return done(Status::invalid("\"" + created.id.text() + "\" is no run id; make one with new_run_id()"));
  }
  Lock lock(mutex_);
  auto answer = [&](Result<Enqueued> result) {
    lock.unlock();
    done(std::move(result));
  };
  if (!health_) return answer(refused());
  saw_time(created.now);

  std::string unused;
  // Nobody can ask again for a call of a run that was removed.
  const std::optional<PackedId> parent = created.call == 0 ? std::nullopt : pack(created.parent);
  if (parent && !database_->get(Family::kRuns, run_key(*parent), unused)) created.call = 0;
  const Result<std::optional<PackedId>> called = called_before(created);
  if (!called) return answer(called.status());
  if (*called) {
    std::optional<Enqueued> now = after_sync(done, Enqueued{unpack(**called), true, true});
    if (now) answer(*now);
    return;
  }
  for (const KeyKind kind : {KeyKind::kRequest, KeyKind::kPermit, KeyKind::kIdempotency}) {
    const std::string& key = kind == KeyKind::kRequest  ? created.request_id
                             : kind == KeyKind::kPermit ? created.permit
                                                        : created.options.idempotency_key;
    const TaskId task = kind == KeyKind::kPermit ? TaskId() : created.task;
    Result<std::optional<KeyRecord>> known = live_key(kind, task, key, created.now);
    if (!known) return answer(known.status());
    if (!*known) continue;
    if (kind == KeyKind::kPermit) return answer(used_up());
    const bool for_once = created.call != 0 || !created.permit.empty();
    if (for_once && kind == KeyKind::kIdempotency) {  // the same answer to it, whatever becomes of the key
      Batch batch(*database_);
      note_call(created, (*known)->run, batch);
      note_permit(created, (*known)->run, batch);
      if (Status written = write(batch); !written) return answer(written);
    }
    std::optional<Enqueued> now = after_sync(done, Enqueued{unpack((*known)->run), true, kind == KeyKind::kRequest});
    if (now) answer(std::move(*now));
    return;
  }
  if (Status room = room_for_more(); !room) return answer(room);
  const Status there = database_->get(Family::kRuns, run_key(*id), unused);
  if (there.code() != Code::kNotFound) {
    return answer(there ? Status::conflict("there is a run " + created.id.text() + " already; take a new id") : there);
  }

  Batch batch(*database_);
  const Result<std::optional<PackedId>> taker = taken_in(created, batch);
  if (!taker) return answer(taker.status());
  const PackedId holder = taker->value_or(*id);
  const KeyRecord for_request{holder, created.now + kRequestIdKept + batch.ahead()};
  const KeyRecord for_key{holder, created.now + created.idempotency_ttl + batch.ahead()};
  if (!created.request_id.empty()) {
    batch.put(Family::kKeys, key_key(KeyKind::kRequest, created.task, created.request_id), encode(for_request));
  }
  if (!created.options.idempotency_key.empty()) {
    batch.put(Family::kKeys, key_key(KeyKind::kIdempotency, created.task, created.options.idempotency_key),
              encode(for_key));
  }
  note_call(created, holder, batch);
  note_permit(created, holder, batch);
  if (*taker) {
    if (Status written = write(batch); !written) return answer(written);
    if (std::optional<Enqueued> now = after_sync(done, Enqueued{unpack(holder), true, false})) answer(*now);
    return;
  }
  const std::optional<Time> due_before = hot_.next_due();
  RunId made = created.id;
  create(*id, std::move(created), batch);
  group_.created.push_back(*id);
  if (Status written = write(batch); !written) return answer(written);
  note_due_change(due_before);
  std::optional<Enqueued> durable = after_sync(done, Enqueued{std::move(made), false, false});
  if (durable) answer(std::move(*durable));
}

}  // namespace perdure::store::rocks
