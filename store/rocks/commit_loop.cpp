// The commit thread: one sync for everything written before it. See rocks_store.h.
#include <utility>

#include "store/rocks/rocks_store.h"

namespace perdure::store::rocks {
namespace {
constexpr std::chrono::seconds kBallastEvery{10};
}

void RocksStore::commit_loop() {
  Lock lock(mutex_);
  const auto has_work = [this] {
    return stopping_ || !health_ || !group_.completions.empty() || group_.slots_freed || group_.due_changed;
  };
  for (;;) {
    // What nobody waits for is synced a little later, so that it can share the sync of what somebody does. Only when
    // there is nothing of that kind either does this thread sleep without a limit.
    if (!wake_.wait_for(lock, options_.sync_within, has_work) && !dirty_) {
      commit_thread_idle_ = true;
      wake_.wait(lock, [&] { return has_work() || dirty_; });
      commit_thread_idle_ = false;
      if (!has_work()) continue;
    }
    if (!health_) {
      go_unhealthy(lock);
      if (!health_) return;  // stopping, and it never served again
    } else if (dirty_ || !group_.completions.empty() || group_.slots_freed || group_.due_changed) {
      commit(lock);
    } else if (stopping_) {
      return;
    }
  }
}

void RocksStore::commit(Lock& lock) {
  Group group = std::exchange(group_, {});
  group.freed = hot_.locks.take_freed();
  const bool must_sync = std::exchange(dirty_, false);
  syncing_ = must_sync;
  const std::uint64_t sequence = database_->sequence();
  lock.unlock();
  Status synced;
  if (must_sync) {
    synced = database_->sync();
    if (synced) mark_->advance(sequence);
  }
  lock.lock();
  if (!synced) {
    if (health_) health_ = synced;
    syncing_ = false;
    lock.unlock();
    fail_group(std::move(group), synced);
    lock.lock();
    return;
  }
  const std::optional<Time> due_before = hot_.next_due();
  for (const PackedId id : group.queued) hot_.publish(id);
  const std::optional<Time> due = hot_.next_due();  // one may wait for the rate of its queue
  if (due && (!due_before || *due < *due_before)) group.due_changed = true;
  const bool became_ready =
      (!group.queued.empty() || group.slots_freed) && (hot_.ready.can_take() || hot_.wait_index.can_take());
  const std::vector<VersionId> free = hot_.locks.still_free(group.freed);
  lock.unlock();
  tell(group, became_ready, free);
  for (Completion& completion : group.completions) completion(synced);
  group = {};
  if (const auto now = std::chrono::steady_clock::now(); now - ballast_checked_ > kBallastEvery) {
    ballast_checked_ = now;
    space_->restore_ballast();
  }
  lock.lock();
  syncing_ = false;  // only now, so that nobody is answered at once who came after these
}

void RocksStore::tell(const Group& group, bool became_ready, const std::vector<VersionId>& free) {
  std::lock_guard lock(listener_lock_);
  if (listener_ == nullptr) return;
  if (became_ready) listener_->on_ready();
  if (group.due_changed) listener_->on_due_changed();
  for (const auto& [run, status] : group.changed) listener_->on_run_changed(run, status);
  for (const VersionId& version : free) listener_->on_version_free(version);
}

}  // namespace perdure::store::rocks
