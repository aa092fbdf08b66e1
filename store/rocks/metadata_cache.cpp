#include "store/rocks/metadata_cache.h"

#include <algorithm>
#include <utility>

#include "store/rocks/live_records.h"

namespace perdure::store::rocks {
namespace {

constexpr std::size_t kMostCached = 256;                  // documents
constexpr std::size_t kMostCost = std::size_t{16} << 20;  // bytes of them
constexpr std::size_t kFewBytes = std::size_t{4} << 10;   // of operations: no reason to write the object anew
constexpr std::uint64_t kMostOperations = 256;            // that a reader has to repeat

}  // namespace

// The object sorts before its operations, and one scan sees both as of one moment.
Result<MetadataCache::Cached> MetadataCache::load(const Database& db, PackedId run, std::string_view triggered_with) {
  Cached cached;
  cached.run = run;
  cached.document = MetadataDocument(triggered_with);
  const std::string prefix = live_prefix(run, LivePart::kMetadata);
  Scan scan = db.scan(Family::kLive, prefix);
  if (scan.valid() && scan.key().size() == prefix.size()) {
    cached.document = MetadataDocument(scan.value());
    cached.stored = true;
    scan.next();
  }
  for (; scan.valid(); scan.next()) {
    const Result<std::vector<MetadataOperation>> operations = decode_operations(scan.value());
    if (!operations) return operations.status();
    cached.document.repeat(*operations);
    cached.operations = u64_at_end(scan.key());
    cached.bytes += scan.value().size();
  }
  if (Status read = scan.status(); !read) return read;
  return cached;
}

Result<std::string> MetadataCache::read(const Database& db, PackedId run, std::string_view triggered_with) {
  const Result<Cached> cached = load(db, run, triggered_with);
  if (!cached) return cached.status();
  return cached->document.text();
}

Status MetadataCache::change(const Database& db, PackedId run, std::string_view triggered_with,
                             const std::vector<MetadataOperation>& operations, Batch& batch) {
  const auto found = by_run_.find(run);
  if (found == by_run_.end()) {
    Result<Cached> loaded = load(db, run, triggered_with);
    if (!loaded) return loaded.status();
    newest_first_.push_front(std::move(*loaded));
    by_run_.emplace(run, newest_first_.begin());
  } else {
    newest_first_.splice(newest_first_.begin(), newest_first_, found->second);
  }
  Cached& cached = newest_first_.front();
  const Status changed = cached.document.change(operations);
  if (changed) {
    const std::string bytes = encode(operations);
    cached.bytes += bytes.size();
    const bool anew = cached.bytes > std::max(kFewBytes, cached.document.size()) ||
                      cached.operations >= kMostOperations || !cached.stored;
    if (anew) {
      batch.put(Family::kLive, metadata_key(run, 0), cached.document.text());
      for (; cached.operations > 0; --cached.operations) {
        batch.erase(Family::kLive, metadata_key(run, cached.operations));
      }
      cached.bytes = 0;
      cached.stored = true;
    } else {
      batch.put(Family::kLive, metadata_key(run, ++cached.operations), bytes);
    }
  }
  note_cost(cached);
  return changed;
}

void MetadataCache::note_cost(Cached& cached) {
  cost_ -= cached.cost;
  cached.cost = cached.document.cost();
  cost_ += cached.cost;
  while (newest_first_.size() > 1 && (newest_first_.size() > kMostCached || cost_ > kMostCost)) {
    cost_ -= newest_first_.back().cost;
    by_run_.erase(newest_first_.back().run);
    newest_first_.pop_back();
  }
}

void MetadataCache::clear() {
  newest_first_.clear();
  by_run_.clear();
  cost_ = 0;
}

}  // namespace perdure::store::rocks
