// Pages of runs by filter. See rocks_store.h and index_cursor.h.
#include <algorithm>
#include <utility>

#include "store/rocks/index_cursor.h"
#include "store/rocks/rocks_store.h"

namespace perdure::store::rocks {
namespace {

constexpr PackedId kLast{UINT64_MAX, UINT64_MAX};
constexpr std::size_t kMostListed = 100;

// The runs that a filter lets through, in one direction.
class Matches {
 public:
  Matches(const Database& db, const RunFilter& filter, Direction direction)
      : db_(db), filter_(filter), cursor_(direction), direction_(direction) {
    std::vector<std::string> prefixes;
    for (const RunStatus status : filter.statuses) prefixes.push_back(status_prefix(status));
    add(Family::kByStatus, prefixes);
    for (const TaskId& task : filter.tasks) prefixes.push_back(task_prefix(task));
    add(Family::kByTask, prefixes);
    for (const std::string& tag : filter.tags) prefixes.push_back(tag_prefix(tag));
    add(Family::kByTag, prefixes);
    for (const ScheduleId& schedule : filter.schedules) prefixes.push_back(schedule_runs_prefix(schedule));
    add(Family::kBySchedule, prefixes);
    if (any_) return;
    prefixes.emplace_back();
    add(Family::kRuns, prefixes);
  }

  /// Up to `limit` matching runs at or beyond `from`.
  Result<std::vector<Run>> take(std::optional<PackedId> from, std::size_t limit) {
    std::vector<Run> runs;
    while (from && runs.size() < limit) {
      const std::optional<PackedId> id = cursor_.seek(*from);
      if (!id) break;
      from = beside(*id, direction_);
      std::string bytes;
      const Status got = db_.get(Family::kRuns, run_key(*id), bytes);
      if (got.code() == Code::kNotFound) continue;
      if (!got) return got;
      Result<RunRecord> record = decode_run(*id, bytes);
      if (!record) return record.status();
      if (matches(record->run)) runs.push_back(std::move(record->run));
    }
    if (Status read = cursor_.status(); !read) return read;
    return runs;
  }

 private:
  void add(Family family, std::vector<std::string>& prefixes) {
    if (prefixes.empty()) return;
    cursor_.add(UnionCursor(db_, family, prefixes, direction_));
    any_ = true;
    prefixes.clear();
  }

  // The indexes are read at slightly different moments: only the run itself says what holds.
  [[nodiscard]] bool matches(const Run& run) const {
    if (filter_.from && run.created_at < *filter_.from) return false;
    if (filter_.to && run.created_at > *filter_.to) return false;
    return filter_.statuses.empty() ||
           std::find(filter_.statuses.begin(), filter_.statuses.end(), run.status) != filter_.statuses.end();
  }

  const Database& db_;
  const RunFilter& filter_;
  IndexCursor cursor_;
  Direction direction_;
  bool any_ = false;
};

std::optional<PackedId> beyond(const RunId& id, Direction direction) {
  const std::optional<PackedId> packed = pack(id);
  return packed ? beside(*packed, direction) : std::nullopt;
}

}  // namespace

Result<RunPage> RocksStore::list(const RunFilter& filter) const {
  for (const RunId& cursor : {filter.after, filter.before}) {
    if (!cursor.empty() && !pack(cursor)) {
      return Status::invalid("\"" + cursor.text() + "\" is no cursor; use the id of a run on the page before");
    }
  }
  const std::size_t limit = std::clamp<std::size_t>(filter.limit, 1, kMostListed);
  return with_database([&](const Database& db) -> Result<RunPage> {
    const bool backwards = filter.after.empty() && !filter.before.empty();
    const Direction way = backwards ? Direction::kNewer : Direction::kOlder;
    const Direction back = backwards ? Direction::kOlder : Direction::kNewer;
    const RunId& cursor = backwards ? filter.before : filter.after;
    const std::optional<PackedId> from = cursor.empty() ? std::optional<PackedId>(kLast) : beyond(cursor, way);
    Result<std::vector<Run>> found = Matches(db, filter, way).take(from, limit + 1);
    if (!found) return found.status();
    const bool more_ahead = found->size() > limit;
    if (more_ahead) found->pop_back();

    // Behind the page: whatever matches on the other side of its first run, or of the cursor when it is empty.
    bool more_behind = false;
    if (!cursor.empty()) {
      const std::optional<PackedId> edge = found->empty() ? pack(cursor) : beyond(found->front().id, back);
      Result<std::vector<Run>> behind = Matches(db, filter, back).take(edge, 1);
      if (!behind) return behind.status();
      more_behind = !behind->empty();
    }
    RunPage page;
    if (backwards) std::reverse(found->begin(), found->end());
    page.runs = std::move(*found);
    page.more_after = backwards ? more_behind : more_ahead;
    page.more_before = backwards ? more_ahead : more_behind;
    return page;
  });
}

}  // namespace perdure::store::rocks
