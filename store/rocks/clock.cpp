// What the store knows of the wall clock being set. See rocks_store.h and timer_time.h.
#include <utility>

#include "store/model/delay.h"
#include "store/rocks/rocks_store.h"

namespace perdure::store::rocks {

Status RocksStore::read_clock(const Database& db) {
  std::string bytes;
  const Status got = db.get(Family::kMeta, meta_key::kClock, bytes);
  if (got.code() == Code::kNotFound) return Status::ok();  // a store that was never told
  if (!got) return got;
  Result<ClockRecord> record = decode_clock(bytes);
  if (!record) return record.status();
  clock_ = std::move(record->stand);
  ahead_->set(record->ahead);
  return Status::ok();
}

void RocksStore::put_clock(Batch& batch) const {
  batch.put(Family::kMeta, meta_key::kClock, encode(ClockRecord{clock_, ahead_->get()}));
}

void RocksStore::clock_is(const ClockStand& stand, Done<Duration> done) {
  Lock lock(mutex_);
  auto answer = [&](Result<Duration> result) {
    lock.unlock();
    done(std::move(result));
  };
  const ClockStand before = clock_;
  const Duration by = set_since(clock_, stand);
  if (by != Duration::zero()) {
    ahead_->set(ahead_->get() - by);
    hot_.set_ahead(ahead_->get());
    for (auto& [id, process] : hot_.executing) {
      Run& run = process.record.run;
      if (parts_of_durations(run).ready) *run.ready_at += by;
    }
    group_.due_changed = true;
    wake_commit_thread();
  }
  if (!health_) return answer(refused());  // written once the store has opened again
  if (clock_ != before) {
    Batch batch(*database_);
    put_clock(batch);
    if (Status written = write(batch); !written) return answer(written);
  }
  if (std::optional<Duration> durable = after_sync(done, by)) answer(*durable);
}

}  // namespace perdure::store::rocks
