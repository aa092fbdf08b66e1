// Opening RocksDB after whatever happened to it. No recovery mode of RocksDB's is right alone: one silently drops
// synced writes after a flipped bit, another refuses the torn end that every power cut leaves. So:
//   1. Open tolerating an incomplete last record only; a gap between two logs counts as damage too.
//   2. On damage, open read-only up to the damage, which changes nothing, and see how far that gets. At or past the
//   mark
//      (the writes known to have been synced): the damage is an unsynced end. Before it: acknowledged writes are
//      missing. With no mark at hand only one drop of at most one block, at the very end of the newest log, is
//      believed to be a torn end.
//   3. An unsynced end: keep a copy of the logs aside, open up to the damage. Otherwise refuse, having changed nothing.
//   4. Where the loss is accepted, open up to the damage all the same. What is no damage of a log is beyond repair.
// More than one batch may be cut off by one power cut, since several are written between two syncs; the mark tells.
// One thread.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/wal_filter.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/model/status.h"
#include "store/rocks/info_log.h"

namespace perdure::store::rocks {

struct OpenRequest {
  rocksdb::DBOptions options;  // info_log and wal_recovery_mode are set here
  std::string directory;
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  std::optional<std::uint64_t> mark;  // nothing: none at hand
  bool doubtful = false;     // a write or a sync failed before: the logs' last bytes may be in the page cache only
  bool accept_loss = false;  // open up to the damage wherever it is
  LogSink log;
};

struct Opened {
  std::shared_ptr<rocksdb::WalFilter> filter;  // RocksDB keeps a bare pointer to it
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;  // in the order of `families`
};

/// Climbs the ladder. kCorruption: refused, nothing changed; the message says what to do.
Result<Opened> open_or_recover(OpenRequest request);

}  // namespace perdure::store::rocks
