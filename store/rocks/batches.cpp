// Batches: created, filled, found, and gone with their last run; sealing.cpp has the creation of their runs. See
// rocks_store.h.
#include <map>
#include <set>
#include <utility>

#include "store/rocks/batch_record.h"
#include "store/rocks/rocks_store.h"

namespace perdure::store::rocks {
namespace {

Status no_batch(const BatchId& id) { return Status::not_found("there is no batch " + id.text()); }

Status no_batch_id(const BatchId& id) {
  return Status::invalid("\"" + id.text() + "\" is no batch id; make one with new_batch_id()");
}

std::string key_of(const std::string& idempotency_key) { return key_key(KeyKind::kBatch, TaskId(), idempotency_key); }

}  // namespace

Result<store::Batch> RocksStore::stored_batch(const Database& db, PackedId id) {
  std::string bytes;
  const Status got = db.get(Family::kBatches, batch_key(BatchPart::kRecord, id), bytes);
  if (got.code() == Code::kNotFound) return no_batch(unpack_batch(id));
  if (!got) return got;
  return decode_batch(id, bytes);
}

Status RocksStore::erase_items(PackedId id, Batch& batch) const {
  Scan scan = database_->scan(Family::kBatches, batch_key(BatchPart::kItem, id));
  for (; scan.valid(); scan.next()) batch.erase(Family::kBatches, scan.key());
  return scan.status();
}

Result<std::optional<PackedId>> RocksStore::batch_with_key(const std::string& key, Time now) const {
  if (key.empty()) return std::optional<PackedId>();
  std::string bytes;
  const Status got = database_->get(Family::kKeys, key_of(key), bytes);
  if (got.code() == Code::kNotFound) return std::optional<PackedId>();
  if (!got) return got;
  const Result<KeyRecord> record = decode_key(bytes);
  if (!record) return record.status();
  if (record->expires_at <= now + database_->ahead()) return std::optional<PackedId>();
  return std::optional(record->run);
}

void RocksStore::create_batch(NewBatch created, Done<store::Batch> done) {
  const std::optional<PackedId> id = pack(created.id);
  if (!id) return done(no_batch_id(created.id));
  if (Status fits = check_items(created.run_count, {}); !fits) return done(fits);
  Lock lock(mutex_);
  const auto change = [&]() -> Result<store::Batch> {
    if (!health_) return refused();
    saw_time(created.now);
    const Result<std::optional<PackedId>> known = batch_with_key(created.idempotency_key, created.now);
    if (!known) return known.status();
    Batch batch(*database_);
    Result<store::Batch> before = *known ? stored_batch(*database_, **known) : no_batch({});
    if (!before && before.status().code() != Code::kNotFound) return before;
    if (before) {
      if (before->sealed_at || before->run_count == created.run_count) return before;
      before->run_count = created.run_count;
      batch.put(Family::kBatches, batch_key(BatchPart::kRecord, **known), encode(*before));
      if (Status erased = erase_items(**known, batch); !erased) return erased;
      if (Status written = write(batch); !written) return written;
      return before;
    }
    if (Status room = room_for_more(); !room) return room;
    if (stored_batch(*database_, *id)) return Status::conflict("there is a batch " + created.id.text() + " already");
    store::Batch fresh;
    fresh.id = created.id;
    fresh.run_count = created.run_count;
    fresh.idempotency_key = created.idempotency_key;
    fresh.parent = created.parent;
    fresh.created_at = created.now;
    batch.put(Family::kBatches, batch_key(BatchPart::kRecord, *id), encode(fresh));
    batch.put(Family::kBatches, batch_key(BatchPart::kLoose, *id), {});
    if (!fresh.idempotency_key.empty()) {
      batch.put(Family::kKeys, key_of(fresh.idempotency_key),
                encode(KeyRecord{*id, created.now + created.idempotency_ttl + batch.ahead()}));
    }
    if (Status written = write(batch); !written) return written;
    return fresh;
  };
  Result<store::Batch> created_batch = change();
  std::optional<store::Batch> durable;
  if (created_batch) durable = after_sync(done, std::move(*created_batch));
  lock.unlock();
  if (!created_batch) return done(created_batch.status());
  if (durable) done(std::move(*durable));
}

void RocksStore::keep_items(const BatchId& of, std::map<std::uint32_t, std::string> items, Done<std::size_t> done) {
  const std::optional<PackedId> id = pack(of);
  if (!id) return done(no_batch(of));
  Lock lock(mutex_);
  const auto keep = [&]() -> Result<std::size_t> {
    if (!health_) return refused();
    const Result<store::Batch> found = stored_batch(*database_, *id);
    if (!found) return found.status();
    if (found->sealed_at) return Status::conflict("batch " + of.text() + " is sealed; it takes no more items");
    if (!items.empty() && items.rbegin()->first >= found->run_count) {
      return Status::invalid("batch " + of.text() + " has " + std::to_string(found->run_count) +
                             " items, and none of " + "index " + std::to_string(items.rbegin()->first));
    }
    if (Status room = room_for_more(); !room) return room;
    std::set<std::uint32_t> there;
    Scan scan = database_->scan(Family::kBatches, batch_key(BatchPart::kItem, *id));
    for (; scan.valid(); scan.next()) there.insert(u32_at_end(scan.key()));
    if (Status read = scan.status(); !read) return read;
    Batch batch(*database_);
    for (const auto& [index, text] : items) {
      if (there.insert(index).second) batch.put(Family::kBatches, batch_item_key(*id, index), text);
    }
    if (Status written = write(batch); !written) return written;
    return there.size();
  };
  const Result<std::size_t> kept = keep();
  std::optional<std::size_t> durable;
  if (kept) durable = after_sync(done, *kept);
  lock.unlock();
  if (!kept) return done(kept.status());
  if (durable) done(*durable);
}

Status RocksStore::forget(PackedId id, Batch& batch) const {
  const Result<store::Batch> found = stored_batch(*database_, id);
  if (!found && found.status().code() != Code::kNotFound) return found.status();
  batch.erase(Family::kBatches, batch_key(BatchPart::kRecord, id));
  batch.erase(Family::kBatches, batch_key(BatchPart::kLoose, id));
  if (Status erased = erase_items(id, batch); !erased) return erased;
  if (!found || found->idempotency_key.empty()) return Status::ok();
  std::string bytes;
  const std::string key = key_of(found->idempotency_key);
  const Status got = database_->get(Family::kKeys, key, bytes);
  if (!got && got.code() != Code::kNotFound) return got;
  const Result<KeyRecord> record = got ? decode_key(bytes) : got;
  if (record && record->run == id) batch.erase(Family::kKeys, key);
  return Status::ok();
}

Status RocksStore::forget_emptied(const std::set<PackedId>& touched, const std::set<PackedId>& gone,
                                  Batch& batch) const {
  for (const PackedId id : touched) {
    Scan scan = database_->scan(Family::kBatches, batch_key(BatchPart::kRun, id));
    while (scan.valid() && gone.contains(run_in_key(scan.key(), 1 + kPackedIdSize).value_or(PackedId{}))) scan.next();
    if (scan.valid()) continue;
    if (Status read = scan.status(); !read) return read;
    if (Status forgotten = forget(id, batch); !forgotten) return forgotten;
  }
  return Status::ok();
}

void RocksStore::remove_batches(Time before, std::size_t max, Done<std::size_t> done) {
  Lock lock(mutex_);
  const auto remove = [&]() -> Result<std::size_t> {
    if (!health_) return refused();
    std::size_t removed = 0;
    Batch batch(*database_);
    Scan scan = database_->scan(Family::kBatches, std::string(1, static_cast<char>(BatchPart::kLoose)));
    for (; scan.valid() && removed < max; scan.next()) {
      const std::optional<PackedId> id = run_in_key(scan.key(), 1);
      if (!id) continue;
      if (*id >= first_id_of(before)) break;
      const Result<store::Batch> found = stored_batch(*database_, *id);
      if (!found && found.status().code() != Code::kNotFound) return found.status();
      const std::optional<PackedId> parent = found ? pack(found->parent) : std::nullopt;
      const Result<RunRecord> above = parent ? stored_run(*database_, *parent) : Status::not_found({});
      if (above && !is_final(above->run.status)) continue;
      if (Status forgotten = forget(*id, batch); !forgotten) return forgotten;
      ++removed;
    }
    if (Status read = scan.status(); !read) return read;
    if (removed > 0) {
      if (Status written = write_unawaited(batch); !written) return written;
    }
    return removed;
  };
  Result<std::size_t> removed = remove();
  lock.unlock();
  done(std::move(removed));
}

Result<store::Batch> RocksStore::batch(const BatchId& id) const {
  const std::optional<PackedId> packed = pack(id);
  if (!packed) return no_batch(id);
  return with_database([&](const Database& db) { return stored_batch(db, *packed); });
}

Result<std::map<std::uint32_t, std::string>> RocksStore::kept_items(const BatchId& id) const {
  const std::optional<PackedId> packed = pack(id);
  if (!packed) return no_batch(id);
  return with_database([&](const Database& db) -> Result<std::map<std::uint32_t, std::string>> {
    if (const Result<store::Batch> there = stored_batch(db, *packed); !there) return there.status();
    std::map<std::uint32_t, std::string> items;
    Scan scan = db.scan(Family::kBatches, batch_key(BatchPart::kItem, *packed));
    for (; scan.valid(); scan.next()) items.emplace(u32_at_end(scan.key()), std::string(scan.value()));
    if (Status read = scan.status(); !read) return read;
    return items;
  });
}

}  // namespace perdure::store::rocks
