// RocksDB's write-ahead log files, synced by us. RocksDB's own SyncWAL() beside a write that fails trips an assertion
// in the library as Debian builds it, which ends the process; and it takes RocksDB's locks. So this file system, put
// between RocksDB and the real one, keeps hold of the log files that are open and syncs them itself, while RocksDB
// appends. Any thread.
#pragma once

#include <rocksdb/file_system.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace perdure::store::rocks {

class WalFiles final : public rocksdb::FileSystemWrapper {
 public:
  explicit WalFiles(const std::shared_ptr<rocksdb::FileSystem>& below) : rocksdb::FileSystemWrapper(below) {}
  const char* Name() const override { return "perdure.WalFiles"; }

  /// On success everything that was appended to a log file before the call outlives the machine. After an error nothing
  /// may be appended any more, nor the sync be tried again: what became of the bytes is unknown.
  rocksdb::IOStatus sync();

  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* dbg) override;

 private:
  friend class WalFile;
  // An open log file. Shared with the handle that RocksDB has.
  struct Open {
    std::mutex mutex;  // held by a sync, and to close
    std::unique_ptr<rocksdb::FSWritableFile> file;
    std::string directory;
    std::atomic<std::uint64_t> appended{0};
    std::uint64_t synced = 0;
    bool entered = false;  // its directory was synced since it was created
  };
  rocksdb::IOStatus sync(Open& log);

  std::mutex mutex_;
  std::vector<std::shared_ptr<Open>> logs_;  // in the order of their creation
};

}  // namespace perdure::store::rocks
