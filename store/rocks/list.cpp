// Pages of runs by filter. See rocks_store.h and index_cursor.h.
#include <algorithm>
#include <utility>

#include "store/rocks/index_cursor.h"
#include "store/rocks/index_page.h"
#include "store/rocks/rocks_store.h"

namespace perdure::store::rocks {
namespace {

// Looks into indexes, and runs read, for one page: so that a page takes some milliseconds at the most, also where a
// million runs have one of the wanted properties and another million the other.
constexpr std::size_t kMostLooks = 4000;
constexpr std::size_t kRunRead = 2;  // looks that reading a run is worth

// The runs that a filter lets through, in one direction.
class Matches {
 public:
  Matches(const Database& db, const RunFilter& filter, Direction direction)
      : db_(db), filter_(filter), direction_(direction) {
    std::vector<std::string> prefixes;
    for (const RunStatus status : stored_statuses(filter)) prefixes.push_back(status_prefix(status));
    add(Family::kByStatus, prefixes);
    for (const TaskId& task : filter.tasks) prefixes.push_back(task_prefix(task));
    add(Family::kByTask, prefixes);
    for (const std::string& tag : filter.tags) prefixes.push_back(tag_prefix(tag));
    add(Family::kByTag, prefixes);
    for (const ScheduleId& schedule : filter.schedules) prefixes.push_back(schedule_runs_prefix(schedule));
    add(Family::kBySchedule, prefixes);
    if (!filter.bulk_action.empty()) prefixes.push_back(bulk_runs_prefix(filter.bulk_action));
    add(Family::kBulkActions, prefixes);
    if (!filter.batch.empty()) prefixes.push_back(batch_runs_prefix(filter.batch));
    add(Family::kBatches, prefixes);
    if (any_) return;
    prefixes.emplace_back();
    add(Family::kRuns, prefixes);
  }

  /// Up to `limit` matching runs at or beyond `from`.
  Result<Found<Run>> take(std::optional<PackedId> from, std::size_t limit) {
    Found<Run> found;
    std::size_t looks = kMostLooks;
    if (from) from = into_time(*from);
    while (from && found.things.size() < limit) {
      const std::optional<PackedId> id = looks == 0 ? std::nullopt : cursor_.seek(*from, looks);
      if (!id && looks == 0) found.stopped_at = from;
      if (!id || beyond_time(*id)) break;
      from = beside(*id, direction_);
      looks -= std::min(looks, kRunRead);
      std::string bytes;
      const Status got = db_.get(Family::kRuns, run_key(*id), bytes);
      if (got.code() == Code::kNotFound) continue;
      if (!got) return got;
      Result<RunRecord> record = decode_run(*id, bytes);
      if (!record) return record.status();
      // The indexes are read at slightly different moments: only the run itself says what holds.
      if (!lets_through(filter_, record->run)) continue;
      to_wall(record->run, db_.ahead());
      found.things.push_back(std::move(record->run));
    }
    if (Status read = cursor_.status(); !read) return read;
    return found;
  }

 private:
  // A run that clients are told is QUEUED may be stored as DELAYED.
  static std::vector<RunStatus> stored_statuses(const RunFilter& filter) {
    std::vector<RunStatus> statuses = filter.statuses;
    const auto has = [&](RunStatus status) { return std::ranges::find(statuses, status) != statuses.end(); };
    if (filter.told && has(RunStatus::kQueued) && !has(RunStatus::kDelayed)) statuses.push_back(RunStatus::kDelayed);
    return statuses;
  }

  void add(Family family, std::vector<std::string>& prefixes) {
    if (prefixes.empty()) return;
    cursor_.add(UnionCursor(db_, family, prefixes, direction_));
    any_ = true;
    prefixes.clear();
  }

  // The first id in the direction that is of the filter's time; nothing when `from` is beyond all of them.
  [[nodiscard]] std::optional<PackedId> into_time(PackedId from) const {
    if (direction_ == Direction::kOlder && filter_.to) from = std::min(from, last_id_of(*filter_.to));
    if (direction_ == Direction::kNewer && filter_.from) from = std::max(from, first_id_of(*filter_.from));
    return beyond_time(from) ? std::nullopt : std::optional(from);
  }
  [[nodiscard]] bool beyond_time(PackedId id) const {
    if (direction_ == Direction::kOlder) return filter_.from && id < first_id_of(*filter_.from);
    return filter_.to && id > last_id_of(*filter_.to);
  }

  const Database& db_;
  const RunFilter& filter_;
  IndexCursor cursor_;
  Direction direction_;
  bool any_ = false;
};

}  // namespace

Result<RunPage> RocksStore::list(const RunFilter& filter) const {
  for (const RunId& cursor : {filter.after, filter.before}) {
    if (!cursor.empty() && !pack(cursor)) {
      return Status::invalid("\"" + cursor.text() + "\" is no cursor; use the id of a run on the page before");
    }
  }
  return with_database([&](const Database& db) -> Result<RunPage> {
    const auto take = [&](Direction direction, std::optional<PackedId> from, std::size_t limit) {
      return Matches(db, filter, direction).take(from, limit);
    };
    Result<IndexPage<Run>> found = read_page<Run>(pack(filter.after), pack(filter.before), filter.limit, take);
    if (!found) return found.status();
    RunPage page;
    page.runs = std::move(found->things);
    page.more_after = found->older.more;
    page.more_before = found->newer.more;
    if (found->older.cursor) page.after = unpack(*found->older.cursor);
    if (found->newer.cursor) page.before = unpack(*found->newer.cursor);
    return page;
  });
}

}  // namespace perdure::store::rocks
