// A disk that fails on command, under RocksDB: it forgets what was not synced when the power is cut, fails an operation
// chosen by its number, and is full when told so. Everything happens in real files of a directory, so that a store
// opened on the real file system afterwards sees the outcome.
//
// Power loss: cut_power() lets every operation fail from then on; once the store is closed, lose_unsynced() brings the
// files to a state the machine could have come up with: of each file at least what was synced, plus a part of the rest
// chosen by a seed, maybe ending in garbage; of creations, deletions and renames in a directory that was not synced
// since, the first few.
// Any thread, but cut_power() to lose_unsynced() belong to one.
#pragma once

#include <rocksdb/file_system.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace perdure::store::rocks {

class FaultFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  FaultFileSystem() : rocksdb::FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "perdure.FaultFileSystem"; }

  /// How many operations that change files (appends, syncs, creations, renames) were tried so far.
  [[nodiscard]] std::uint64_t operations() const;
  /// Lets the `n`th operation from now (1: the next) fail with an I/O error, and all after it until heal().
  void fail_from(std::uint64_t n);
  /// Calls `then` at the `n`th operation from now, before it. For cutting power at a chosen moment.
  void at_operation(std::uint64_t n, std::function<void()> then);
  /// Whether an operation failed since fail_from().
  [[nodiscard]] bool failed() const;
  void heal();

  /// Lets the disk say that it synced and not do so.
  void ignore_syncs(bool ignore);

  /// Room for so many more bytes; nothing: as much as there is.
  void set_free_space(std::optional<std::uint64_t> bytes);

  void cut_power();
  /// What the machine finds when it is on again; see above. Operations work again.
  void lose_unsynced(std::uint64_t seed);

  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                       std::unique_ptr<rocksdb::FSWritableFile>* file,
                                       rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus NewDirectory(const std::string& path, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* directory,
                                 rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus GetFreeSpace(const std::string& path, const rocksdb::IOOptions& options, std::uint64_t* bytes,
                                 rocksdb::IODebugContext* dbg) override;

 private:
  friend class FaultWritableFile;
  friend class FaultDirectory;

  struct File {
    std::uint64_t written = 0, synced = 0;
    bool doubtful = false;  // a sync failed: what it was for is never written, whatever later ones say
  };
  // Something done to a directory that a sync of it makes durable.
  struct Entry {
    enum class Kind : std::uint8_t { kCreated, kDeleted, kRenamed } kind;
    std::string path, to;
    std::optional<std::string> kept_as;  // the file that was deleted or replaced, put aside
    File file;                           // … and its state
  };

  rocksdb::IOStatus begin_operation();
  rocksdb::IOStatus take_space(std::uint64_t bytes);
  void wrote(const std::string& path, std::uint64_t bytes);
  std::uint64_t written(const std::string& path) const;
  void synced(const std::string& path, std::uint64_t bytes);
  void sync_failed(const std::string& path);
  void directory_synced(const std::string& directory);
  std::optional<std::string> put_aside(const std::string& path);
  void undo(const Entry& entry);
  void tear(const std::string& path, const File& file, std::mt19937_64& random);

  mutable std::mutex mutex_;
  std::map<std::string, File> files_;
  std::vector<Entry> unsynced_;  // in the order in which they happened
  std::uint64_t operations_ = 0, aside_ = 0;
  std::optional<std::uint64_t> fail_from_;
  std::optional<std::uint64_t> call_at_;
  std::function<void()> call_;
  bool failed_ = false, off_ = false, ignore_syncs_ = false;
  std::optional<std::uint64_t> space_;
};

}  // namespace perdure::store::rocks
