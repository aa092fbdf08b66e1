// Finished runs go, with all that belongs to them. What lies under their ids goes by ranges: ids are ordered by time,
// so the runs that are old enough are neighbours, but for those that stay. See rocks_store.h.
#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "store/rocks/index_cursor.h"
#include "store/rocks/rocks_store.h"

namespace perdure::store::rocks {
namespace {

// What begins with the id of a run in each of these is the run's.
constexpr std::array kOfRuns{Family::kRuns,     Family::kPayloads, Family::kAttempts,
                             Family::kTimeline, Family::kLogs,     Family::kLive};

// A deleted range costs every later read a little until it is compacted away; a few deleted keys do not.
constexpr std::size_t kWorthARange = 16;

// Neighbours in the order of ids.
struct Neighbours {
  PackedId first, last;
  std::size_t runs = 1;
};

void erase(const Database& db, const Neighbours& these, Batch& batch) {
  const std::optional<PackedId> next = beside(these.last, Direction::kNewer);
  const std::string begin = run_key(these.first).text();
  const std::string end = next ? run_key(*next).text() : std::string(kPackedIdSize + 1, '\xff');
  for (const Family family : kOfRuns) {
    if (these.runs >= kWorthARange) {
      batch.erase_range(family, begin, end);
      continue;
    }
    Scan scan = db.scan(family, {});
    for (scan.seek(begin); scan.valid() && scan.key() < end; scan.next()) batch.erase(family, scan.key());
  }
}

}  // namespace

// Whether a run that is old enough may go.
Result<bool> RocksStore::may_go(PackedId id, const Run& run) const {
  std::string bytes;
  for (const Family family : {Family::kOwed, Family::kCanceled}) {
    const Status marked = database_->get(family, run_key(id), bytes);
    if (marked) return false;
    if (marked.code() != Code::kNotFound) return marked;
  }
  const std::optional<PackedId> parent = pack(run.parent);
  if (!parent) return true;
  const Result<RunRecord> above = stored_run(*database_, *parent);
  if (above.status().code() == Code::kNotFound) return true;
  if (!above) return above.status();
  return is_final(above->run.status);
}

Status RocksStore::erase_indexes(PackedId id, const Run& run, Batch& batch) const {
  batch.erase(Family::kByStatus, status_key(run.status, id));
  batch.erase(Family::kByTask, task_key(run.task, id));
  for (const std::string& tag : run.options.tags) batch.erase(Family::kByTag, tag_key(tag, id));
  if (const std::optional<PackedId> of = pack(run.batch)) batch.erase(Family::kBatches, batch_run_key(*of, id));
  if (const std::optional<PackedId> parent = pack(run.parent)) batch.erase(Family::kLive, child_key(*parent, id));
  if (const std::optional<PackedId> schedule = pack(run.schedule)) {
    batch.erase(Family::kBySchedule, by_schedule_key(*schedule, id));
    if (run.scheduled_for) batch.erase(Family::kSchedules, fired_key(*schedule, *run.scheduled_for));
  }
  if (run.options.idempotency_key.empty()) return Status::ok();
  const std::string key = key_key(KeyKind::kIdempotency, run.task, run.options.idempotency_key);
  std::string bytes;
  const Status got = database_->get(Family::kKeys, key, bytes);
  if (got.code() == Code::kNotFound) return Status::ok();
  if (!got) return got;
  const Result<KeyRecord> record = decode_key(bytes);
  if (record && record->run == id) batch.erase(Family::kKeys, key);
  return Status::ok();
}

Result<Removed> RocksStore::remove_some(const Removal& removal) {
  const std::uint64_t there = hot_.count(removal.status);
  const std::uint64_t surplus = removal.keep ? there - std::min(there, *removal.keep) : there;
  Removed removed;
  std::vector<Neighbours> going;
  std::optional<PackedId> follows;   // the run after the last one that goes
  std::set<PackedId> gone, batches;  // runs of batches, and those
  Batch batch(*database_);
  Scan scan = database_->scan(Family::kByStatus, status_prefix(removal.status));
  if (const std::optional<PackedId> after = pack(removal.after)) scan.seek(run_key(*after).text() + '\0');
  Scan runs = database_->scan(Family::kRuns, {});
  std::size_t looked_at = 0;
  bool too_young = false;
  for (; scan.valid() && looked_at < removal.most && removed.runs < surplus; scan.next(), ++looked_at) {
    const std::optional<PackedId> id = run_in_key(scan.key(), 1);
    if (!id) continue;
    runs.seek(run_key(*id));
    const bool found = runs.valid() && run_in_key(runs.key(), 0) == id;
    const Result<RunRecord> record = found ? decode_run(*id, runs.value()) : Status::not_found({});
    removed.last = unpack(*id);
    if (!record || !record->run.finished_at) continue;
    const Run& run = record->run;
    if (run.created_at >= removal.ended_before) {  // as are all after it
      too_young = true;
      break;
    }
    if (*run.finished_at >= removal.ended_before) continue;
    const Result<bool> goes = may_go(*id, run);
    if (!goes) return goes.status();
    if (!*goes) continue;
    if (Status erased = erase_indexes(*id, run, batch); !erased) return erased;
    ++removed.runs;
    if (const std::optional<PackedId> of = pack(run.batch)) {
      gone.insert(*id);
      batches.insert(*of);
    }
    if (follows == id) {
      going.back().last = *id;
      ++going.back().runs;
    } else {
      going.push_back({*id, *id});
    }
    runs.next();
    follows = runs.valid() ? run_in_key(runs.key(), 0) : std::nullopt;
  }
  if (Status read = scan.status(); !read) return read;
  removed.more = scan.valid() && !too_young && removed.runs < surplus;
  for (const Neighbours& each : going) erase(*database_, each, batch);
  if (removed.runs == 0) return removed;
  if (Status forgotten = forget_emptied(batches, gone, batch); !forgotten) return forgotten;
  hot_.count(removal.status) -= removed.runs;
  put_finished_counts(batch);
  if (Status written = write_unawaited(batch); !written) return written;
  return removed;
}

void RocksStore::remove_finished(const Removal& removal, Done<Removed> done) {
  if (!is_final(removal.status)) {
    return done(Status::invalid("runs that are " + std::string(status_name(removal.status)) +
                                " are not finished and cannot be removed; name a final status"));
  }
  Lock lock(mutex_);
  Result<Removed> removed = health_ ? remove_some(removal) : Result<Removed>(refused());
  lock.unlock();
  done(std::move(removed));
}

}  // namespace perdure::store::rocks
