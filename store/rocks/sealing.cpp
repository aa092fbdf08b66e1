// Runs that are created together: those of a batch, which is sealed with that, and those that come with the success of
// an attempt. One commit each. See rocks_store.h.
#include <map>
#include <set>
#include <utility>

#include "store/rocks/batch_record.h"
#include "store/rocks/live_records.h"
#include "store/rocks/rocks_store.h"

namespace perdure::store::rocks {
namespace {

Status no_batch_id(const BatchId& id) {
  return Status::invalid("\"" + id.text() + "\" is no batch id; make one with new_batch_id()");
}

// Of a run that is to be created with others.
Status check_together(const NewRun& run) {
  if (run.request_id.empty() && run.call == 0 && !run.debounce) return Status::ok();
  return Status::invalid("run " + run.id.text() +
                         " cannot be created with others: it has a request id, a call or a debounce");
}

}  // namespace

Result<RocksStore::Creation> RocksStore::plan(std::vector<NewRun> runs, const BatchId& of) const {
  Creation creation;
  creation.runs.reserve(runs.size());
  creation.fresh.reserve(runs.size());
  std::map<std::pair<TaskId, std::string>, PackedId> keys;  // of these runs
  std::set<PackedId> ids;
  std::string unused;
  for (NewRun& run : runs) {
    const std::optional<PackedId> id = pack(run.id);
    if (!id) return Status::invalid("\"" + run.id.text() + "\" is no run id; make one with new_run_id()");
    if (Status fits = check_together(run); !fits) return fits;
    const std::string& key = run.options.idempotency_key;
    if (!key.empty()) {
      const auto [same, first] = keys.try_emplace({run.task, key}, *id);
      const Result<std::optional<KeyRecord>> known =
          first ? live_key(KeyKind::kIdempotency, run.task, key, run.now) : std::optional<KeyRecord>();
      if (!known) return known.status();
      if (*known) same->second = (*known)->run;
      if (!first || *known) {
        creation.runs.push_back(same->second);
        continue;
      }
    }
    const Status there = database_->get(Family::kRuns, run_key(*id), unused);
    if (!there && there.code() != Code::kNotFound) return there;
    if (there || !ids.insert(*id).second) {
      return Status::conflict("there is a run " + run.id.text() + " already; take a new id");
    }
    run.batch = of;
    creation.runs.push_back(*id);
    creation.fresh.emplace_back(*id, std::move(run));
  }
  return creation;
}

std::vector<RunId> RocksStore::create_all(Creation creation, Batch& batch) {
  for (auto& [id, run] : creation.fresh) {
    if (const std::string& key = run.options.idempotency_key; !key.empty()) {
      batch.put(Family::kKeys, key_key(KeyKind::kIdempotency, run.task, key),
                encode(KeyRecord{id, run.now + run.idempotency_ttl + batch.ahead()}));
    }
    create(id, std::move(run), batch);
  }
  std::vector<RunId> runs;
  runs.reserve(creation.runs.size());
  for (const PackedId id : creation.runs) runs.push_back(unpack(id));
  return runs;
}

Result<RocksStore::Children> RocksStore::plan_children(AttemptEnd& end) const {
  Children children;
  Result<Creation> alone = plan(std::exchange(end.children, {}), {});
  if (!alone) return alone.status();
  children.alone = std::move(*alone);
  for (BatchItems& items : end.batches) {
    if (!pack(items.batch)) return no_batch_id(items.batch);
    if (Status fits = check_items(items.runs.size() + items.faults.size(), items.faults); !fits) return fits;
    Result<Creation> runs = plan(std::exchange(items.runs, {}), items.batch);
    if (!runs) return runs.status();
    children.batches.push_back(std::move(*runs));
  }
  return children;
}

void RocksStore::create_children(Children children, const AttemptEnd& end, Batch& batch) {
  create_all(std::move(children.alone), batch);
  for (std::size_t i = 0; i < children.batches.size(); ++i) {
    const BatchItems& items = end.batches[i];
    store::Batch sealed;
    sealed.id = items.batch;
    sealed.parent = items.parent;
    sealed.created_at = items.now;
    seal(*pack(items.batch), std::move(sealed), items, std::move(children.batches[i]), batch);
  }
}

Result<store::Batch> RocksStore::to_seal(PackedId id, BatchItems& items) const {
  if (!items.fresh) return stored_batch(*database_, id);
  store::Batch fresh;
  std::string unused;
  const std::optional<PackedId> parent = items.call == 0 ? std::nullopt : pack(items.parent);
  // Nobody can ask again for a call of a run that was removed.
  if (parent && !database_->get(Family::kRuns, run_key(*parent), unused)) items.call = 0;
  if (parent && items.call != 0) {
    const Result<std::optional<RecordedCall>> before = stored_call(*database_, *parent, items.call);
    if (!before) return before.status();
    if (*before) {
      if (Status same = check_same_call(items.parent, **before, CallKind::kBatch, items.name); !same) return same;
      return stored_batch(*database_, pack(BatchId((*before)->result)).value_or(PackedId{}));
    }
  }
  if (Result<store::Batch> before = stored_batch(*database_, id); before) return before;
  fresh.id = items.batch;
  fresh.parent = items.parent;
  fresh.created_at = items.now;
  fresh.run_count = static_cast<std::uint32_t>(items.runs.size() + items.faults.size());
  return fresh;
}

store::Batch RocksStore::seal(PackedId id, store::Batch sealed, const BatchItems& items, Creation creation,
                              Batch& batch) {
  if (creation.fresh.empty()) {
    batch.put(Family::kBatches, batch_key(BatchPart::kLoose, id), {});
  } else if (!items.fresh) {
    batch.erase(Family::kBatches, batch_key(BatchPart::kLoose, id));
  }
  std::vector<RunId> runs = create_all(std::move(creation), batch);
  sealed.run_count = static_cast<std::uint32_t>(runs.size() + items.faults.size());
  sealed.runs = in_item_order(std::move(runs), items.faults);
  sealed.faults = items.faults;
  sealed.sealed_at = items.now;
  batch.put(Family::kBatches, batch_key(BatchPart::kRecord, id), encode(sealed));
  if (const std::optional<PackedId> caller = items.call == 0 ? std::nullopt : pack(items.parent)) {
    batch.put(Family::kLive, call_key(*caller, items.call),
              encode(RecordedCall{CallKind::kBatch, items.name, sealed.id.text(), {}}));
  }
  return sealed;
}

void RocksStore::enqueue_batch(BatchItems items, Done<store::Batch> done) {
  const std::optional<PackedId> id = pack(items.batch);
  if (!id) return done(no_batch_id(items.batch));
  const std::size_t count = items.runs.size() + items.faults.size();
  if (Status fits = check_items(count, items.faults); !fits) return done(fits);
  Lock lock(mutex_);
  const auto change = [&]() -> Result<store::Batch> {
    if (!health_) return refused();
    saw_time(items.now);
    Result<store::Batch> found = to_seal(*id, items);
    if (!found || found->sealed_at) return found;
    if (found->run_count != count) {
      return Status::invalid("batch " + items.batch.text() + " has " + std::to_string(found->run_count) +
                             " items, and not " + std::to_string(count));
    }
    if (Status room = room_for_more(); !room) return room;
    Result<Creation> creation = plan(std::exchange(items.runs, {}), items.batch);
    if (!creation) return creation.status();
    Batch batch(*database_);
    const std::optional<Time> due_before = hot_.next_due();
    if (Status erased = items.fresh ? Status::ok() : erase_items(*id, batch); !erased) return erased;
    // Not in group_.created: should the sync fail and the batch have survived, both it and its runs stand.
    store::Batch sealed = seal(*id, std::move(*found), items, std::move(*creation), batch);
    if (Status written = write(batch); !written) return written;
    note_due_change(due_before);
    return sealed;
  };
  Result<store::Batch> sealed = change();
  std::optional<store::Batch> durable;
  if (sealed) durable = after_sync(done, std::move(*sealed));
  lock.unlock();
  if (!sealed) return done(sealed.status());
  if (durable) done(std::move(*durable));
}

}  // namespace perdure::store::rocks
