// The RocksDB engine: what rocks.h's open_rocks() makes.
//
// A mutation decides on its caller's thread under `mutex_`, writes one batch at once (visible, not yet durable) and
// leaves what must follow its durability in `group_`. The commit thread takes the group, syncs the log once for
// everything in it, then lets new runs be claimed, tells the listener and calls the completions, in order.
// So a claim waits for no disk, and one fsync serves everyone who came while the last one ran.
//
// After any error of a write or a sync the store is unhealthy: mutations are refused, what was not yet durable is
// answered with the error, and the commit thread closes and opens the database until it serves again. Runs whose
// creation was answered with an error are then withdrawn, claims that were lost are written again.
//
// Locks: mutex_ before database_lock_. Reads take database_lock_ shared and no other. Files: rocks_store.cpp (opening,
// reads of hot state), commit_loop.cpp, reopening.cpp, creation.cpp, delays.cpp, debouncing.cpp, clock.cpp,
// bulk_actions.cpp, claims.cpp, ends.cpp, transitions.cpp, owed_hooks.cpp, queues.cpp, schedules.cpp,
// tokens.cpp, token_list.cpp, retention.cpp, batches.cpp, sealing.cpp, live.cpp, calls.cpp, reads.cpp, live_reads.cpp,
// list.cpp.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "store/rocks/database.h"
#include "store/rocks/durable_mark.h"
#include "store/rocks/hot_state.h"
#include "store/rocks/lock.h"
#include "store/rocks/rocks.h"
#include "store/rocks/run_change.h"
#include "store/rocks/space.h"

namespace perdure::store::rocks {

class RocksStore final : public Store {
 public:
  static Result<std::unique_ptr<Store>> open(RocksOptions options);
  ~RocksStore() override;

  void listen(Listener* listener) override;

  void enqueue(NewRun run, Done<Enqueued> done) override;
  void claim(std::size_t max, Time now, const DecideClaim& decide, Done<std::vector<Claim>> done) override;
  std::size_t put_back(const TaskId& task, const std::optional<VersionId>& version, std::size_t max) override;
  std::size_t set_aside(const TaskId& task, const std::optional<VersionId>& version) const override;
  void finish_attempt(AttemptEnd end, Done<Run> done) override;
  void set_attempt_pid(const RunId& run, std::uint32_t number, std::int32_t pid) override;
  void cancel(const RunId& run, Time now, const std::string& reason, Done<Run> done) override;
  void reschedule(const RunId& run, Time until, bool calendar, Time now, Done<Run> done) override;
  void clock_is(const ClockStand& stand, Done<Duration> done) override;
  void reset_idempotency_key(const TaskId& task, const std::string& key, Time now, Done<RunId> done) override;
  void wake_due(Time now, Done<std::size_t> done) override;
  std::optional<Time> next_due() const override;
  void release(const std::vector<TaskId>& tasks, Time now, Done<std::size_t> done) override;
  using Store::recover;
  void recover(Time now, const std::vector<AdoptedAttempt>& adopted, Done<std::size_t> done) override;
  void owe_hooks(OwesHooks owes) override;
  void hooks_ran(const RunId& run, std::vector<TimelineEvent> events, Done<Run> done) override;
  void children_over(const RunId& run, DoneStatus done) override;
  void append_logs(const RunId& run, std::vector<LogEntry> entries) override;
  void append_events(const RunId& run, std::vector<TimelineEvent> events) override;
  void record_step(NewStep step, DoneStatus done) override;
  void begin_wait(NewWait wait, Done<WaitBegun> done) override;
  void evict(const RunId& run, std::uint32_t number, const std::string& token, const Usage& usage,
             DoneStatus done) override;
  using Store::change_metadata;
  void change_metadata(const RunId& run, std::vector<MetadataOperation> operations, const AttemptRequestId& asked,
                       DoneStatus done) override;
  void add_tags(const RunId& run, const std::vector<std::string>& tags, Done<std::size_t> done) override;
  void append_stream(StreamAppend append, DoneStatus done) override;
  void declare_queues(const std::map<QueueName, QueueLimits>& declared, bool all) override;
  void pause_queue(const QueueName& queue, bool paused, Done<Queue> done) override;
  void override_limit(const QueueName& queue, std::optional<std::size_t> limit, Time now, Done<Queue> done) override;
  void remove_finished(const Removal& removal, Done<Removed> done) override;
  void put_schedule(Schedule schedule, Done<Schedule> done) override;
  void fire_schedule(Schedule schedule, std::vector<NewRun> runs, Done<Schedule> done) override;
  void delete_schedule(const ScheduleId& schedule, DoneStatus done) override;
  void put_bulk_action(BulkAction action, const std::vector<RunId>& affected, DoneStatus done) override;
  void create_batch(NewBatch batch, Done<store::Batch> done) override;
  void keep_items(const BatchId& batch, std::map<std::uint32_t, std::string> items, Done<std::size_t> done) override;
  void enqueue_batch(BatchItems items, Done<store::Batch> done) override;
  void remove_batches(Time before, std::size_t max, Done<std::size_t> done) override;
  void create_token(NewToken created, Done<CreatedToken> done) override;
  void complete_token(TokenCompletion completion, Done<Token> done) override;
  void remove_tokens(Time ended_before, std::size_t most, Done<std::size_t> done) override;
  void synced(DoneStatus done) override;

  Result<Run> run(const RunId& id) const override;
  Result<std::string> payload(const RunId& id) const override;
  Result<std::string> output(const RunId& id) const override;
  Result<std::vector<Attempt>> attempts(const RunId& id) const override;
  Result<std::vector<TimelineEvent>> timeline(const RunId& id) const override;
  Result<std::vector<LogEntry>> logs(const RunId& id, std::uint64_t after, std::size_t limit) const override;
  Result<std::string> metadata(const RunId& id) const override;
  Result<RecordedCall> recorded_call(const RunId& run, std::uint64_t call) const override;
  Result<std::vector<StreamInfo>> streams(const RunId& id) const override;
  Result<std::vector<StreamChunk>> read_stream(const RunId& id, const std::string& name, std::uint64_t after,
                                               std::size_t limit) const override;
  Result<std::vector<RunId>> children(const RunId& parent, const RunId& after, std::size_t limit) const override;
  Result<RunPage> list(const RunFilter& filter) const override;
  std::map<RunStatus, std::uint64_t> counts() const override;
  Result<Queue> queue(const QueueName& queue) const override;
  QueuePage queues(std::size_t skip, std::size_t limit) const override;
  std::vector<SubQueueCounts> sub_queues(const QueueName& queue, const std::optional<std::string>& after,
                                         std::size_t limit) const override;
  std::map<VersionId, std::uint64_t> locked_versions() const override;
  Result<std::vector<RunId>> canceled_parents(std::size_t max) const override;
  Result<std::vector<RunId>> owing_hooks(std::size_t max) const override;
  Result<Schedule> schedule(const ScheduleId& id) const override;
  Result<Schedule> schedule_with_key(const std::string& deduplication_key) const override;
  Result<std::vector<Schedule>> declared_schedules() const override;
  Result<SchedulePage> schedules(std::size_t skip, std::size_t limit) const override;
  Result<RunId> fired(const ScheduleId& schedule, Time due) const override;
  std::vector<ScheduleId> due_schedules(Time after, Time until) const override;
  std::optional<Time> next_schedule_due(Time after) const override;
  std::vector<ScheduleId> busy_schedules() const override;
  Result<store::Batch> batch(const BatchId& id) const override;
  Result<std::map<std::uint32_t, std::string>> kept_items(const BatchId& id) const override;
  Result<BulkAction> bulk_action(const BulkActionId& id) const override;
  Result<BulkActionPage> bulk_actions(const BulkActionId& after, const BulkActionId& before,
                                      std::size_t limit) const override;
  Result<std::vector<BulkActionId>> pending_bulk_actions(std::size_t max) const override;
  Result<Token> token(const TokenId& id) const override;
  Result<TokenPage> tokens(const TokenFilter& filter) const override;
  Status health() const override;

 private:
  using Lock = std::unique_lock<std::mutex>;
  /// Called on the commit thread once the writes before it are durable, or with the error because of which they are
  /// not.
  using Completion = std::function<void(const Status&)>;

  /// A batch that claimed `run` as its attempt `number`, and maybe others.
  struct ClaimBatch {
    PackedId run;
    std::uint32_t number = 0;
    std::string bytes;
  };
  /// What a claim reads of a run.
  struct StoredRun {
    PackedId id;
    Result<std::string> record, payload;
  };
  /// A claim() under way.
  struct Claiming {
    Time now{};
    const DecideClaim& decide;
    Batch batch;
    std::vector<Claim> claims;
    std::vector<StoredRun> ahead{};  // read for claims to come, the next one last
    std::size_t turned_away = 0;     // held, set aside or unreadable
    bool full = false;            // there is no room for more
  };
  /// Runs that are to be created together.
  struct Creation {
    std::vector<PackedId> runs;                      // of each: itself, or the one that has its idempotency key
    std::vector<std::pair<PackedId, NewRun>> fresh;  // those that are to be created
  };
  /// What follows the next sync.
  struct Group {
    std::vector<Completion> completions;
    std::vector<PackedId> queued;                      // to be published
    std::vector<std::pair<RunId, RunStatus>> changed;  // to be told
    std::set<VersionId> freed;  // lost their last run: to be told, unless one is locked to them again by then
    bool slots_freed = false, due_changed = false;
    // For the case that the sync fails:
    std::vector<PackedId> created;
    std::vector<ClaimBatch> claims;
    std::map<QueueName, QueueSettings> queues;  // as they were before
    std::vector<std::string> token_undos;       // batches that undo what was done to tokens, in its order
  };

  explicit RocksStore(RocksOptions options, std::unique_ptr<DirectoryLock> lock);

  // rocks_store.cpp
  [[nodiscard]] DatabaseOptions database_options() const;
  static Status prepare_schema(Database& db);
  static Result<RunRecord> stored_run(const Database& db, PackedId id);
  static Result<RunRecord> stored_run(const Database& db, PackedId id, const Result<std::string>& read);

  // Mutations, with mutex_ held. -----------------------------------------------------------------------------------
  /// Writes the batch; on an error the store is unhealthy from then on.
  Status write(Batch& batch);
  /// Adds the counter of finished runs when `status` is one.
  void put_finished_counts(Batch& batch) const;
  /// After the batch with `change` was written: puts the run where its status belongs.
  void settle(const RunChange& change);
  /// Lets the runs whose wait is over be claimed, once what they waited for is durable; `durable`: it is already.
  void go_on(bool durable);
  void leave(PackedId id, const Run& run);
  void leave_executing(PackedId id, const Run& run);
  /// Forgets a run whose record cannot be read until the store is opened again, so that it stops no other.
  void leave_alone(PackedId id, const Status& why);
  /// Reading failed half-way through a change, so that hot state is wrong: everything is read anew.
  Status must_reopen(Status status);
  void note_due_change(const std::optional<Time>& before);
  void wake_commit_thread();
  void saw_time(Time now);
  /// Answers `done(value)` once everything written so far is durable; the answer to give at once when it already is.
  template <class T>
  std::optional<T> after_sync(Done<T>& done, T value);
  Status refused() const;
  /// Reads how the clock stood, and with it timer time.
  Status read_clock(const Database& db);
  void put_clock(Batch& batch) const;
  /// The run that takes this trigger in, pushed back by it.
  Result<std::optional<PackedId>> taken_in(NewRun& created, Batch& batch);
  /// Notes that the run goes by its debounce key, for as long as it is DELAYED and some time beyond.
  static void put_debounce_key(PackedId id, const Run& run, Batch& batch);

  /// kNoSpace when the disk has no more than the reserve.
  Status room_for_more() const;
  /// Adds a run that is new, its payload and its place in hot state.
  void create(PackedId id, NewRun created, Batch& batch);
  // batches.cpp
  static Result<store::Batch> stored_batch(const Database& db, PackedId id);
  Status erase_items(PackedId id, Batch& batch) const;
  Result<std::optional<PackedId>> batch_with_key(const std::string& key, Time now) const;
  Status forget(PackedId id, Batch& batch) const;
  /// Adds that those of `touched` are gone that have no runs but `gone`.
  Status forget_emptied(const std::set<PackedId>& touched, const std::set<PackedId>& gone, Batch& batch) const;
  // sealing.cpp
  /// What creating these runs together comes to; changes nothing.
  [[nodiscard]] Result<Creation> plan(std::vector<NewRun> runs, const BatchId& of) const;
  /// Does it, and answers the ids of the runs.
  std::vector<RunId> create_all(Creation creation, Batch& batch);
  /// Adds that the batch is sealed with these runs.
  store::Batch seal(PackedId id, store::Batch sealed, const BatchItems& items, Creation creation, Batch& batch);
  /// The runs and batches that a success brings with it.
  struct Children {
    Creation alone;
    std::vector<Creation> batches;  // of AttemptEnd::batches
  };
  [[nodiscard]] Result<Children> plan_children(AttemptEnd& end) const;
  void create_children(Children children, const AttemptEnd& end, Batch& batch);
  /// The batch that sealing changes or, of a fresh one, makes.
  Result<store::Batch> to_seal(PackedId id, BatchItems& items) const;
  // retention.cpp
  Result<Removed> remove_some(const Removal& removal);
  Result<bool> may_go(PackedId id, const Run& run) const;
  Status erase_indexes(PackedId id, const Run& run, Batch& batch) const;
  /// What put_schedule() and fire_schedule() do; the second with mutex_ held.
  void store_schedule(Schedule schedule, std::vector<NewRun> runs, bool must_exist, Done<Schedule>& done);
  Result<Schedule> change_schedule(Schedule schedule, std::vector<NewRun> runs, bool must_exist);
  Status check_schedule(PackedId id, const Schedule& schedule, const std::optional<Schedule>& before) const;
  /// What is recorded of a run's durable call, if anything is.
  static Result<std::optional<RecordedCall>> stored_call(const Database& db, PackedId run, std::uint64_t call);
  /// The run that the same call of the parent made or found before.
  Result<std::optional<PackedId>> called_before(const NewRun& created) const;
  /// Notes which run that call has made or found, when the parent's call it is.
  static void note_call(const NewRun& created, PackedId child, Batch& batch);
  /// What is recorded of that call of an attempt that executes, when it is of this kind and name.
  Result<std::optional<RecordedCall>> recorded_by(const AttemptCall& by, CallKind kind, std::string_view name) const;
  // tokens.cpp
  Result<Token> stored_token(const Database& db, PackedId id) const;
  Result<std::optional<Token>> token_with_key(const std::string& key, Time now) const;
  Result<std::optional<Token>> token_called(const AttemptCall& by) const;
  Result<CreatedToken> put_token(NewToken created);
  Result<Token> end_token(TokenCompletion completion);
  /// Writes that a token became another: created (from nothing), over, or removed (to nothing).
  void change_token(const std::optional<Token>& from, const std::optional<Token>& to, Batch& batch) const;
  /// A token that waited is over: what follows from that, inside the mutation that ends it.
  void token_over(PackedId id, const Token& before, const Token& after, Batch& batch, Batch& undo);
  Result<std::size_t> time_out_tokens(Time now, Lock& lock);
  /// The record of a run for a change beside its transitions: that of an executing one in hot_, any other's in `other`.
  Result<RunRecord*> record_to_change(PackedId id, RunRecord& other);
  /// Whether the request was done before; where it is not, note() says in the batch that does it that it is.
  Result<bool> is_repeated(const AttemptRequestId& asked);
  void note(const AttemptRequestId& asked, Batch& batch);
  /// Writes a batch for whose durability nobody waits.
  Status write_unawaited(Batch& batch);
  Result<std::optional<KeyRecord>> live_key(KeyKind kind, const TaskId& task, const std::string& key, Time now) const;
  /// Adds to `batch` that the queue has these settings, which hold from then on.
  void change_queue(const QueueName& queue, const QueueSettings& settings, Batch& batch);
  /// The same as a mutation of its own: what `change` makes of the settings of a queue that is there.
  void change_settings(const QueueName& queue, const std::function<void(QueueSettings&)>& change, Done<Queue> done);
  /// Declares what the hot state before, `was`, knew to be declared.
  void redeclare(const QueueTable& was);
  /// The run whose attempt that token may speak for: kConflict when it is another's, or there is no process.
  [[nodiscard]] Result<PackedId> process_of(const RunId& run, std::uint32_t number, const std::string& token) const;
  // waits.cpp
  Result<WaitBegun> enter_wait(NewWait& asked, Batch& batch);
  [[nodiscard]] Result<std::vector<bool>> what_came(const RecordedCall& call, Time now) const;
  static void put_call(PackedId run, std::uint64_t number, RecordedCall call, Batch& batch);
  Status resume(RunChange& change, std::string payload, Claiming& claiming);
  Status resume_in_place(Claiming& claiming);
  /// Does with the run, which was just taken, what is decided on it.
  StoredRun read_taken(PackedId id, std::size_t most, Claiming& claiming) const;
  Status claim_one(StoredRun stored, Claiming& claiming);
  Status begin(RunChange& change, const StartOn& start, std::string payload, Claiming& claiming);
  /// Ends the attempt of `executing` as `end` says; `event` is what that is for the run.
  Result<RunChange> end_attempt(PackedId id, Executing&& executing, RunEvent event, AttemptEnd& end, Batch& batch);
  /// The answer to an end whose attempt does not execute: the run, when this end is the one recorded.
  Result<Run> repeated_end(const AttemptEnd& end) const;
  Status free_idempotency_key(const Run& run, Batch& batch) const;
  /// Marks a run that has just ended without an attempt as owing hooks, when it does.
  void mark_owing(PackedId id, const Run& run, Batch& batch) const;
  /// Marks a run that is over as one whose children are to be canceled, when it was and has some.
  void mark_parent(PackedId id, const Run& run, Batch& batch) const;
  Result<std::vector<RunId>> marked(Family family, std::size_t max) const;
  Status number_logs(PackedId id, std::optional<std::uint64_t>& last, std::vector<LogEntry>& entries) const;
  /// Applies `change_one` to each run in batches; the number of runs for which it said true.
  Result<std::size_t> change_many(const std::vector<PackedId>& ids, Lock& lock,
                                  const std::function<Result<bool>(RunChange&, Batch&)>& change_one);

  // commit_loop.cpp, on the commit thread
  void commit_loop();
  void commit(Lock& lock);
  void tell(const Group& group, bool became_ready, const std::vector<VersionId>& free);
  // reopening.cpp, on the commit thread
  void fail_group(Group group, const Status& status);
  void go_unhealthy(Lock& lock);
  bool try_reopen(Lock& lock);
  [[nodiscard]] std::uint64_t log_bytes() const;
  Status undo_and_redo(Database& db);
  Status withdraw(Database& db, PackedId id);

  template <class F>
  auto with_database(F read) const -> decltype(read(std::declval<const Database&>()));

  const RocksOptions options_;
  const std::unique_ptr<DirectoryLock> lock_;
  const std::shared_ptr<LatestTime> latest_ = std::make_shared<LatestTime>(0);
  const std::shared_ptr<TimerOffset> ahead_ = std::make_shared<TimerOffset>();
  std::shared_ptr<rocksdb::FileSystem> files_;
  std::unique_ptr<Space> space_;
  std::unique_ptr<DurableMark> mark_;  // commit thread only, once that runs

  mutable std::shared_mutex database_lock_;  // guards the pointer: exclusive only to change it
  std::unique_ptr<Database> database_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  HotState hot_;
  Group group_;
  bool dirty_ = false;               // something was written since the last sync began
  bool syncing_ = false;             // … and that sync has not ended
  bool commit_thread_idle_ = false;  // it waits without a time limit
  bool stopping_ = false;
  Status health_;
  ClockStand clock_;
  OwesHooks owes_;

  std::chrono::steady_clock::time_point ballast_checked_{};  // commit thread only

  // Of groups that failed; commit thread only.
  std::vector<PackedId> withdrawn_;
  std::vector<ClaimBatch> lost_claims_;
  std::map<QueueName, QueueSettings> withdrawn_settings_;  // as they were
  std::vector<std::string> token_undos_;
  std::set<VersionId> maybe_free_;  // versions that may have lost their last run with one of them

  std::recursive_mutex listener_lock_;
  Listener* listener_ = nullptr;

  std::thread commit_thread_;
};

template <class T>
std::optional<T> RocksStore::after_sync(Done<T>& done, T value) {
  if (!dirty_ && !syncing_ && group_.completions.empty()) return value;
  group_.completions.push_back([done = std::move(done), value = std::move(value)](const Status& status) mutable {
    if (status) {
      done(std::move(value));
    } else {
      done(status);
    }
  });
  wake_commit_thread();
  return std::nullopt;
}

template <class F>
auto RocksStore::with_database(F read) const -> decltype(read(std::declval<const Database&>())) {
  std::shared_lock lock(database_lock_);
  if (!database_) return Status::unavailable("the store is being opened again after a disk error; try again shortly");
  return read(*database_);
}

}  // namespace perdure::store::rocks
