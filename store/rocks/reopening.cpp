// What the commit thread does after a write or a sync failed: answer whoever waits, close, and open again when there is
// room. See rocks_store.h.
#include <filesystem>
#include <system_error>
#include <utility>

#include "store/rocks/queue_records.h"
#include "store/rocks/rocks_store.h"

namespace perdure::store::rocks {

void RocksStore::fail_group(Group group, const Status& status) {
  mark_->set_doubtful(true);
  withdrawn_.insert(withdrawn_.end(), group.created.begin(), group.created.end());
  maybe_free_.merge(group.freed);
  withdrawn_settings_.merge(group.queues);  // of two the first
  for (std::string& undo : group.token_undos) token_undos_.push_back(std::move(undo));
  for (ClaimBatch& claim : group.claims) lost_claims_.push_back(std::move(claim));
  const Status answer{status.code(), "not recorded: " + status.message()};
  for (Completion& completion : group.completions) completion(answer);
}

void RocksStore::go_unhealthy(Lock& lock) {
  const Status why = health_;
  Group group = std::exchange(group_, {});
  dirty_ = false;
  lock.unlock();
  if (options_.log) options_.log(LogSinkLevel::kError, "the store takes no changes for now: " + why.message());
  {
    std::lock_guard told(listener_lock_);
    if (listener_ != nullptr) listener_->on_health(why);
  }
  fail_group(std::move(group), why);
  lock.lock();
  while (!stopping_ && !try_reopen(lock)) {
    wake_.wait_for(lock, options_.retry_every, [this] { return stopping_; });
  }
  if (!health_) return;
  // Queued runs and free slots are there again, and waiting for nothing.
  const std::vector<VersionId> free = hot_.locks.still_free(std::exchange(maybe_free_, {}));
  lock.unlock();
  if (options_.log) options_.log(LogSinkLevel::kInfo, "the store serves again");
  {
    std::lock_guard told(listener_lock_);
    if (listener_ != nullptr) {
      listener_->on_health(Status::ok());
      listener_->on_ready();
      listener_->on_due_changed();
      for (const VersionId& version : free) listener_->on_version_free(version);
    }
  }
  lock.lock();
}

// How much of the logs has to go into tables, at most.
std::uint64_t RocksStore::log_bytes() const {
  std::uint64_t bytes = 0;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(options_.directory + "/store", failed)) {
    std::error_code gone;
    const std::uint64_t size = entry.path().extension() == ".log" ? entry.file_size(gone) : 0;
    if (!gone) bytes += size;
  }
  return bytes;
}

// Mutations leave the database alone while health_ is not ok, so that mutex_ need not be held meanwhile.
bool RocksStore::try_reopen(Lock& lock) {
  lock.unlock();
  auto again = [&lock] {
    lock.lock();
    return false;
  };
  if (!space_->may_reopen(log_bytes())) return again();  // they go into tables: see DurableMark::doubtful()
  std::unique_ptr<Database> closing;
  {
    std::unique_lock readers(database_lock_);
    closing = std::move(database_);
  }
  closing.reset();
  Result<std::unique_ptr<Database>> opened = Database::open(database_options(), mark_->value());
  Status status = opened ? undo_and_redo(**opened) : opened.status();
  Result<HotState> hot = status ? HotState::rebuild(**opened) : status;
  if (!hot) {
    if (options_.log) options_.log(LogSinkLevel::kError, "opening the store again failed: " + hot.status().message());
    return again();
  }
  withdrawn_.clear();
  lost_claims_.clear();
  withdrawn_settings_.clear();
  token_undos_.clear();
  mark_->advance((*opened)->sequence());
  mark_->set_doubtful(false);
  space_->restore_ballast();
  lock.lock();
  std::unique_lock readers(database_lock_);
  database_ = std::move(*opened);
  maybe_free_.merge(hot_.locks.take_freed());
  for (const auto& [version, runs] : hot_.locks.counts()) maybe_free_.insert(version);
  const HotState was = std::exchange(hot_, std::move(*hot));
  hot_.set_ahead(ahead_->get());  // the clock may have been set meanwhile
  health_ = Status::ok();
  if (!clock_.boot.empty()) {
    Batch clock(*database_);
    put_clock(clock);
    (void)write(clock);  // an error shows in health_
  }
  redeclare(was.queues);
  return health_.is_ok();
}

Status RocksStore::withdraw(Database& db, PackedId id) {
  Result<RunRecord> record = stored_run(db, id);
  if (record.status().code() == Code::kNotFound) return Status::ok();
  if (!record) return record.status();
  const Run& run = record->run;
  Batch batch(db);
  batch.erase(Family::kRuns, run_key(id));
  batch.erase(Family::kPayloads, payload_key(id, PayloadPart::kPayload));
  batch.erase(Family::kByStatus, status_key(run.status, id));
  if (const std::optional<PackedId> parent = pack(run.parent)) batch.erase(Family::kLive, child_key(*parent, id));
  Scan live = db.scan(Family::kLive, run_key(id));
  for (; live.valid(); live.next()) batch.erase(Family::kLive, live.key());
  if (Status read = live.status(); !read) return read;
  batch.erase(Family::kByTask, task_key(run.task, id));
  if (const auto schedule = pack(run.schedule)) batch.erase(Family::kBySchedule, by_schedule_key(*schedule, id));
  if (const auto of = pack(run.batch)) batch.erase(Family::kBatches, batch_run_key(*of, id));
  batch.erase(Family::kOwed, run_key(id));
  batch.erase(Family::kCanceled, run_key(id));
  for (const std::string& tag : run.options.tags) batch.erase(Family::kByTag, tag_key(tag, id));
  if (is_final(run.status)) {  // canceled before it was durable
    std::string bytes;
    if (Status got = db.get(Family::kMeta, meta_key::kFinished, bytes); !got) return got;
    Result<FinishedCounts> counts = decode_finished(bytes);
    if (!counts) return counts.status();
    --(*counts)[static_cast<std::size_t>(run.status) - static_cast<std::size_t>(RunStatus::kCompleted)];
    batch.put(Family::kMeta, meta_key::kFinished, encode(*counts));
  }
  return db.write(batch);
}

// What survived of runs whose creation, of settings whose change, and of changes of tokens that were answered with an
// error goes; claims that were
// answered and did not survive come back: their attempts execute.
Status RocksStore::undo_and_redo(Database& db) {
  for (const PackedId id : withdrawn_) {
    if (Status gone = withdraw(db, id); !gone) return gone;
  }
  Batch settings(db);
  for (const auto& [queue, before] : withdrawn_settings_) {
    if (before == QueueSettings()) {
      settings.erase(Family::kQueues, queue_key(queue));
    } else {
      settings.put(Family::kQueues, queue_key(queue), encode(before));
    }
  }
  if (Status written = db.write(settings); !written) return written;
  for (std::size_t i = token_undos_.size(); i-- > 0;) {
    Batch undo = Batch::replay(db, token_undos_[i]);
    if (Status written = db.write(undo); !written) return written;
  }
  for (const ClaimBatch& claim : lost_claims_) {
    Result<RunRecord> record = stored_run(db, claim.run);
    if (!record) return record.status();
    if (record->run.attempts >= claim.number) continue;
    Batch batch = Batch::replay(db, claim.bytes);
    if (Status written = db.write(batch); !written) return written;
  }
  return db.sync();
}

}  // namespace perdure::store::rocks
