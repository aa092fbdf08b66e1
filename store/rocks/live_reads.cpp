// What is read of a run's metadata, streams and children. See rocks_store.h.
#include <algorithm>
#include <utility>

#include "store/rocks/live_records.h"
#include "store/rocks/rocks_store.h"
#include "store/rocks/stream_index.h"

namespace perdure::store::rocks {
namespace {

Status no_run(const RunId& id) { return Status::not_found("there is no run " + id.text()); }

// What follows every sequence of a stream.
constexpr std::string_view kNewest("\xff\xff\xff\xff\xff\xff\xff\xff", 8);

}  // namespace

Result<std::vector<StreamInfo>> stored_streams(const Database& db, PackedId run) {
  std::vector<StreamInfo> streams;
  const std::string prefix = live_prefix(run, LivePart::kStream);
  Scan scan = db.scan(Family::kLive, prefix);
  while (scan.valid()) {
    const std::string name(stream_in_key(scan.key()));
    const std::string rest = stream_prefix(run, name).substr(prefix.size()).append(kNewest);
    scan.seek_back(rest);
    if (!scan.valid()) break;
    const Result<std::uint64_t> bytes = decode_stream_bytes(scan.value());
    if (!bytes) return bytes.status();
    streams.push_back({name, u64_at_end(scan.key()), *bytes});
    scan.next();
  }
  if (Status read = scan.status(); !read) return read;
  std::ranges::sort(streams, {}, &StreamInfo::name);
  return streams;
}

Result<std::string> RocksStore::metadata(const RunId& id) const {
  const std::optional<PackedId> packed = pack(id);
  if (!packed) return no_run(id);
  return with_database([&](const Database& db) -> Result<std::string> {
    Result<RunRecord> record = stored_run(db, *packed);
    if (!record) return record.status();
    std::string& triggered_with = record->run.options.metadata;
    if (record->run.metadata_changed) return MetadataCache::read(db, *packed, triggered_with);
    return triggered_with.empty() ? std::string("{}") : std::move(triggered_with);
  });
}

Result<std::vector<StreamInfo>> RocksStore::streams(const RunId& id) const {
  const std::optional<PackedId> packed = pack(id);
  if (!packed) return no_run(id);
  return with_database([&](const Database& db) -> Result<std::vector<StreamInfo>> {
    if (const Result<RunRecord> record = stored_run(db, *packed); !record) return record.status();
    return stored_streams(db, *packed);
  });
}

Result<std::vector<StreamChunk>> RocksStore::read_stream(const RunId& id, const std::string& name, std::uint64_t after,
                                                         std::size_t limit) const {
  const std::optional<PackedId> packed = pack(id);
  if (!packed) return no_run(id);
  return with_database([&](const Database& db) -> Result<std::vector<StreamChunk>> {
    if (const Result<RunRecord> record = stored_run(db, *packed); !record) return record.status();
    std::vector<StreamChunk> page;
    if (after == UINT64_MAX || name.size() > kLongestStreamName) return page;
    const std::string prefix = stream_prefix(*packed, name);
    Scan scan = db.scan(Family::kLive, prefix);
    scan.seek(stream_key(*packed, name, after + 1).substr(prefix.size()));
    std::size_t bytes = 0;
    for (; scan.valid() && page.size() < limit && bytes < kStreamPage; scan.next()) {
      Result<StreamPiece> piece = decode_stream_piece(scan.value());
      if (!piece) return piece.status();
      std::uint64_t sequence = u64_at_end(scan.key()) - piece->chunks.size();
      for (std::string& text : piece->chunks) {
        if (++sequence <= after) continue;
        if (page.size() == limit || bytes >= kStreamPage) break;
        bytes += text.size();
        page.push_back({sequence, piece->at, std::move(text)});
      }
    }
    if (Status read = scan.status(); !read) return read;
    return page;
  });
}

Result<std::vector<RunId>> RocksStore::children(const RunId& parent, const RunId& after, std::size_t limit) const {
  const std::optional<PackedId> packed = pack(parent);
  if (!packed) return no_run(parent);
  const std::optional<PackedId> newest = pack(after);
  if (!newest && !after.empty()) {
    return Status::invalid("\"" + after.text() + "\" is no cursor; use the id of the last child before");
  }
  return with_database([&](const Database& db) -> Result<std::vector<RunId>> {
    if (const Result<RunRecord> record = stored_run(db, *packed); !record) return record.status();
    std::vector<RunId> page;
    const std::string prefix = live_prefix(*packed, LivePart::kChild);
    Scan scan = db.scan(Family::kLive, prefix);
    if (newest) scan.seek(run_key(*newest).text() + '\0');
    for (; scan.valid() && page.size() < limit; scan.next()) {
      if (const std::optional<PackedId> child = run_in_key(scan.key(), prefix.size())) page.push_back(unpack(*child));
    }
    if (Status read = scan.status(); !read) return read;
    return page;
  });
}

}  // namespace perdure::store::rocks
