// Bulk actions. See memory_store.h.
#include <algorithm>
#include <utility>

#include "store/memory/mutation.h"

namespace perdure::store {

void MemoryStore::put_bulk_action(BulkAction action, const std::vector<RunId>& affected, DoneStatus done) {
  if (!is_bulk_action_id(action.id.text())) {
    return done(Status::invalid("\"" + action.id.text() +
                                "\" is no id of a bulk action; make one with "
                                "new_bulk_action_id()"));
  }
  if (Status admitted = admit("put_bulk_action"); !admitted) return done(admitted);
  Mutation mutation(*this);
  for (const RunId& run : affected) {
    if (const auto found = runs_.find(run); found != runs_.end()) found->second.bulk_actions.insert(action.id);
  }
  const BulkActionId id = action.id;
  bulk_actions_.insert_or_assign(id, std::move(action));
  mutation.finish([done = std::move(done)] { done(Status::ok()); });
}

Result<BulkAction> MemoryStore::bulk_action(const BulkActionId& id) const {
  std::lock_guard lock(mutex_);
  const auto found = bulk_actions_.find(id);
  if (found == bulk_actions_.end()) return Status::not_found("there is no bulk action " + id.text());
  return found->second;
}

Result<BulkActionPage> MemoryStore::bulk_actions(const BulkActionId& after, const BulkActionId& before,
                                                 std::size_t limit) const {
  std::lock_guard lock(mutex_);
  std::vector<const BulkAction*> all;  // oldest first
  for (const auto& [id, action] : bulk_actions_) all.push_back(&action);
  const auto position = [&](auto found) { return static_cast<std::size_t>(found - all.begin()); };
  limit = std::clamp<std::size_t>(limit, 1, 100);
  std::size_t begin = 0, end = all.size();  // of the page
  if (after.empty() && !before.empty()) {
    begin = position(std::ranges::upper_bound(all, before, {}, [](const BulkAction* each) { return each->id; }));
    end = std::min(all.size(), begin + limit);
  } else {
    if (!after.empty()) {
      end = position(std::ranges::lower_bound(all, after, {}, [](const BulkAction* each) { return each->id; }));
    }
    begin = end - std::min(end, limit);
  }
  BulkActionPage page;
  page.more_after = begin > 0;
  page.more_before = end < all.size();
  for (std::size_t i = end; i > begin; --i) page.actions.push_back(*all[i - 1]);
  return page;
}

Result<std::vector<BulkActionId>> MemoryStore::pending_bulk_actions(std::size_t max) const {
  std::lock_guard lock(mutex_);
  std::vector<BulkActionId> pending;
  for (const auto& [id, action] : bulk_actions_) {
    if (action.status == BulkStatus::kPending && pending.size() < max) pending.push_back(id);
  }
  return pending;
}

}  // namespace perdure::store
