// See wal_files.h.
#include "store/rocks/wal_files.h"

#include <utility>

namespace perdure::store::rocks {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

// What RocksDB writes a log through.
class WalFile final : public rocksdb::FSWritableFileWrapper {
 public:
  WalFile(WalFiles& files, std::shared_ptr<WalFiles::Open> log)
      : rocksdb::FSWritableFileWrapper(log->file.get()), files_(files), log_(std::move(log)) {}
  ~WalFile() override { forget(); }

  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options, IODebugContext* dbg) override {
    IOStatus status = rocksdb::FSWritableFileWrapper::Append(data, options, dbg);
    if (status.ok()) log_->appended.fetch_add(data.size(), std::memory_order_release);
    return status;
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& /*verification*/, IODebugContext* dbg) override {
    return Append(data, options, dbg);
  }
  IOStatus Sync(const IOOptions& /*options*/, IODebugContext* /*dbg*/) override { return files_.sync(*log_); }
  IOStatus Fsync(const IOOptions& /*options*/, IODebugContext* /*dbg*/) override { return files_.sync(*log_); }
  IOStatus Close(const IOOptions& options, IODebugContext* dbg) override {
    forget();
    return rocksdb::FSWritableFileWrapper::Close(options, dbg);
  }

 private:
  // RocksDB closes a log when its contents are in tables, or when it closes itself: there is nothing to sync then.
  void forget() {
    {
      std::lock_guard lock(files_.mutex_);
      std::erase(files_.logs_, log_);
    }
    std::lock_guard no_sync(log_->mutex);
  }

  WalFiles& files_;
  std::shared_ptr<WalFiles::Open> log_;
};

IOStatus WalFiles::NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                   std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext* dbg) {
  if (!path.ends_with(".log")) return target()->NewWritableFile(path, options, file, dbg);
  auto log = std::make_shared<Open>();
  if (IOStatus status = target()->NewWritableFile(path, options, &log->file, dbg); !status.ok()) return status;
  const std::size_t slash = path.rfind('/');
  log->directory = slash == std::string::npos ? "." : path.substr(0, slash);
  *file = std::make_unique<WalFile>(*this, log);
  std::lock_guard lock(mutex_);
  logs_.push_back(std::move(log));
  return IOStatus::OK();
}

IOStatus WalFiles::sync() {
  std::vector<std::shared_ptr<Open>> logs;
  {
    std::lock_guard lock(mutex_);
    logs = logs_;
  }
  for (const std::shared_ptr<Open>& log : logs) {
    if (IOStatus status = sync(*log); !status.ok()) return status;
  }
  return IOStatus::OK();
}

IOStatus WalFiles::sync(Open& log) {
  std::lock_guard lock(log.mutex);
  const std::uint64_t appended = log.appended.load(std::memory_order_acquire);
  if (appended > log.synced) {
    if (IOStatus status = log.file->Sync({}, nullptr); !status.ok()) return status;
    log.synced = appended;
  }
  if (log.entered) return IOStatus::OK();
  std::unique_ptr<rocksdb::FSDirectory> directory;
  IOStatus status = target()->NewDirectory(log.directory, {}, &directory, nullptr);
  if (status.ok()) status = directory->Fsync({}, nullptr);
  log.entered = status.ok();
  return status;
}

}  // namespace perdure::store::rocks
