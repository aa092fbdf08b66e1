// Bulk actions: kept, and found again. See rocks_store.h.
#include <algorithm>
#include <utility>

#include "store/rocks/bulk_action_record.h"
#include "store/rocks/rocks_store.h"

namespace perdure::store::rocks {
namespace {

constexpr std::size_t kMostListed = 100;

std::string part_prefix(BulkPart part) { return std::string(1, static_cast<char>(part)); }

}  // namespace

void RocksStore::put_bulk_action(BulkAction action, const std::vector<RunId>& affected, DoneStatus done) {
  const std::optional<PackedId> id = pack(action.id);
  if (!id) {
    return done(Status::invalid("\"" + action.id.text() +
                                "\" is no id of a bulk action; make one with "
                                "new_bulk_action_id()"));
  }
  Lock lock(mutex_);
  const auto put = [&]() -> Status {
    if (!health_) return refused();
    Batch batch(*database_);
    batch.put(Family::kBulkActions, bulk_key(BulkPart::kAction, *id), encode(action));
    if (action.status == BulkStatus::kPending) {
      batch.put(Family::kBulkActions, bulk_key(BulkPart::kPending, *id), {});
    } else {
      batch.erase(Family::kBulkActions, bulk_key(BulkPart::kPending, *id));
    }
    for (const RunId& run : affected) {
      if (const std::optional<PackedId> packed = pack(run)) {
        batch.put(Family::kBulkActions, bulk_run_key(*id, *packed), {});
      }
    }
    return write(batch);
  };
  if (Status written = put(); !written) {
    lock.unlock();
    return done(written);
  }
  group_.completions.push_back(std::move(done));
  wake_commit_thread();
}

Result<BulkAction> RocksStore::bulk_action(const BulkActionId& id) const {
  const Status none = Status::not_found("there is no bulk action " + id.text());
  const std::optional<PackedId> packed = pack(id);
  if (!packed) return none;
  return with_database([&](const Database& db) -> Result<BulkAction> {
    std::string bytes;
    const Status got = db.get(Family::kBulkActions, bulk_key(BulkPart::kAction, *packed), bytes);
    if (got.code() == Code::kNotFound) return none;
    if (!got) return got;
    return decode_bulk_action(*packed, bytes);
  });
}

Result<BulkActionPage> RocksStore::bulk_actions(const BulkActionId& after, const BulkActionId& before,
                                                std::size_t limit) const {
  limit = std::clamp<std::size_t>(limit, 1, kMostListed);
  const bool backwards = after.empty() && !before.empty();
  const BulkActionId& cursor = backwards ? before : after;
  return with_database([&](const Database& db) -> Result<BulkActionPage> {
    Scan scan = db.scan(Family::kBulkActions, part_prefix(BulkPart::kAction));
    const PackedId from = pack(cursor).value_or(PackedId{UINT64_MAX, UINT64_MAX});
    // To the first action in the direction that is beyond `id`.
    const auto seek_beyond = [&](PackedId id, bool newer) {
      newer ? scan.seek(run_key(id)) : scan.seek_back(run_key(id));
      if (!scan.valid() || run_in_key(scan.key(), 1) != id) return;
      newer ? scan.next() : scan.previous();
    };
    BulkActionPage page;
    seek_beyond(from, backwards);
    while (scan.valid() && page.actions.size() < limit) {
      const std::optional<PackedId> id = run_in_key(scan.key(), 1);
      if (!id) return Status::corruption("a key of the bulk actions is cut short; restore the store from a backup");
      Result<BulkAction> action = decode_bulk_action(*id, scan.value());
      if (!action) return action.status();
      page.actions.push_back(std::move(*action));
      backwards ? scan.next() : scan.previous();
    }
    (backwards ? page.more_before : page.more_after) = scan.valid();
    if (Status read = scan.status(); !read) return read;
    if (!cursor.empty()) {
      if (page.actions.empty()) {  // the cursor itself is behind the page
        backwards ? scan.seek_back(run_key(from)) : scan.seek(run_key(from));
      } else {
        seek_beyond(*pack(page.actions.front().id), !backwards);
      }
      (backwards ? page.more_after : page.more_before) = scan.valid();
    }
    if (backwards) std::ranges::reverse(page.actions);
    return page;
  });
}

Result<std::vector<BulkActionId>> RocksStore::pending_bulk_actions(std::size_t max) const {
  return with_database([max](const Database& db) -> Result<std::vector<BulkActionId>> {
    std::vector<BulkActionId> pending;
    Scan scan = db.scan(Family::kBulkActions, part_prefix(BulkPart::kPending));
    for (; scan.valid() && pending.size() < max; scan.next()) {
      if (const std::optional<PackedId> id = run_in_key(scan.key(), 1)) pending.push_back(unpack_bulk_action(*id));
    }
    if (Status read = scan.status(); !read) return read;
    return pending;
  });
}

}  // namespace perdure::store::rocks
