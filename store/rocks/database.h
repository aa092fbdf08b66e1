// RocksDB behind our words: column families by enum, our Status, writes that do not wait for the disk and one sync for
// all of them. Opening climbs the recovery ladder of recovery.h. Whoever gets an error from write() or sync() must
// close and open the database again: RocksDB stays read-only after one, and a failed fsync must never be repeated. get,
// scan and sync: any thread; write: one thread at a time.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/wal_filter.h>
#include <rocksdb/write_batch.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/model/status.h"
#include "store/rocks/expired_keys.h"
#include "store/rocks/info_log.h"
#include "store/rocks/keys.h"
#include "store/rocks/timer_time.h"
#include "store/rocks/wal_files.h"

namespace perdure::store::rocks {

/// A RocksDB status as ours; `doing` begins the sentence: "cannot <doing>: …".
Status from_rocks(const rocksdb::Status& status, std::string_view doing);

inline rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view view(const rocksdb::Slice& bytes) { return {bytes.data(), bytes.size()}; }

struct DatabaseOptions {
  std::string directory;                             // of RocksDB's own files
  std::shared_ptr<rocksdb::FileSystem> file_system;  // null: the real one
  LogSink log;
  std::size_t write_buffer_bytes = std::size_t{64} << 20;
  std::size_t cache_bytes = std::size_t{32} << 20;
  bool doubtful = false, accept_loss = false;  // see recovery.h
  std::shared_ptr<const LatestTime> now;       // by which keys expire; null: they are kept
  std::shared_ptr<const TimerOffset> ahead;    // of the times that are stored; null: none
};

class Database;

/// Puts and deletes that become visible and durable together.
class Batch {
 public:
  explicit Batch(const Database& db) : db_(&db), batch_(1024) {}
  void put(Family family, std::string_view key, std::string_view value);
  void erase(Family family, std::string_view key);
  /// Every key from `begin` up to `end`, which stays, however many, at the cost of one.
  void erase_range(Family family, std::string_view begin, std::string_view end);
  /// Every key with `prefix`.
  void erase_all(Family family, std::string_view prefix);
  [[nodiscard]] bool empty() const { return batch_.Count() == 0; }
  [[nodiscard]] inline Duration ahead() const;  // of the database it is for
  /// The batch's bytes, from which replay() makes it again.
  [[nodiscard]] const std::string& bytes() const { return batch_.Data(); }
  static Batch replay(const Database& db, std::string bytes);

 private:
  friend class Database;
  const Database* db_;
  rocksdb::WriteBatch batch_;
};

/// The keys with one prefix, in order. Not valid() once past the last, or when reading failed: then status() says so.
class Scan {
 public:
  Scan(std::unique_ptr<rocksdb::Iterator> at, std::string_view prefix);
  [[nodiscard]] bool valid() const { return at_->Valid() && view(at_->key()).starts_with(prefix_); }
  void next() { at_->Next(); }
  void previous() { at_->Prev(); }
  /// To the first key at or after prefix + `rest`; to the last at or before it.
  void seek(std::string_view rest) { at_->Seek(prefix_ + std::string(rest)); }
  void seek_back(std::string_view rest) { at_->SeekForPrev(prefix_ + std::string(rest)); }
  /// The whole key, prefix included.
  [[nodiscard]] std::string_view key() const { return view(at_->key()); }
  [[nodiscard]] std::string_view value() const { return view(at_->value()); }
  [[nodiscard]] Status status() const;

 private:
  std::unique_ptr<rocksdb::Iterator> at_;
  std::string prefix_;
};

class Database {
 public:
  /// How far timer time is ahead of the wall clock; see timer_time.h.
  [[nodiscard]] Duration ahead() const { return ahead_ ? ahead_->get() : Duration::zero(); }

  /// Opens or creates it. `mark`: the sequence number that is known to have been durable, if that is known; kCorruption
  /// when the files hold less, or are damaged other than at their unsynced end.
  static Result<std::unique_ptr<Database>> open(const DatabaseOptions& options, std::optional<std::uint64_t> mark);
  /// Whether there is nothing in `directory` yet.
  static bool is_new(const DatabaseOptions& options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// kNotFound when there is no such key.
  Status get(Family family, std::string_view key, std::string& value) const;
  /// Each of `keys`, in their order, as get() gives them. Costs less than one by one when they are neighbours.
  [[nodiscard]] std::vector<Result<std::string>> get_all(Family family, const std::vector<ShortKey>& keys) const;
  /// Starts at the first key with `prefix`.
  [[nodiscard]] Scan scan(Family family, std::string_view prefix) const;

  /// On success the batch is visible and outlives this process, not the machine.
  Status write(Batch& batch);
  /// On success everything written before outlives the machine.
  Status sync();
  /// Counts writes; what mark is made of.
  [[nodiscard]] std::uint64_t sequence() const { return db_->GetLatestSequenceNumber(); }

 private:
  friend class Batch;
  Database() = default;
  [[nodiscard]] rocksdb::ColumnFamilyHandle* handle(Family family) const {
    return handles_[static_cast<std::size_t>(family)];
  }

  // What RocksDB points to outlives it.
  std::shared_ptr<WalFiles> files_;
  std::shared_ptr<const TimerOffset> ahead_;
  std::unique_ptr<rocksdb::Env> env_;
  std::shared_ptr<rocksdb::WalFilter> filter_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
  std::unique_ptr<rocksdb::DB> db_;
};

inline Duration Batch::ahead() const { return db_->ahead(); }

}  // namespace perdure::store::rocks
