// See database.h.
#include "store/rocks/database.h"

#include <rocksdb/cache.h>
#include <rocksdb/file_system.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <atomic>
#include <utility>

#include "store/rocks/neighbours.h"
#include "store/rocks/recovery.h"

namespace perdure::store::rocks {
namespace {

constexpr double kMemoryFilterPart = 0.01;  // of what is in memory: enough bits a key for values of a hundred bytes
constexpr int kCacheShardBits = 2;  // few threads read, and a shard of a few hundred KB would hold next to nothing

rocksdb::DBOptions db_options(const DatabaseOptions& options, rocksdb::Env* env) {
  rocksdb::DBOptions db;
  db.create_if_missing = true;
  db.create_missing_column_families = true;
  db.env = env;
  db.info_log_level = rocksdb::WARN_LEVEL;
  db.max_background_jobs = 2;
  db.max_open_files = 256;
  db.max_file_opening_threads = 1;
  db.bytes_per_sync = 1 << 20;
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  db.max_total_wal_size = options.write_buffer_bytes;  // so that no idle family keeps old logs alive
  db.db_write_buffer_size = options.write_buffer_bytes;
  db.max_bgerror_resume_count = 0;  // it is closed and opened again instead
  // There is one writer at a time.
  db.allow_concurrent_memtable_write = false;
  db.enable_write_thread_adaptive_yield = false;
  return db;
}

rocksdb::ColumnFamilyOptions family_options(Family family, const DatabaseOptions& options,
                                            const std::shared_ptr<rocksdb::Cache>& cache,
                                            const std::shared_ptr<const std::atomic<bool>>& log_read) {
  rocksdb::ColumnFamilyOptions cf;
  cf.write_buffer_size = options.write_buffer_bytes / 4;
  cf.max_write_buffer_number = 4;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  // In pieces, so that a large table's index does not push everything else out of the cache each time it is asked.
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  table.cache_index_and_filter_blocks = true;
  table.pin_top_level_index_and_filter = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.format_version = 5;
  // These are asked for single keys, some of which do not exist, or not in memory; the others are only scanned.
  if (family == Family::kRuns || family == Family::kKeys || family == Family::kPayloads ||
      family == Family::kSchedules) {
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    cf.memtable_whole_key_filtering = true;
    cf.memtable_prefix_bloom_size_ratio = kMemoryFilterPart;
  }
  cf.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  const bool text =
      family == Family::kPayloads || family == Family::kLogs || family == Family::kTimeline || family == Family::kLive;
  cf.compression = text ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
  cf.memtable_insert_with_hint_prefix_extractor = neighbourhoods(family, log_read);
  if (family == Family::kKeys && options.now) cf.compaction_filter_factory = make_expired_keys_filter(options.now);
  return cf;
}

}  // namespace

Status from_rocks(const rocksdb::Status& status, std::string_view doing) {
  if (status.ok()) return Status::ok();
  const std::string message = "cannot " + std::string(doing) + ": " + status.ToString();
  if (status.IsNotFound()) return Status::not_found(message);
  if (status.IsNoSpace()) return Status::no_space(message + "; free space on that disk, service resumes by itself");
  if (status.IsCorruption()) return Status::corruption(message);
  return Status::io(message);
}

void Batch::put(Family family, std::string_view key, std::string_view value) {
  batch_.Put(db_->handle(family), slice(key), slice(value)).PermitUncheckedError();  // fails only beyond 4 GB
}

void Batch::erase(Family family, std::string_view key) {
  batch_.Delete(db_->handle(family), slice(key)).PermitUncheckedError();
}

void Batch::erase_all(Family family, std::string_view prefix) {
  std::string end(prefix);  // the first key after those: without trailing 0xff, and one more
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  erase_range(family, prefix, end);
}

void Batch::erase_range(Family family, std::string_view begin, std::string_view end) {
  std::string from(begin);
  if (has_neighbourhood(family, begin)) {  // see neighbours.h
    erase(family, begin);
    from.push_back('\0');
  }
  batch_.DeleteRange(db_->handle(family), slice(from), slice(end)).PermitUncheckedError();
}

Batch Batch::replay(const Database& db, std::string bytes) {
  Batch batch(db);
  batch.batch_ = rocksdb::WriteBatch(std::move(bytes));
  return batch;
}

Scan::Scan(std::unique_ptr<rocksdb::Iterator> at, std::string_view prefix) : at_(std::move(at)), prefix_(prefix) {
  at_->Seek(prefix_);
}

Status Scan::status() const { return from_rocks(at_->status(), "read the store"); }

bool Database::is_new(const DatabaseOptions& options) {
  const std::shared_ptr<rocksdb::FileSystem> files =
      options.file_system ? options.file_system : rocksdb::FileSystem::Default();
  std::vector<std::string> names;
  files->GetChildren(options.directory, {}, &names, nullptr).PermitUncheckedError();
  std::erase_if(names, [](const std::string& name) { return name == "." || name == ".."; });
  return names.empty();
}

Result<std::unique_ptr<Database>> Database::open(const DatabaseOptions& options, std::optional<std::uint64_t> mark) {
  std::unique_ptr<Database> database(new Database);
  database->files_ =
      std::make_shared<WalFiles>(options.file_system ? options.file_system : rocksdb::FileSystem::Default());
  database->env_ = rocksdb::NewCompositeEnv(database->files_);
  OpenRequest request;
  request.options = db_options(options, database->env_.get());
  request.directory = options.directory;
  request.mark = mark;
  request.doubtful = options.doubtful;
  request.accept_loss = options.accept_loss;
  request.log = options.log;
  const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(options.cache_bytes, kCacheShardBits);
  const auto log_read = std::make_shared<std::atomic<bool>>(false);
  for (std::size_t i = 0; i < kFamilyCount; ++i) {
    const auto family = static_cast<Family>(i);
    request.families.emplace_back(std::string(family_name(family)), family_options(family, options, cache, log_read));
  }
  Result<Opened> opened = open_or_recover(std::move(request));
  if (!opened) return opened.status();
  *log_read = true;
  database->filter_ = std::move(opened->filter);
  database->handles_ = std::move(opened->handles);
  database->db_ = std::move(opened->db);
  database->ahead_ = options.ahead;
  return database;
}

Database::~Database() {
  if (!db_) return;
  for (rocksdb::ColumnFamilyHandle* handle : handles_) db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  db_->Close().PermitUncheckedError();
}

namespace {
Status as_read(const rocksdb::Status& status) {
  if (status.ok()) return Status::ok();
  if (status.IsNotFound()) return {Code::kNotFound, {}};
  return from_rocks(status, "read the store");
}
}  // namespace

Status Database::get(Family family, std::string_view key, std::string& value) const {
  return as_read(db_->Get({}, handle(family), slice(key), &value));
}

std::vector<Result<std::string>> Database::get_all(Family family, const std::vector<ShortKey>& keys) const {
  std::vector<rocksdb::Slice> slices;
  slices.reserve(keys.size());
  for (const ShortKey& key : keys) slices.push_back(slice(key));
  std::vector<rocksdb::PinnableSlice> values(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  db_->MultiGet({}, handle(family), keys.size(), slices.data(), values.data(), statuses.data());
  std::vector<Result<std::string>> all;
  all.reserve(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (Status read = as_read(statuses[i]); !read)
      all.emplace_back(std::move(read));
    else
      all.emplace_back(values[i].ToString());
  }
  return all;
}

Scan Database::scan(Family family, std::string_view prefix) const {
  return {std::unique_ptr<rocksdb::Iterator>(db_->NewIterator({}, handle(family))), prefix};
}

Status Database::write(Batch& batch) {
  static const rocksdb::WriteOptions kUnsynced;
  return from_rocks(db_->Write(kUnsynced, &batch.batch_), "write to the store");
}

Status Database::sync() { return from_rocks(files_->sync(), "sync the store's log"); }

}  // namespace perdure::store::rocks
