// Runs that are over and still want something done: hooks called, or children canceled. The marks, who has one, and how
// they go. See rocks_store.h.
#include <utility>

#include "store/rocks/rocks_store.h"

namespace perdure::store::rocks {

void RocksStore::owe_hooks(OwesHooks owes) {
  std::lock_guard lock(mutex_);
  owes_ = std::move(owes);
}

void RocksStore::mark_owing(PackedId id, const Run& run, Batch& batch) const {
  if (owes_ && owes_(run)) batch.put(Family::kOwed, run_key(id), {});
}

void RocksStore::mark_parent(PackedId id, const Run& run, Batch& batch) const {
  if (run.status != RunStatus::kCanceled) return;
  const Scan children = database_->scan(Family::kLive, live_prefix(id, LivePart::kChild));
  if (children.valid()) batch.put(Family::kCanceled, run_key(id), {});
}

void RocksStore::children_over(const RunId& run, DoneStatus done) {
  const std::optional<PackedId> id = pack(run);
  if (!id) return done(Status::not_found("there is no run " + run.text()));
  Lock lock(mutex_);
  Status status = health_ ? Status::ok() : refused();
  if (status) {
    Batch batch(*database_);
    batch.erase(Family::kCanceled, run_key(*id));
    status = write(batch);
  }
  lock.unlock();
  done(status);
}

Result<std::vector<RunId>> RocksStore::marked(Family family, std::size_t max) const {
  return with_database([family, max](const Database& db) -> Result<std::vector<RunId>> {
    std::vector<RunId> runs;
    Scan scan = db.scan(family, {});
    for (; scan.valid() && runs.size() < max; scan.next()) {
      if (const std::optional<PackedId> id = run_in_key(scan.key(), 0)) runs.push_back(unpack(*id));
    }
    if (Status read = scan.status(); !read) return read;
    return runs;
  });
}

Result<std::vector<RunId>> RocksStore::owing_hooks(std::size_t max) const { return marked(Family::kOwed, max); }

Result<std::vector<RunId>> RocksStore::canceled_parents(std::size_t max) const {
  return marked(Family::kCanceled, max);
}

void RocksStore::hooks_ran(const RunId& run, std::vector<TimelineEvent> events, Done<Run> done) {
  const std::optional<PackedId> id = pack(run);
  if (!id) return done(Status::not_found("there is no run " + run.text()));
  Lock lock(mutex_);
  auto answer = [&](Result<Run> result) {
    lock.unlock();
    done(std::move(result));
  };
  if (!health_) return answer(refused());
  Result<RunRecord> record = stored_run(*database_, *id);
  if (!record) return answer(record.status());
  std::string mark;
  const Status owes = database_->get(Family::kOwed, run_key(*id), mark);
  if (!owes && owes.code() != Code::kNotFound) return answer(owes);
  RunChange change(*id, std::move(*record));
  if (owes) {
    for (TimelineEvent& each : events) change.note(std::move(each));
    Batch batch(*database_);
    change.write(batch);
    batch.erase(Family::kOwed, run_key(*id));
    if (Status written = write(batch); !written) return answer(written);
  }
  if (std::optional<Run> durable = after_sync(done, std::move(change.run()))) answer(std::move(*durable));
}

}  // namespace perdure::store::rocks
