// Batches, and the runs that come with the success of an attempt. See memory_store.h.
#include <algorithm>
#include <utility>

#include "store/memory/mutation.h"

namespace perdure::store {
namespace {

Status no_batch(const BatchId& id) { return Status::not_found("there is no batch " + id.text()); }

Status no_batch_id(const BatchId& id) {
  return Status::invalid("\"" + id.text() + "\" is no batch id; make one with new_batch_id()");
}

}  // namespace

Status MemoryStore::check_together(const std::vector<NewRun>& runs) const {
  std::set<RunId> ids;
  for (const NewRun& run : runs) {
    if (!is_run_id(run.id.text())) {
      return Status::invalid("\"" + run.id.text() + "\" is no run id; make one with new_run_id()");
    }
    if (!run.request_id.empty() || run.call != 0 || run.debounce) {
      return Status::invalid("run " + run.id.text() +
                             " cannot be created with others: it has a request id, a call or a debounce");
    }
    if (known_run(idempotency_keys_, run.task, run.options.idempotency_key, run.now)) continue;
    if (runs_.contains(run.id) || !ids.insert(run.id).second) {
      return Status::conflict("there is a run " + run.id.text() + " already; take a new id");
    }
  }
  return Status::ok();
}

std::vector<RunId> MemoryStore::create_together(Mutation& mutation, std::vector<NewRun> runs, const BatchId& of) {
  std::vector<RunId> ids;
  for (NewRun& run : runs) {
    const std::string& key = run.options.idempotency_key;
    if (const auto known = known_run(idempotency_keys_, run.task, key, run.now)) {
      ids.push_back(*known);
      continue;
    }
    if (!key.empty()) idempotency_keys_[{run.task, key}] = {run.id, run.now + run.idempotency_ttl};
    if (const auto parent = runs_.find(run.parent); parent != runs_.end()) parent->second.children.insert(run.id);
    ids.push_back(run.id);
    run.batch = of;
    create(mutation, std::move(run));
  }
  return ids;
}

Batch MemoryStore::seal(Mutation& mutation, Batch sealed, BatchItems items) {
  sealed.runs = in_item_order(create_together(mutation, std::move(items.runs), sealed.id), items.faults);
  sealed.run_count = static_cast<std::uint32_t>(sealed.runs.size());
  sealed.faults = std::move(items.faults);
  sealed.sealed_at = items.now;
  const auto parent = runs_.find(items.parent);
  if (items.call != 0 && parent != runs_.end()) {
    parent->second.calls[items.call] = {CallKind::kBatch, items.name, sealed.id.text(), {}};
  }
  items_.erase(sealed.id);
  return batches_[sealed.id] = std::move(sealed);
}

Batch MemoryStore::fresh_batch(const BatchItems& items) {
  Batch fresh;
  fresh.id = items.batch;
  fresh.parent = items.parent;
  fresh.created_at = items.now;
  return fresh;
}

Status MemoryStore::check_children(const AttemptEnd& end) const {
  if (Status fits = check_together(end.children); !fits) return fits;
  for (const BatchItems& items : end.batches) {
    if (!is_batch_id(items.batch.text())) return no_batch_id(items.batch);
    if (Status fits = check_items(items.runs.size() + items.faults.size(), items.faults); !fits) return fits;
    if (Status fits = check_together(items.runs); !fits) return fits;
  }
  return Status::ok();
}

void MemoryStore::create_children(Mutation& mutation, AttemptEnd& end) {
  create_together(mutation, std::move(end.children), {});
  for (BatchItems& items : end.batches) {
    Batch fresh = fresh_batch(items);
    seal(mutation, std::move(fresh), std::move(items));
  }
}

void MemoryStore::create_batch(NewBatch created, Done<Batch> done) {
  if (!is_batch_id(created.id.text())) return done(no_batch_id(created.id));
  if (Status fits = check_items(created.run_count, {}); !fits) return done(fits);
  if (Status admitted = admit("create_batch"); !admitted) return done(admitted);
  Mutation mutation(*this);
  if (const auto known = batch_keys_.find(created.idempotency_key);
      known != batch_keys_.end() && known->second.second > created.now && batches_.contains(known->second.first)) {
    Batch& batch = batches_.at(known->second.first);
    if (!batch.sealed_at && batch.run_count != created.run_count) {
      batch.run_count = created.run_count;
      items_.erase(batch.id);
    }
    return mutation.finish<Batch>(std::move(done), Batch(batch));
  }
  if (batches_.contains(created.id)) {
    return mutation.finish<Batch>(std::move(done),
                                  Status::conflict("there is a batch " + created.id.text() + " already"));
  }
  Batch& batch = batches_[created.id];
  batch.id = created.id;
  batch.run_count = created.run_count;
  batch.idempotency_key = created.idempotency_key;
  batch.parent = created.parent;
  batch.created_at = created.now;
  if (!created.idempotency_key.empty()) {
    batch_keys_[created.idempotency_key] = {created.id, created.now + created.idempotency_ttl};
  }
  mutation.finish<Batch>(std::move(done), Batch(batch));
}

void MemoryStore::keep_items(const BatchId& id, std::map<std::uint32_t, std::string> items, Done<std::size_t> done) {
  if (Status admitted = admit("keep_items"); !admitted) return done(admitted);
  Mutation mutation(*this);
  const auto found = batches_.find(id);
  if (found == batches_.end()) return mutation.finish<std::size_t>(std::move(done), no_batch(id));
  const Batch& batch = found->second;
  if (batch.sealed_at) {
    return mutation.finish<std::size_t>(std::move(done),
                                        Status::conflict("batch " + id.text() + " is sealed; it takes no more items"));
  }
  if (!items.empty() && items.rbegin()->first >= batch.run_count) {
    return mutation.finish<std::size_t>(
        std::move(done), Status::invalid("batch " + id.text() + " has " + std::to_string(batch.run_count) +
                                         " items, and none of index " + std::to_string(items.rbegin()->first)));
  }
  std::map<std::uint32_t, std::string>& kept = items_[id];
  kept.merge(items);
  mutation.finish<std::size_t>(std::move(done), kept.size());
}

void MemoryStore::enqueue_batch(BatchItems items, Done<Batch> done) {
  if (!is_batch_id(items.batch.text())) return done(no_batch_id(items.batch));
  const std::size_t count = items.runs.size() + items.faults.size();
  if (Status fits = check_items(count, items.faults); !fits) return done(fits);
  if (Status admitted = admit("enqueue_batch"); !admitted) return done(admitted);
  Mutation mutation(*this);
  const auto answer = [&](Result<Batch> result) { mutation.finish<Batch>(std::move(done), std::move(result)); };
  const Entry* const caller = items.fresh && items.call != 0 ? find(items.parent) : nullptr;
  if (const RecordedCall* const before = caller == nullptr ? nullptr : standing_call(*caller, items.call)) {
    const Status same = check_same_call(items.parent, *before, CallKind::kBatch, items.name);
    return answer(same ? Result<Batch>(batches_.at(BatchId(before->result))) : same);
  }
  const auto found = batches_.find(items.batch);
  if (found == batches_.end() && !items.fresh) return answer(no_batch(items.batch));
  Batch batch = found == batches_.end() ? fresh_batch(items) : found->second;
  if (batch.sealed_at) return answer(batch);
  if (found != batches_.end() && batch.run_count != count) {
    return answer(Status::invalid("batch " + batch.id.text() + " has " + std::to_string(batch.run_count) +
                                  " items, and not " + std::to_string(count)));
  }
  if (Status fits = check_together(items.runs); !fits) return answer(fits);
  answer(seal(mutation, std::move(batch), std::move(items)));
}

bool MemoryStore::has_runs(const BatchId& batch) const {
  return std::ranges::any_of(runs_, [&](const auto& each) { return each.second.run.batch == batch; });
}

void MemoryStore::forget(const BatchId& id) {
  const Batch& batch = batches_.at(id);
  const auto key = batch_keys_.find(batch.idempotency_key);
  if (key != batch_keys_.end() && key->second.first == id) batch_keys_.erase(key);
  items_.erase(id);
  batches_.erase(id);
}

void MemoryStore::remove_batches(Time before, std::size_t max, Done<std::size_t> done) {
  if (Status admitted = admit("remove_batches"); !admitted) return done(admitted);
  std::size_t removed = 0;
  {
    std::lock_guard lock(mutex_);
    std::vector<BatchId> loose;
    for (const auto& [id, batch] : batches_) {
      const Entry* const parent = find(batch.parent);
      const bool over = parent == nullptr || is_final(parent->run.status);
      if (batch.created_at < before && over && !has_runs(id) && loose.size() < max) loose.push_back(id);
    }
    for (const BatchId& id : loose) forget(id);
    removed = loose.size();
  }
  done(removed);
}

Result<Batch> MemoryStore::batch(const BatchId& id) const {
  std::lock_guard lock(mutex_);
  const auto found = batches_.find(id);
  if (found == batches_.end()) return no_batch(id);
  return found->second;
}

Result<std::map<std::uint32_t, std::string>> MemoryStore::kept_items(const BatchId& id) const {
  std::lock_guard lock(mutex_);
  if (!batches_.contains(id)) return no_batch(id);
  const auto found = items_.find(id);
  return found == items_.end() ? std::map<std::uint32_t, std::string>() : found->second;
}

}  // namespace perdure::store
