// The reference engine: the whole of store.h in the plainest way there is, for the other engines to be compared with
// and for simulations to run on. One mutex, ordered maps, scans where an engine has indexes. Nothing outlives the
// object.
//
// A mutation takes effect at once; what follows its durability (runs become claimable, the listener is told, `done` is
// called) is one task given to the executor, so that a simulation decides when "the disk" has answered. The executor
// must run its tasks in order and none after the store is gone. Any thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/model/rate_window.h"
#include "store/model/transitions.h"
#include "store/store.h"

namespace perdure::store {

struct MemoryOptions {
  using Executor = std::function<void(std::function<void()>)>;
  /// Runs what follows a mutation's durability; empty: at once, on the caller's thread.
  Executor executor;
  /// Asked before each mutation, with the function's name ("enqueue", "finish_attempt" …). Not ok: nothing of the call
  /// happens, it answers that, and every mutation is refused so until serve_again(). Only kNoSpace for "enqueue" and
  /// "enqueue_batch" is different: it refuses that one call, as an engine does that keeps a reserve. Must not call the
  /// store.
  std::function<Status(std::string_view operation)> fault;
};

class MemoryStore final : public Store {
 public:
  explicit MemoryStore(MemoryOptions options = {});

  /// Ends the refusals that an injected fault began, as if the store had been opened again: what was set aside is back.
  void serve_again();

  void listen(Listener* listener) override;

  void enqueue(NewRun created, Done<Enqueued> done) override;
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
  void create_batch(NewBatch batch, Done<Batch> done) override;
  void keep_items(const BatchId& batch, std::map<std::uint32_t, std::string> items, Done<std::size_t> done) override;
  void enqueue_batch(BatchItems items, Done<Batch> done) override;
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
  Result<Batch> batch(const BatchId& id) const override;
  Result<std::map<std::uint32_t, std::string>> kept_items(const BatchId& id) const override;
  Result<BulkAction> bulk_action(const BulkActionId& id) const override;
  Result<BulkActionPage> bulk_actions(const BulkActionId& after, const BulkActionId& before,
                                      std::size_t limit) const override;
  Result<std::vector<BulkActionId>> pending_bulk_actions(std::size_t max) const override;
  Result<Token> token(const TokenId& id) const override;
  Result<TokenPage> tokens(const TokenFilter& filter) const override;
  Status health() const override;

 private:
  /// All there is of one run.
  struct Entry {
    Run run;
    std::string payload;
    std::optional<std::string> output;
    std::vector<Attempt> attempts;
    std::vector<TimelineEvent> timeline;
    std::vector<LogEntry> logs;
    std::string metadata = "{}";
    std::map<std::string, std::vector<StreamChunk>> streams;
    std::set<BulkActionId> bulk_actions;  // that canceled or made it
    std::set<RunId> children;
    std::map<std::uint64_t, RecordedCall> calls;     // its durable calls, by their number
    std::optional<Wait> wait;                        // WAITING
    std::vector<std::optional<std::uint64_t>> came;  // … which of its members have come, and as the how manieth of all
    std::uint32_t asking = 0;                        // the attempt whose requests were last done, …
    std::uint64_t asked = 0;                         // … and the last of them
    bool claimable = false;               // QUEUED, durably so, and not set aside; or WAITING, and its wait is over
    std::optional<VersionId> aside = {};  // QUEUED, but set aside for this version
  };
  /// An idempotency key or a request id.
  struct Key {
    RunId run;
    Time expires_at{};
  };
  using Keys = std::map<std::pair<TaskId, std::string>, Key>;
  using SubQueue = std::pair<QueueName, std::string>;  // a queue and a concurrency key

  /// One mutation under way: holds the mutex and collects what follows once it is durable.
  struct Mutation;

  Status admit(std::string_view operation);
  /// Whether the request was done before.
  [[nodiscard]] bool is_repeated(const AttemptRequestId& asked) const;
  /// It is done.
  void note(const AttemptRequestId& asked);
  void deliver();
  void tell(const std::function<void(Listener&)>& what);

  // With mutex_ held.
  Status apply(Mutation& mutation, Entry& entry, RunEvent event, Time now, std::uint32_t attempt = 0,
               std::string data = {});
  void add_event(Entry& entry, std::string_view name, Time now, std::uint32_t attempt, std::string data);
  /// The run that the same call of the parent made before.
  Result<std::optional<RunId>> called_before(const NewRun& created) const;
  Status record(NewStep step);
  // memory_waits.cpp
  Result<const Entry*> process_of(const RunId& run, std::uint32_t number, const std::string& token) const;
  Result<WaitBegun> enter_wait(Mutation& mutation, NewWait asked);
  void see_what_came(Entry& entry);
  static bool is_over(const Entry& entry);
  static bool has_time_come(const Entry& entry);
  void time_came(Entry& entry);
  static Time order_of(const Run& run);
  std::vector<RunId> over_now();
  Claim resume(Mutation& mutation, Entry& entry, Time now);
  bool goes_on_in_place() const;
  std::vector<Claim> resume_in_place(Mutation& mutation, Time now);
  /// What is recorded of that call of an attempt that executes, when it is of this kind and name.
  Result<const RecordedCall*> recorded_by(const AttemptCall& by, CallKind kind, std::string_view name) const;
  Result<CreatedToken> put_token(NewToken created);
  Result<Token> end_token(TokenCompletion completion);
  std::size_t time_out_tokens(Time now);
  static std::vector<StreamInfo> infos(const Entry& entry);
  /// Enters a run that is new.
  void create(Mutation& mutation, NewRun created);
  const RecordedCall* standing_call(const Entry& entry, std::uint64_t call) const;
  bool may_go(const Run& run) const;
  void forget(const RunId& id);
  // memory_batches.cpp
  Status check_together(const std::vector<NewRun>& runs) const;
  /// The ids of the runs that these are or, by their idempotency keys, were.
  std::vector<RunId> create_together(Mutation& mutation, std::vector<NewRun> runs, const BatchId& of);
  static Batch fresh_batch(const BatchItems& items);
  Batch seal(Mutation& mutation, Batch sealed, BatchItems items);
  Status check_children(const AttemptEnd& end) const;
  void create_children(Mutation& mutation, AttemptEnd& end);
  bool has_runs(const BatchId& batch) const;
  void forget(const BatchId& id);
  Status check_schedule(const Schedule& schedule) const;
  Result<Schedule> change_schedule(Mutation& mutation, Schedule schedule, std::vector<NewRun> runs);
  Status end_attempt(Mutation& mutation, Entry& entry, AttemptEnd end);
  void free_idempotency_key(const Run& run);
  void mark_owing(const Run& run);
  std::optional<RunId> known_run(const Keys& keys, const TaskId& task, const std::string& key, Time now) const;
  void append(Entry& entry, std::vector<LogEntry> entries);
  void append(Entry& entry, std::vector<TimelineEvent> events);
  /// The run that takes this trigger in, pushed back by it.
  std::optional<RunId> taken_in(Mutation& mutation, NewRun& created);
  std::optional<RunId> next_ready() const;
  /// How many runs of each sub-queue execute.
  std::map<SubQueue, std::size_t> running() const;
  /// Whether a run of the sub-queue may begin, in which `running` execute; its rate aside.
  bool has_slot(const SubQueue& sub, std::size_t running) const;
  /// Until when its rate lets none begin; nothing: it does now.
  std::optional<Time> closed_until(const SubQueue& sub) const;
  /// When the first run may begin that waits for a rate.
  std::optional<Time> next_open() const;
  const QueueSettings& settings_of(const QueueName& queue) const;
  void set(const QueueName& queue, const QueueSettings& settings);
  std::optional<Queue> queue_now(const QueueName& queue) const;
  void change_settings(std::string_view operation, const QueueName& queue,
                       const std::function<void(QueueSettings&)>& change, Done<Queue> done);
  std::optional<Time> earliest_due() const;
  std::vector<Entry*> aside_in_order(const TaskId& task, const std::optional<VersionId>& version) const;
  bool locked(const VersionId& version) const;

  const Entry* find(const RunId& id) const;
  template <class T, class Read>
  Result<T> read(const RunId& id, Read get) const;

  const MemoryOptions options_;
  mutable std::mutex mutex_;
  std::map<RunId, Entry> runs_;
  std::map<RunId, Entry*> unfinished_;  // … of runs_ that are not final
  std::map<RunStatus, std::uint64_t> counts_;
  Keys idempotency_keys_, request_ids_, permits_;
  std::map<std::pair<TaskId, std::string>, RunId> debounce_keys_;
  ClockStand clock_;
  std::map<BatchId, Batch> batches_;
  std::map<BatchId, std::map<std::uint32_t, std::string>> items_;  // of those that wait
  std::map<std::string, std::pair<BatchId, Time>> batch_keys_;     // until when they are kept
  std::map<BulkActionId, BulkAction> bulk_actions_;
  std::map<TokenId, Token> tokens_;
  std::map<QueueName, QueueSettings> settings_;     // … of queues that have some
  mutable std::map<SubQueue, RateWindow> windows_;  // looking at one moves it with the clock
  std::uint64_t comings_ = 0;                       // of waitpoints
  Time now_{};        // as it was last told by who claims or wakes; like windows_ by a clock that is not set
  Duration ahead_{};  // how far that is ahead of the wall clock
  std::map<SubQueue, std::uint64_t> turns_;                 // the lowest is next; see next_turn_
  std::uint64_t next_back_ = (std::uint64_t{1} << 62) - 1;  // for one whose run was given back: the last one is first
  std::uint64_t next_new_ = std::uint64_t{1} << 62;         // for one never served: those come next, as they appeared
  std::uint64_t next_turn_ = std::uint64_t{1} << 63;
  std::uint64_t next_token_ = 1;
  std::map<VersionId, std::uint64_t> freed_by_;  // the latest mutation that freed the version, until that was told
  std::uint64_t next_free_ = 1;
  OwesHooks owes_;
  std::set<RunId> owing_, canceled_parents_;
  std::map<ScheduleId, Schedule> schedules_;
  std::map<std::pair<ScheduleId, Time>, RunId> fired_;
  Status health_;
  std::deque<std::function<void()>> following_;  // what follows mutations, in their order

  std::recursive_mutex delivery_mutex_;  // before mutex_; recursive, since what is delivered may call the store
  std::recursive_mutex listener_mutex_;
  Listener* listener_ = nullptr;
};

template <class T, class Read>
Result<T> MemoryStore::read(const RunId& id, Read get) const {
  std::lock_guard lock(mutex_);
  const Entry* entry = find(id);
  if (entry == nullptr) return Status::not_found("there is no run " + id.text());
  return get(*entry);
}

}  // namespace perdure::store
