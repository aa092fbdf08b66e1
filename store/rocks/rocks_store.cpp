// Opening and closing the engine, and what its mutations share; see rocks_store.h.
#include "store/rocks/rocks_store.h"

#include <cstdlib>
#include <filesystem>
#include <utility>

namespace perdure::store {

Result<std::unique_ptr<Store>> open_rocks(RocksOptions options) { return rocks::RocksStore::open(std::move(options)); }

}  // namespace perdure::store

namespace perdure::store::rocks {
namespace {

constexpr unsigned kSchema = 1;  // raised with every change of the layout that old code must not open

}  // namespace

RocksStore::RocksStore(RocksOptions options, std::unique_ptr<DirectoryLock> lock)
    : options_(std::move(options)),
      lock_(std::move(lock)),
      files_(options_.file_system ? options_.file_system : rocksdb::FileSystem::Default()),
      space_(std::make_unique<Space>(options_.space, options_.directory, files_)),
      mark_(std::make_unique<DurableMark>(options_.directory + "/store.mark")) {}

DatabaseOptions RocksStore::database_options() const {
  DatabaseOptions options;
  options.directory = options_.directory + "/store";
  options.file_system = options_.file_system;
  options.log = options_.log;
  options.doubtful = mark_->doubtful();
  options.accept_loss = options_.accept_loss;
  options.now = latest_;
  options.ahead = ahead_;
  return options;
}

// The place of forward migrations: each step takes the layout from one number to the next.
Status RocksStore::prepare_schema(Database& db) {
  std::string stored;
  const Status got = db.get(Family::kMeta, meta_key::kSchema, stored);
  if (!got && got.code() != Code::kNotFound) return got;
  if (got) {
    const unsigned long schema = std::strtoul(stored.c_str(), nullptr, 10);
    if (schema == kSchema) return Status::ok();
    return Status::corruption("the store's layout has number " + stored + ", this perdure knows up to " +
                              std::to_string(kSchema) + "; use the version that wrote it, or a newer one");
  }
  Batch batch(db);
  batch.put(Family::kMeta, meta_key::kSchema, std::to_string(kSchema));
  if (Status written = db.write(batch); !written) return written;
  return db.sync();
}

Result<std::unique_ptr<Store>> RocksStore::open(RocksOptions options) {
  Result<std::unique_ptr<DirectoryLock>> lock = DirectoryLock::take(options.directory);
  if (!lock) return lock.status();
  std::unique_ptr<RocksStore> store(new RocksStore(std::move(options), std::move(*lock)));
  std::error_code exists;
  std::filesystem::create_directory(store->options_.directory + "/store", exists);
  if (Database::is_new(store->database_options())) {
    const std::uint64_t synced = store->mark_->value().value_or(0);
    if (synced > 0 && !store->options_.accept_loss) {
      const std::string& data = store->options_.directory;
      return Status::corruption(
          "the store in " + data + "/store is gone, although " + std::to_string(synced) +
          " writes to it were synced; put it back, or begin with an empty one with: perdure serve "
          "--data " +
          data + " --repair");
    }
    store->mark_->reset();
  }
  Result<std::unique_ptr<Database>> db = Database::open(store->database_options(), store->mark_->value());
  if (!db) return db.status();
  if (Status prepared = prepare_schema(**db); !prepared) return prepared;
  if (Status read = store->read_clock(**db); !read) return read;
  if (store->options_.accept_loss) store->mark_->reset();
  store->mark_->advance((*db)->sequence());
  store->mark_->set_doubtful(false);
  Result<HotState> hot = HotState::rebuild(**db);
  if (!hot) return hot.status();
  store->database_ = std::move(*db);
  store->hot_ = std::move(*hot);
  store->space_->restore_ballast();
  store->commit_thread_ = std::thread([raw = store.get()] { raw->commit_loop(); });
  return std::unique_ptr<Store>(std::move(store));
}

RocksStore::~RocksStore() {
  if (commit_thread_.joinable()) {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    commit_thread_.join();
  }
}

void RocksStore::listen(Listener* listener) {
  std::lock_guard lock(listener_lock_);
  listener_ = listener;
}

Result<RunRecord> RocksStore::stored_run(const Database& db, PackedId id) {
  std::string bytes;
  if (Status got = db.get(Family::kRuns, run_key(id), bytes); !got) return stored_run(db, id, std::move(got));
  return stored_run(db, id, std::move(bytes));
}

Result<RunRecord> RocksStore::stored_run(const Database& db, PackedId id, const Result<std::string>& read) {
  if (read.status().code() == Code::kNotFound) return Status::not_found("there is no run " + unpack(id).text());
  if (!read) return read.status();
  Result<RunRecord> record = decode_run(id, *read);
  if (record) to_wall(record->run, db.ahead());
  return record;
}

Status RocksStore::write(Batch& batch) {
  Status written = database_->write(batch);
  if (!written) {
    health_ = written;
    wake_.notify_all();
    return written;
  }
  dirty_ = true;
  return written;
}

void RocksStore::put_finished_counts(Batch& batch) const {
  batch.put(Family::kMeta, meta_key::kFinished, encode(hot_.finished()));
}

void RocksStore::settle(const RunChange& change) {
  const Run& run = change.record().run;
  hot_.enter(change.id(), run);
  if (run.status == RunStatus::kQueued) group_.queued.push_back(change.id());
  group_.changed.emplace_back(run.id, run.status);
  if (!is_final(run.status)) return;
  hot_.wait_index.run_over(change.id());
  go_on(false);
}

void RocksStore::leave(PackedId id, const Run& run) {
  if (hot_.leave(id, run)) group_.slots_freed = true;
}

void RocksStore::leave_executing(PackedId id, const Run& run) {
  if (hot_.leave_executing(id, run)) group_.slots_freed = true;
}

void RocksStore::note_due_change(const std::optional<Time>& before) {
  const std::optional<Time> due = hot_.next_due();
  if (due && (!before || *due < *before)) group_.due_changed = true;
}

void RocksStore::wake_commit_thread() { wake_.notify_one(); }

void RocksStore::saw_time(Time now) {
  const std::int64_t milliseconds = (now + ahead_->get()).time_since_epoch().count();  // keys expire by timer time
  if (latest_->load(std::memory_order_relaxed) < milliseconds) latest_->store(milliseconds, std::memory_order_relaxed);
}

Status RocksStore::refused() const {
  return {health_.code(), "the store takes no changes until it has opened again: " + health_.message()};
}

void RocksStore::synced(DoneStatus done) {
  Lock lock(mutex_);
  if (!health_) {
    const Status status = refused();
    lock.unlock();
    return done(status);
  }
  if (!dirty_ && !syncing_ && group_.completions.empty()) {
    lock.unlock();
    return done(Status::ok());
  }
  group_.completions.push_back(std::move(done));
  wake_commit_thread();
}

std::optional<Time> RocksStore::next_due() const {
  std::lock_guard lock(mutex_);
  return hot_.next_due();
}

std::map<RunStatus, std::uint64_t> RocksStore::counts() const {
  std::lock_guard lock(mutex_);
  std::map<RunStatus, std::uint64_t> counts;
  for (auto status = RunStatus::kPendingVersion; status <= RunStatus::kExpired;
       status = static_cast<RunStatus>(static_cast<int>(status) + 1)) {
    counts[status] = std::as_const(hot_).count(status);
  }
  return counts;
}

std::map<VersionId, std::uint64_t> RocksStore::locked_versions() const {
  std::lock_guard lock(mutex_);
  return hot_.locks.counts();
}

std::size_t RocksStore::set_aside(const TaskId& task, const std::optional<VersionId>& version) const {
  std::lock_guard lock(mutex_);
  return hot_.aside.count(task, version);
}

Status RocksStore::health() const {
  std::lock_guard lock(mutex_);
  return health_;
}

}  // namespace perdure::store::rocks
