// What the durable calls of a run have recorded. See rocks_store.h.
#include <utility>

#include "store/rocks/live_records.h"
#include "store/rocks/rocks_store.h"

namespace perdure::store::rocks {

Result<std::optional<RecordedCall>> RocksStore::stored_call(const Database& db, PackedId run, std::uint64_t call) {
  std::string bytes;
  const Status got = db.get(Family::kLive, call_key(run, call), bytes);
  if (got.code() == Code::kNotFound) return std::optional<RecordedCall>();
  if (!got) return got;
  Result<RecordedCall> recorded = decode_call(bytes);
  if (!recorded) return recorded.status();
  if (recorded->until && !recorded->calendar) *recorded->until -= db.ahead();
  if (recorded->kind != CallKind::kTrigger) return std::optional(std::move(*recorded));
  // A call whose run was withdrawn (see reopening.cpp) made nothing.
  const std::optional<PackedId> child = pack(recorded->child);
  if (!child) return std::optional<RecordedCall>();
  const Status there = db.get(Family::kRuns, run_key(*child), bytes);
  if (there.code() == Code::kNotFound) return std::optional<RecordedCall>();
  if (!there) return there;
  return std::optional(std::move(*recorded));
}

Result<std::optional<PackedId>> RocksStore::called_before(const NewRun& created) const {
  const std::optional<PackedId> parent = pack(created.parent);
  if (created.call == 0 || !parent) return std::optional<PackedId>();
  const Result<std::optional<RecordedCall>> before = stored_call(*database_, *parent, created.call);
  if (!before) return before.status();
  if (!*before) return std::optional<PackedId>();
  const Status same = check_same_call(created.parent, **before, CallKind::kTrigger, created.task.text());
  if (!same) return same;
  return pack((*before)->child);
}

void RocksStore::note_call(const NewRun& created, PackedId child, Batch& batch) {
  const std::optional<PackedId> caller = pack(created.parent);
  if (created.call == 0 || !caller) return;
  batch.put(Family::kLive, call_key(*caller, created.call),
            encode(RecordedCall{CallKind::kTrigger, created.task.text(), {}, unpack(child)}));
}

Result<std::optional<RecordedCall>> RocksStore::recorded_by(const AttemptCall& by, CallKind kind,
                                                            std::string_view name) const {
  const Result<PackedId> id = process_of(by.run, by.number, by.token);
  if (!id) return id.status();
  Result<std::optional<RecordedCall>> before = stored_call(*database_, *id, by.call);
  if (!before || !*before) return before;
  if (Status same = check_same_call(by.run, **before, kind, name); !same) return same;
  return before;
}

void RocksStore::record_step(NewStep step, DoneStatus done) {
  const auto answer = [&](const Status& status) { done(status); };
  if (Status checked = check_step(step.name, step.result); !checked) return answer(checked);
  Lock lock(mutex_);
  const auto record = [&]() -> Status {
    if (!health_) return refused();
    const Result<std::optional<RecordedCall>> before =
        recorded_by({step.run, step.number, step.token, step.call}, CallKind::kStep, step.name);
    if (!before) return before.status();
    if (*before) return Status::ok();
    Batch batch(*database_);
    batch.put(Family::kLive, call_key(*pack(step.run), step.call),
              encode(RecordedCall{CallKind::kStep, std::move(step.name), std::move(step.result), {}}));
    return write(batch);
  };
  const Status recorded = record();
  lock.unlock();
  if (!recorded) return answer(recorded);
  synced(std::move(done));
}

Result<RecordedCall> RocksStore::recorded_call(const RunId& run, std::uint64_t call) const {
  const std::optional<PackedId> id = pack(run);
  if (!id) return Status::not_found("there is no run " + run.text());
  return with_database([&](const Database& db) -> Result<RecordedCall> {
    if (const Result<RunRecord> there = stored_run(db, *id); !there) return there.status();
    Result<std::optional<RecordedCall>> found = stored_call(db, *id, call);
    if (!found) return found.status();
    if (*found) return std::move(**found);
    return Status::not_found("run " + run.text() + " has recorded no call " + std::to_string(call));
  });
}

}  // namespace perdure::store::rocks
