// Finished runs go. See memory_store.h.
#include <algorithm>
#include <utility>

#include "store/memory/mutation.h"

namespace perdure::store {

// Whether a run that is old enough may go.
bool MemoryStore::may_go(const Run& run) const {
  if (owing_.contains(run.id) || canceled_parents_.contains(run.id)) return false;
  const Entry* const parent = find(run.parent);
  return parent == nullptr || is_final(parent->run.status);
}

void MemoryStore::forget(const RunId& id) {
  const Run& run = runs_.at(id).run;
  --counts_[run.status];
  if (const auto parent = runs_.find(run.parent); parent != runs_.end()) parent->second.children.erase(id);
  if (run.scheduled_for) fired_.erase({run.schedule, *run.scheduled_for});
  const BatchId batch = run.batch;
  runs_.erase(id);
  if (batches_.contains(batch) && !has_runs(batch)) forget(batch);
}

void MemoryStore::remove_finished(const Removal& removal, Done<Removed> done) {
  if (!is_final(removal.status)) {
    return done(Status::invalid("runs that are " + std::string(status_name(removal.status)) +
                                " are not finished and cannot be removed; name a final status"));
  }
  if (Status admitted = admit("remove_finished"); !admitted) return done(admitted);
  Removed removed;
  {
    std::lock_guard lock(mutex_);
    const std::uint64_t there = counts_[removal.status];
    const std::uint64_t surplus = removal.keep ? there - std::min(there, *removal.keep) : there;
    std::size_t looked_at = 0;
    auto at = removal.after.empty() ? runs_.begin() : runs_.upper_bound(removal.after);
    while (at != runs_.end()) {
      const auto each = at++;
      const Run& run = each->second.run;
      if (run.status != removal.status) continue;
      if (looked_at++ == removal.most || removed.runs == surplus) {
        removed.more = removed.runs < surplus;
        break;
      }
      removed.last = run.id;
      if (run.created_at >= removal.ended_before) break;  // as are all after it
      if (*run.finished_at >= removal.ended_before || !may_go(run)) continue;
      ++removed.runs;
      forget(run.id);
    }
  }
  done(removed);
}

}  // namespace perdure::store
