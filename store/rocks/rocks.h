// The embedded engine: a Store in one directory on this machine, kept by RocksDB. See store/README.md for its layout.
// One process has a directory at a time. Delete the store before main ends.
#pragma once

#include <rocksdb/file_system.h>

#include <chrono>
#include <memory>
#include <string>

#include "store/model/status.h"
#include "store/rocks/info_log.h"
#include "store/rocks/space.h"
#include "store/store.h"

namespace perdure::store {

struct RocksOptions {
  std::string directory;  // the data directory: gets `lock`, `store/`, `store.mark` and `ballast`
  rocks::LogSink log;     // what RocksDB and the engine have to say; may be empty
  rocks::SpaceOptions space;
  /// Opens a damaged store up to the damage, losing what comes after it, instead of refusing.
  bool accept_loss = false;
  /// How often a store that failed looks whether it can serve again.
  std::chrono::milliseconds retry_every{500};
  /// A write that nobody waits for (a claim, a log line) is durable after this time at the latest.
  std::chrono::milliseconds sync_within{20};
  std::shared_ptr<rocksdb::FileSystem> file_system;  // null: the real one
};

/// Opens the store, creating it when there is none. kUnavailable: another process has the directory (named in the
/// message). kCorruption: acknowledged writes are missing or unreadable; nothing was changed. kNoSpace, kIo.
Result<std::unique_ptr<Store>> open_rocks(RocksOptions options);

}  // namespace perdure::store
