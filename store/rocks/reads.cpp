// What can be asked of one run. Reads the database only, beside all mutations. See rocks_store.h.
#include <algorithm>
#include <iterator>
#include <utility>

#include "store/rocks/rocks_store.h"

namespace perdure::store::rocks {
namespace {

Status no_run(const RunId& id) { return Status::not_found("there is no run " + id.text()); }

}  // namespace

Result<Run> RocksStore::run(const RunId& id) const {
  const std::optional<PackedId> packed = pack(id);
  if (!packed) return no_run(id);
  return with_database([&](const Database& db) -> Result<Run> {
    Result<RunRecord> record = stored_run(db, *packed);
    if (!record) return record.status();
    return std::move(record->run);
  });
}

Result<std::string> RocksStore::payload(const RunId& id) const {
  const std::optional<PackedId> packed = pack(id);
  if (!packed) return no_run(id);
  return with_database([&](const Database& db) -> Result<std::string> {
    std::string bytes;
    const Status got = db.get(Family::kPayloads, payload_key(*packed, PayloadPart::kPayload), bytes);
    if (got.code() == Code::kNotFound) return no_run(id);
    if (!got) return got;
    return bytes;
  });
}

Result<std::string> RocksStore::output(const RunId& id) const {
  const std::optional<PackedId> packed = pack(id);
  if (!packed) return no_run(id);
  return with_database([&](const Database& db) -> Result<std::string> {
    std::string bytes;
    const Status got = db.get(Family::kPayloads, payload_key(*packed, PayloadPart::kOutput), bytes);
    if (got) return bytes;
    if (got.code() != Code::kNotFound) return got;
    if (Result<RunRecord> record = stored_run(db, *packed); !record) return record.status();
    return Status::not_found("run " + id.text() + " has no output; only a COMPLETED run has one");
  });
}

Result<std::vector<Attempt>> RocksStore::attempts(const RunId& id) const {
  const std::optional<PackedId> packed = pack(id);
  if (!packed) return no_run(id);
  return with_database([&](const Database& db) -> Result<std::vector<Attempt>> {
    Result<RunRecord> record = stored_run(db, *packed);
    if (!record) return record.status();
    std::vector<Attempt> attempts;
    if (!record->attempt) return attempts;
    Scan scan = db.scan(Family::kAttempts, run_key(*packed));
    for (; attempts.size() + 1 < record->attempt->number && scan.valid(); scan.next()) {
      Result<Attempt> attempt = decode_attempt(id, scan.value());
      if (!attempt) return attempt.status();
      attempts.push_back(std::move(*attempt));
    }
    if (Status read = scan.status(); !read) return read;
    attempts.push_back(std::move(*record->attempt));
    return attempts;
  });
}

Result<std::vector<TimelineEvent>> RocksStore::timeline(const RunId& id) const {
  const std::optional<PackedId> packed = pack(id);
  if (!packed) return no_run(id);
  return with_database([&](const Database& db) -> Result<std::vector<TimelineEvent>> {
    Result<RunRecord> record = stored_run(db, *packed);
    if (!record) return record.status();
    std::vector<TimelineEvent> events;
    const std::size_t older = record->events - std::min<std::size_t>(record->events, record->recent.size());
    if (older > 0) {
      Scan scan = db.scan(Family::kTimeline, run_key(*packed));
      for (; events.size() < older && scan.valid(); scan.next()) {
        if (Status decoded = decode_events(scan.value(), events); !decoded) return decoded;
      }
      if (Status read = scan.status(); !read) return read;
    }
    std::move(record->recent.begin(), record->recent.end(), std::back_inserter(events));
    return events;
  });
}

Result<std::vector<LogEntry>> RocksStore::logs(const RunId& id, std::uint64_t after, std::size_t limit) const {
  const std::optional<PackedId> packed = pack(id);
  if (!packed) return no_run(id);
  return with_database([&](const Database& db) -> Result<std::vector<LogEntry>> {
    if (Result<RunRecord> record = stored_run(db, *packed); !record) return record.status();
    std::vector<LogEntry> entries;
    if (after == UINT64_MAX) return entries;
    Scan scan = db.scan(Family::kLogs, run_key(*packed));
    scan.seek(std::string_view(log_key(*packed, after + 1)).substr(kPackedIdSize));
    for (; scan.valid() && entries.size() < limit; scan.next()) {
      if (Status decoded = decode_logs(scan.value(), after, limit, entries); !decoded) return decoded;
    }
    if (Status read = scan.status(); !read) return read;
    return entries;
  });
}

}  // namespace perdure::store::rocks
