// Forgets idempotency keys and request ids whose time is over, whenever RocksDB compacts the files they are in, so that
// nobody has to look for them. A key that is still there after its time counts for nothing either way.
// Any thread.
#pragma once

#include <rocksdb/compaction_filter.h>

#include <atomic>
#include <cstdint>
#include <memory>

namespace perdure::store::rocks {

/// The latest time that a mutation named, in milliseconds since the epoch: the store has no clock of its own.
using LatestTime = std::atomic<std::int64_t>;

/// Drops each KeyRecord whose expiry lies before `now` at the time of the compaction.
std::shared_ptr<rocksdb::CompactionFilterFactory> make_expired_keys_filter(std::shared_ptr<const LatestTime> now);

}  // namespace perdure::store::rocks
