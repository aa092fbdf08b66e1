// See recovery.h.
#include "store/rocks/recovery.h"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "store/rocks/database.h"

namespace perdure::store::rocks {
namespace {

constexpr std::uint64_t kLogBlock = 32768;  // RocksDB's, fixed by its format

// Finds a gap between the sequence numbers of consecutive batches, which RocksDB does not look for in this mode.
class NoGaps final : public rocksdb::WalFilter {
 public:
  const char* Name() const override { return "perdure.no_gaps"; }
  WalProcessingOption LogRecordFound(unsigned long long /*number*/, const std::string& /*file*/,
                                     const rocksdb::WriteBatch& batch, rocksdb::WriteBatch* /*new_batch*/,
                                     bool* /*changed*/) override {
    const std::string& bytes = batch.Data();
    std::uint64_t sequence = 0;
    for (std::size_t i = 8; i-- > 0;) sequence = sequence << 8 | static_cast<unsigned char>(bytes[i]);
    if (next_ && sequence > *next_) return WalProcessingOption::kCorruptedRecord;
    next_ = sequence + batch.Count();
    return WalProcessingOption::kContinueProcessing;
  }

 private:
  std::optional<std::uint64_t> next_;
};

struct Drop {
  std::string file;
  std::uint64_t bytes = 0;
};

// "…/000012.log: dropping 345 bytes; Corruption: …"
Drop parse_drop(const std::string& line) {
  constexpr std::string_view kWord = ": dropping ";
  const std::size_t at = line.find(kWord);
  if (at == std::string::npos) return {};
  const std::size_t slash = line.rfind('/', at);
  const std::size_t begin = slash == std::string::npos ? 0 : slash + 1;
  return {line.substr(begin, at - begin), std::strtoull(line.c_str() + at + kWord.size(), nullptr, 10)};
}

bool is_log(const std::string& name) { return name.ends_with(".log"); }

std::vector<std::string> log_files(rocksdb::FileSystem& files, const std::string& directory) {
  std::vector<std::string> names;
  files.GetChildren(directory, {}, &names, nullptr).PermitUncheckedError();
  std::erase_if(names, [](const std::string& name) { return !is_log(name); });
  std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return std::strtoull(a.c_str(), nullptr, 10) < std::strtoull(b.c_str(), nullptr, 10);
  });
  return names;
}

class Ladder {
 public:
  explicit Ladder(OpenRequest request) : request_(std::move(request)), files_(request_.options.env->GetFileSystem()) {}

  Result<Opened> climb() {
    if (Status there = check_beginning(); !there) return there;
    if (Status synced = sync_logs(); !synced) return synced;
    Result<Opened> tolerant = open_tolerant();
    if (tolerant || tolerant.status().code() != Code::kCorruption) return tolerant;
    if (!request_.accept_loss) {
      if (Status end = is_unsynced_end(tolerant.status()); !end) return end;
      return open_to_damage("the end of the store's log was cut off, as by a power cut, and is left out");
    }
    std::vector<Drop> ignored;
    const Result<std::uint64_t> reached = readable(rocksdb::WALRecoveryMode::kPointInTimeRecovery, ignored);
    if (!reached) return beyond_repair(reached.status());
    return open_to_damage("what the store's log holds after the damage is given up, as told to");
  }

 private:
  // RocksDB takes a directory without CURRENT for a new one and clears it.
  Status check_beginning() {
    std::vector<std::string> names;
    if (files_->FileExists(path("CURRENT"), {}, nullptr).ok()) return Status::ok();
    files_->GetChildren(request_.directory, {}, &names, nullptr).PermitUncheckedError();
    const bool data = std::any_of(names.begin(), names.end(),
                                  [](const std::string& name) { return is_log(name) || name.ends_with(".sst"); });
    if (!data || (request_.mark && *request_.mark == 0)) return Status::ok();
    return beyond_repair(Status::corruption("its file CURRENT is missing, its other files are there"));
  }

  // What a killed process left in the page cache only would be a hole under the writes to come, if the power failed.
  Status sync_logs() {
    for (const std::string& name : log_files(*files_, request_.directory)) {
      std::unique_ptr<rocksdb::FSWritableFile> file;
      rocksdb::IOStatus status = files_->ReopenWritableFile(path(name), {}, &file, nullptr);
      if (status.ok()) status = file->Fsync({}, nullptr);
      if (status.ok()) status = file->Close({}, nullptr);
      if (!status.ok()) return from_rocks(status, "sync " + path(name));
    }
    return Status::ok();
  }

  Result<Opened> open_tolerant() {
    rocksdb::DBOptions options = request_.options;
    options.info_log = make_info_log(request_.log);
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
    options.avoid_flush_during_recovery = true;  // so that a refusal below has changed nothing
    const auto filter = std::make_shared<NoGaps>();
    options.wal_filter = filter.get();
    Result<Opened> opened = open(options);
    if (!opened) return opened;
    opened->filter = filter;
    const std::uint64_t reached = opened->db->GetLatestSequenceNumber();
    if (!request_.mark || reached >= *request_.mark) {
      if (Status moved = request_.doubtful ? move_to_tables(*opened) : Status::ok(); !moved) {
        close(*opened);
        return moved;
      }
      return opened;
    }
    close(*opened);
    return Status::corruption("the log ends at write " + std::to_string(reached) + ", " +
                              std::to_string(*request_.mark) + " were synced");
  }

  // After a sync failed, a further one of the same file may say ok and write nothing. So what was replayed goes into
  // new files.
  static Status move_to_tables(Opened& opened) {
    rocksdb::FlushOptions flush;
    flush.allow_write_stall = true;
    return from_rocks(opened.db->Flush(flush, opened.handles), "write the replayed log to tables");
  }

  // The last write that can be read in this mode, found out without changing anything.
  Result<std::uint64_t> readable(rocksdb::WALRecoveryMode mode, std::vector<Drop>& drops) {
    std::mutex mutex;
    rocksdb::DBOptions options = request_.options;
    options.info_log = make_info_log({}, [&](const std::string& line) {
      std::lock_guard lock(mutex);
      drops.push_back(parse_drop(line));
    });
    options.wal_recovery_mode = mode;
    NoGaps filter;
    options.wal_filter = &filter;
    options.create_if_missing = options.create_missing_column_families = false;
    Opened trial;
    rocksdb::DB* db = nullptr;
    const rocksdb::Status status =
        rocksdb::DB::OpenForReadOnly(options, request_.directory, request_.families, &trial.handles, &db);
    if (!status.ok()) return from_rocks(status, "read the store up to the damage");
    trial.db.reset(db);
    const std::uint64_t reached = trial.db->GetLatestSequenceNumber();
    close(trial);
    return reached;
  }

  Status is_unsynced_end(const Status& damage) {
    std::vector<Drop> drops, ignored;
    const Result<std::uint64_t> reached = readable(rocksdb::WALRecoveryMode::kPointInTimeRecovery, drops);
    if (!reached) return beyond_repair(reached.status());
    if (request_.mark) {
      if (*reached >= *request_.mark) return Status::ok();
      return refuse(damage, "only " + std::to_string(*reached) + " of " + std::to_string(*request_.mark) +
                                " synced writes are readable");
    }
    const std::vector<std::string> logs = log_files(*files_, request_.directory);
    const Result<std::uint64_t> beyond = readable(rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords, ignored);
    if (drops.size() == 1 && !logs.empty() && drops[0].file == logs.back() && drops[0].bytes <= kLogBlock && beyond &&
        *beyond == *reached) {
      return Status::ok();
    }
    return refuse(damage, "the mark of what was synced is missing, so that nothing says the damage is harmless");
  }

  Status refuse(const Status& damage, const std::string& why) {
    return Status::corruption(
        "the store in " + request_.directory + " has lost acknowledged writes: " + damage.message() + "; " + why +
        "; nothing was changed. Restore a backup, or accept the loss with: perdure serve --data " +
        request_.directory.substr(0, request_.directory.rfind('/')) + " --repair");
  }

  // More than the log is damaged.
  Status beyond_repair(const Status& damage) const {
    return Status::corruption("the store in " + request_.directory + " cannot be read: " + damage.message() +
                              "; nothing was changed. Restore a backup; --repair cannot help here, it gives up the end "
                              "of a log");
  }

  Result<Opened> open_to_damage(const std::string& what) {
    if (Status copied = copy_logs(); !copied) return copied;
    rocksdb::DBOptions options = request_.options;
    options.info_log = make_info_log(request_.log);
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
    options.avoid_flush_during_recovery = false;  // the damaged log must not be replayed ever again
    const auto filter = std::make_shared<NoGaps>();
    options.wal_filter = filter.get();
    Result<Opened> opened = open(options);
    if (opened) opened->filter = filter;
    if (!opened || !request_.log) return opened;
    const std::uint64_t left = opened->db->GetLatestSequenceNumber();
    std::string told = what;
    if (request_.mark && left < *request_.mark) {
      told += ": " + std::to_string(left) + " of " + std::to_string(*request_.mark) + " synced writes are left";
    }
    request_.log(LogSinkLevel::kWarn, told + "; the logs as they were are in " + aside());
    return opened;
  }

  [[nodiscard]] std::string aside() const { return request_.directory + ".damaged"; }

  Status copy_logs() {
    if (auto status = files_->CreateDirIfMissing(aside(), {}, nullptr); !status.ok()) {
      return from_rocks(status, "create " + aside());
    }
    for (const std::string& name : log_files(*files_, request_.directory)) {
      std::string bytes;
      rocksdb::Status status = rocksdb::ReadFileToString(files_.get(), path(name), &bytes);
      if (status.ok()) status = rocksdb::WriteStringToFile(files_.get(), bytes, aside() + "/" + name, true);
      if (!status.ok()) return from_rocks(status, "copy " + path(name) + " to " + aside());
    }
    return Status::ok();
  }

  Result<Opened> open(const rocksdb::DBOptions& options) {
    Opened opened;
    rocksdb::DB* db = nullptr;
    const rocksdb::Status status =
        rocksdb::DB::Open(options, request_.directory, request_.families, &opened.handles, &db);
    if (!status.ok()) return from_rocks(status, "open the store in " + request_.directory);
    opened.db.reset(db);
    return opened;
  }

  static void close(Opened& opened) {
    for (rocksdb::ColumnFamilyHandle* handle : opened.handles) delete handle;
    opened.handles.clear();
    opened.db.reset();
  }

  [[nodiscard]] std::string path(const std::string& name) const { return request_.directory + "/" + name; }

  OpenRequest request_;
  std::shared_ptr<rocksdb::FileSystem> files_;
};

}  // namespace

Result<Opened> open_or_recover(OpenRequest request) { return Ladder(std::move(request)).climb(); }

}  // namespace perdure::store::rocks
