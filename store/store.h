// The store's interface: what keeps runs. It speaks the domain, not bytes: each call is one atomic transition, checked
// against store/model/transitions.h, whichever engine is behind it.
//
// Durability. A mutation is *written* when later calls see it and it survives the host's death, and *durable* when it
// survives the machine's. Each call says at which of the two its `done` is called. Runs become claimable only once
// their enqueueing is durable, so no attempt of an unrecorded run ever executes. Reads answer what is written; who must
// not show what a power cut could take back waits for synced() first.
//
// Errors. kNoSpace and kIo mean: nothing of this call happened. After such an error the engine refuses mutations
// with the same code until it has reopened itself (see `Listener::on_health`); what was acknowledged is there then.
//
// Threads. Every function may be called from any thread. `done` and the listener are called on a thread of the engine's
// or, for calls that need not wait, on the caller's before the call returns; they must not block and must not call back
// into the store from on_health. Callbacks of mutations come in the order of their durability.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "store/model/batch.h"
#include "store/model/bulk_action.h"
#include "store/model/call.h"
#include "store/model/clock_stand.h"
#include "store/model/debounce.h"
#include "store/model/failure.h"
#include "store/model/ids.h"
#include "store/model/metadata.h"
#include "store/model/queue.h"
#include "store/model/retry.h"
#include "store/model/run.h"
#include "store/model/run_filter.h"
#include "store/model/schedule.h"
#include "store/model/status.h"
#include "store/model/stream.h"
#include "store/model/tags.h"
#include "store/model/token.h"
#include "store/model/waitpoint.h"

namespace perdure::store {

template <class T>
using Done = std::function<void(Result<T>)>;
using DoneStatus = std::function<void(Status)>;

/// A run to be created.
struct NewRun {
  RunId id;  // by new_run_id(); the caller's, so that it can be told before it is durable
  TaskId task;
  QueueName queue;
  std::string concurrency_key;
  std::optional<std::size_t> queue_limit;  // the queue's from now on, where no plugin declares one; nothing: as it is
  Duration priority{};
  Time now{};
  std::optional<Time> delayed_until;  // DELAYED until then
  bool calendar = false;              // … which is a time of the calendar, not the end of a duration
  // A trigger under a key that a DELAYED run of the task has is taken in by that run: it starts later, and creates
  // nothing. `delayed_until` says when the run of the first starts.
  std::optional<Debounce> debounce;
  bool pending_version = false;  // PENDING_VERSION: no plugin offers the task now; a delay comes first
  RunOptions options;
  std::string payload;  // JSON text
  std::string origin;
  RunId parent, root;  // see Run
  VersionId version;   // locked to it from the beginning; empty: to the one of its first attempt
  std::uint32_t depth = 0;
  // Which of the parent's durable calls this is, counted from 1; 0: none. The same call of a later attempt of the
  // parent answers the run that the first one did, and creates nothing; kConflict when that was another call.
  std::uint64_t call = 0;
  // At most one run per (task, key) and per (task, request id): a repeat answers the first run and creates nothing.
  // options.idempotency_key is the key. A key is freed when its run ends FAILED, CRASHED, SYSTEM_FAILURE, TIMED_OUT or
  // EXPIRED.
  Duration idempotency_ttl{std::chrono::hours(24 * 30)};
  std::string request_id;  // of the HTTP call, kept for some minutes; empty: none
  // What permits one enqueue() only, of whatever task, until then: kConflict for the next that names it, unless that is
  // the same request. Empty: no such thing.
  std::string permit;
  Time permit_expires{};
  // The schedule that makes it, and for which of its due times: see fire_schedule().
  ScheduleId schedule;
  std::optional<Time> scheduled_for;
  BatchId batch;  // set by who takes it as one of a batch: see enqueue_batch()
  // From when its ttl and its place in the queue count, if that is later than `now`, at which it is created.
  std::optional<Time> since;
};
struct Enqueued {
  RunId id;
  bool existing = false;      // an idempotency key, a request id, a call or a debounce key found an earlier run
  bool same_request = false;  // … it was the request id or the call: answered as if this call had created it
};

/// A batch that is to wait for its items.
struct NewBatch {
  BatchId id;  // by new_batch_id()
  std::uint32_t run_count = 0;
  std::string idempotency_key;  // empty: none
  Duration idempotency_ttl{std::chrono::hours(24 * 30)};
  RunId parent;  // whose attempt it was; empty: none
  Time now{};
};

/// All items of a batch, which is sealed with that.
struct BatchItems {
  BatchId batch;
  bool fresh = false;  // the batch is new with that; else it is one that waits for its items
  Time now{};
  // Of the items that make a run, in order; no request id, no call and no debounce. One whose idempotency key has a run
  // makes none, and has that one.
  std::vector<NewRun> runs;
  std::vector<BatchFault> faults;  // … and of the others, by index
  // Of a fresh one: which of the parent's durable calls this is, and what it is called there; see NewRun::call.
  RunId parent;
  std::uint64_t call = 0;
  std::string name;
};

// What claim() does with a run whose turn it is: one of these four.

/// An attempt begins on this version, to which the run is locked from then on; it may be another than `run.version`.
struct StartOn {
  VersionId version;
  std::string machine = {};  // noted with the attempt, as machine_text(); may be empty
};
/// No loaded plugin offers the task: the run becomes PENDING_VERSION, until release().
struct Hold {};
/// The version the run would start on is not to be tried now. The run stays QUEUED and nothing is written; it is not
/// handed out again, and holds no slot of its queue, until put_back() or until the store is opened again.
struct SetAside {
  VersionId version;
};
/// There is no room for the run now. The claim ends with what it has; the run stays QUEUED and nothing is written. It
/// keeps its place and holds no slot, and its sub-queue is the next to be served, before those that were never served
/// and those of which this was said before: so that a run which needs much room gets it, however many others come
/// meanwhile.
struct NotNow {};
using ClaimDecision = std::variant<StartOn, Hold, SetAside, NotNow>;

/// Decides on a run that is ready (`run.version` is set when it is locked to one). Called inside claim(), as the run is
/// stored; must not block or call the store.
using DecideClaim = std::function<ClaimDecision(const Run& run)>;

/// Whether a run owes hooks of its task to nobody but the host, see owe_hooks().
using OwesHooks = std::function<bool(const Run& run)>;

/// How many runs one claim() holds or sets aside at most, so that no call keeps the others waiting for long.
inline constexpr std::size_t kMostTurnedAway = 1000;

struct Claim {
  Run run;          // after the claim: EXECUTING, `attempts` counts this one
  Attempt attempt;  // number, version and fence token of the attempt to start
  std::string payload;
  /// The attempt began before, and goes on: its wait is over. Its process is there, unless the wait says evicted; then
  /// the attempt is to be entered anew.
  std::optional<Wait> resumed{};
};

/// A wait of an attempt that executes.
struct NewWait {
  RunId run;
  std::uint32_t number = 0;  // of the attempt
  std::string token;         // its fence
  std::string name;          // an attempt that makes the same calls gives the same one again
  Wait wait;
  std::optional<Time> until;  // when it is for a time
  bool calendar = false;      // … which is one of the calendar, not the end of a duration
  Time now{};
};
/// What begin_wait() came to.
struct WaitBegun {
  RecordedCall call;  // the wait as it is recorded, by this attempt or an earlier one
  bool over = false;  // all has come already: the run did not wait
};

/// An attempt that outlived the host which had claimed its run, and that the present one has adopted.
struct AdoptedAttempt {
  RunId run;
  std::uint32_t number = 0;
  std::string token;  // the fence
  [[nodiscard]] bool is(const Attempt& attempt) const { return number == attempt.number && token == attempt.token; }
};

/// The end of one attempt and what becomes of its run, in one commit.
struct AttemptEnd {
  RunId run;
  std::uint32_t number = 0;
  std::string token;  // the fence: kConflict unless it is the claim's
  Time now{};
  std::string output;                               // JSON text; meaningful on success
  std::optional<Failure> failure;                   // absent: success
  AfterFailure after = GiveUp{RunStatus::kFailed};  // meaningful on failure, by after_failure()
  Usage usage;
  std::string machine = {};           // of the run's attempts from now on, as machine_text(); empty: as before
  std::vector<LogEntry> logs;         // written along with it
  std::vector<TimelineEvent> events;  // … and these, before the event that the end itself is; see append_events()
  bool owes_hooks = false;            // if the run ends with it, it owes hooks from then on; see owe_hooks()
  // Created with it when it is a success, and not otherwise: runs alone (no request id, no call, no debounce), and
  // fresh batches without a call. The host's reserve of disk space does not keep them out: they were promised.
  std::vector<NewRun> children;
  std::vector<BatchItems> batches;
};

/// The result of a step of an attempt that executes.
struct NewStep {
  RunId run;
  std::uint32_t number = 0;  // of the attempt
  std::string token;         // its fence
  std::uint64_t call = 0;    // which of the run's durable calls the step is, from 1
  std::string name;
  std::string result;  // JSON text
};

/// A request of an attempt that executes. The attempt numbers its requests upwards and, when it has lost its host,
/// sends those again of which it does not know what came of them: one that was done already, or a later one was, is
/// answered like the first and changes nothing.
struct AttemptRequestId {
  RunId run;
  std::uint32_t number = 0;   // of the attempt
  std::uint64_t request = 0;  // 0: of no attempt
};

/// Chunks for one stream of a run.
struct StreamAppend {
  RunId run;
  std::string name;
  std::vector<std::string> chunks;  // UTF-8
  Time now{};
  std::uint64_t limit = std::uint64_t{64} << 20;  // bytes that all streams of the run may have: see StreamInfo::bytes
  AttemptRequestId asked{};
};

/// The most that one read_stream() answers, in bytes: it ends with the chunk that reaches it.
inline constexpr std::size_t kStreamPage = std::size_t{1} << 20;

/// Schedules by age.
struct SchedulePage {
  std::vector<Schedule> schedules;  // newest first
  std::uint64_t count = 0;          // of all there are
};

/// Which finished runs are to go: see remove_finished().
struct Removal {
  RunStatus status = RunStatus::kCompleted;  // a final one
  Time ended_before{};                       // only runs that ended before
  std::optional<std::uint64_t> keep;         // only until no more than so many of the status are left; nothing: all
  RunId after;                               // only runs newer than this
  std::size_t most = 100;                    // how many are looked at
};
struct Removed {
  std::size_t runs = 0;
  RunId last;         // the last one that was looked at; empty: there was none
  bool more = false;  // there may be others after it
};

/// Told of what happens in the store. Every function: any thread of the engine's; must not block.
class Listener {
 public:
  virtual ~Listener() = default;
  /// Some run became claimable, or slots of a limited queue were freed, or a claim stopped at kMostTurnedAway with more
  /// to take.
  virtual void on_ready() = 0;
  /// next_due() moved to an earlier time.
  virtual void on_due_changed() = 0;
  /// The run is in a new status, durably.
  virtual void on_run_changed(const RunId& run, RunStatus status) = 0;
  /// No unfinished run is locked to the version any more, durably: the last one ended, or moved to another version. A
  /// claim may lock a run to it again before this is heard; locked_versions() says how it is now. Does nothing unless
  /// overridden.
  virtual void on_version_free(const VersionId& /*version*/) {}
  /// kOk: serving (again). Otherwise why mutations are refused until further notice.
  virtual void on_health(const Status& health) = 0;
};

class Store {
 public:
  virtual ~Store() = default;

  /// Sets the one listener, before the first mutation; `listener` outlives the store, or is reset with nullptr.
  virtual void listen(Listener* listener) = 0;

  // ---- Mutations -----------------------------------------------------------------------------------------------
  /// Creates a run. done: durable.
  virtual void enqueue(NewRun run, Done<Enqueued> done) = 0;

  /// First, beyond `max`, the runs that go on after a wait in which they kept their slot: see begin_wait(). Then takes
  /// up to `max` runs that are ready: those that go on after another wait (kResumed) before all others of their
  /// sub-queue; they have a slot again then, and no rate holds them up. `decide` is asked of them too, as they are
  /// (WAITING), and its StartOn only says yes; with Hold they are set aside. Of the others it begins an attempt of each
  /// (two transitions, kClaimed and kAttemptStarted). A queue has a sub-queue for each concurrency key. Of the
  /// sub-queues with a ready run, a free slot and a rate that lets one begin (see model/queue.h), none of a paused
  /// queue, the one from which a run was taken longest ago is next; those never served come before all others, in the
  /// order in which they appeared. Within one: by the time a run was queued less its priority, then by id. Runs that
  /// `decide` holds or sets aside have had their sub-queue's turn and are not counted; after kMostTurnedAway of them
  /// the call ends with what it has, and on_ready() tells when more is there. So it does when `decide` says NotNow, but
  /// nobody tells then: the caller knows when there is room. done: written; before return where the engine can.
  virtual void claim(std::size_t max, Time now, const DecideClaim& decide, Done<std::vector<Claim>> done) = 0;

  /// Lets up to `max` runs of `task` be claimed again that claim() set aside for `version` (nothing: for any), the
  /// first in order first; they take the places in their queues that they had. on_ready() is told. How many. Works
  /// while mutations are refused; what is set aside is not stored, so that an opened store has none.
  virtual std::size_t put_back(const TaskId& task, const std::optional<VersionId>& version, std::size_t max) = 0;
  /// How many runs of `task` are set aside for `version` (nothing: for any).
  virtual std::size_t set_aside(const TaskId& task, const std::optional<VersionId>& version) const = 0;

  /// Records an attempt's end. A repeat with the same token is answered like the first, changing nothing; kConflict
  /// when the attempt is not the run's current one or the token is another's. done: durable; the run afterwards.
  virtual void finish_attempt(AttemptEnd end, Done<Run> done) = 0;

  /// Notes the process id of an attempt that executes. done: written.
  virtual void set_attempt_pid(const RunId& run, std::uint32_t number, std::int32_t pid) = 0;

  /// Cancels a run that has no process. kConflict when it executes or waits in one (end its attempt with kCanceled
  /// instead); a final run is answered unchanged. done: durable.
  virtual void cancel(const RunId& run, Time now, const std::string& reason, Done<Run> done) = 0;

  /// Moves the end of a run's delay to `until`, and with it the end of its ttl, as move_delay() does. kConflict unless
  /// the run is DELAYED and has begun no attempt: a backoff is no delay. done: durable.
  virtual void reschedule(const RunId& run, Time until, bool calendar, Time now, Done<Run> done) = 0;

  /// Tells how the wall clock stands, before the first mutation and whenever it was set. If it was set since this was
  /// last told (on the same boot, also by an earlier host), what waits for the end of a duration (a delay, a backoff, a
  /// ttl, an idempotency key) waits as long as it would have, and what waits for a time of the calendar till that time.
  /// Costs the same however much waits. The `now` of later mutations goes by it. Takes effect at once, also while
  /// mutations are refused. done: durable; by how much the clock was set.
  virtual void clock_is(const ClockStand& stand, Done<Duration> done) = 0;

  /// Frees an idempotency key of a task, whatever becomes of the run that has it: the next trigger with the key makes a
  /// run. kNotFound when no run has it. done: durable; the run that had it.
  virtual void reset_idempotency_key(const TaskId& task, const std::string& key, Time now, Done<RunId> done) = 0;

  /// DELAYED runs that are due become QUEUED; runs whose expires_at passed before they started become EXPIRED; runs
  /// that waited for the rate of their queue may be claimed, of which on_ready() tells. done: durable; how many
  /// changed.
  virtual void wake_due(Time now, Done<std::size_t> done) = 0;
  /// When wake_due() next has something to do.
  virtual std::optional<Time> next_due() const = 0;

  /// Runs of these tasks that are PENDING_VERSION become QUEUED, some hundred in one commit. done: durable; how many.
  virtual void release(const std::vector<TaskId>& tasks, Time now, Done<std::size_t> done) = 0;

  /// Ends every attempt that the store still holds for executing, but for those in `adopted`, as HOST_LOST and queues
  /// its run again (or SYSTEM_FAILURE after kMaxHostLosses). To be called once by a host that has just opened the
  /// store. done: durable; how many.
  virtual void recover(Time now, const std::vector<AdoptedAttempt>& adopted, Done<std::size_t> done) = 0;
  void recover(Time now, Done<std::size_t> done) { recover(now, {}, std::move(done)); }

  /// Which runs owe hooks when they end while no attempt of theirs executes: by cancel(), by expiring, or by recover().
  /// Nobody is left to call these hooks but the host; the mark that it has to is written with the final status and
  /// stays until hooks_ran(). `owes` is asked inside those calls, with the run as it is at its end; must not block or
  /// call the store. Empty, as at first: none does. Not stored.
  virtual void owe_hooks(OwesHooks owes) = 0;
  /// The hooks that `run` owed were called, or cannot be: it owes none any more, and `events` are on its timeline
  /// (sequences and status are given here). A run that owes none is answered unchanged. done: durable.
  virtual void hooks_ran(const RunId& run, std::vector<TimelineEvent> events, Done<Run> done) = 0;

  /// All children of the run are over: canceled_parents() names it no more. done: written.
  virtual void children_over(const RunId& run, DoneStatus done) = 0;

  /// Appends to a run's log; sequences are given here. done: written.
  virtual void append_logs(const RunId& run, std::vector<LogEntry> entries) = 0;

  /// Appends to a run's timeline what happened in it without being a transition, such as a hook. Their sequences and
  /// statuses are given here. done: written.
  virtual void append_events(const RunId& run, std::vector<TimelineEvent> events) = 0;

  /// Records the result of a step, for later attempts of the run. A repeat with the same name is answered like the
  /// first and changes nothing. kConflict: the attempt does not execute or the token is another's, or another call is
  /// recorded there. kInvalid: not as check_step() wants it. done: durable.
  virtual void record_step(NewStep step, DoneStatus done) = 0;

  /// The run waits from now on, WAITING; without a slot, unless the wait keeps it. When all it waits for has come, or
  /// any of it, claim() hands it out again. A repeat, or the same call of a later attempt, goes on with the wait as it
  /// was recorded first, its time included; what has come by then is not waited for. kConflict: the attempt does not
  /// execute, waits already, or the token is another's, or another call is recorded there. kInvalid: not as
  /// check_wait() wants it. done: durable.
  virtual void begin_wait(NewWait wait, Done<WaitBegun> done) = 0;
  /// The process of an attempt that waits has left, having used `usage` since it began: the run is handed out without
  /// one, and has no slot. kConflict when it does not wait, or its wait is over. done: written.
  virtual void evict(const RunId& run, std::uint32_t number, const std::string& token, const Usage& usage,
                     DoneStatus done) = 0;

  /// Does the operations to a run's metadata in order, all or none, whatever its status; beside those of others nothing
  /// is lost. `asked`: by whom. They are as check_operation() wants them. kInvalid: one does not fit what is there, or
  /// the metadata would exceed kMostMetadata. done: written; before return where the engine can.
  virtual void change_metadata(const RunId& run, std::vector<MetadataOperation> operations,
                               const AttemptRequestId& asked, DoneStatus done) = 0;
  void change_metadata(const RunId& run, std::vector<MetadataOperation> operations, DoneStatus done) {
    change_metadata(run, std::move(operations), {}, std::move(done));
  }

  /// Adds tags to a run, all or none, whatever its status; those it has are left out. kInvalid: one has not 1 to
  /// kLongestTag characters, or there would be more than kMostTags. done: written, how many are new; before return
  /// where the engine can.
  virtual void add_tags(const RunId& run, const std::vector<std::string>& tags, Done<std::size_t> done) = 0;

  /// Appends to a stream of a run, all or none; sequences are given here. kInvalid: the name has not 1 to
  /// kLongestStreamName bytes, a chunk more than kMostChunk, or the run would have more than kMostStreams streams or
  /// more bytes in them than its limit. done: written; before return where the engine can.
  virtual void append_stream(StreamAppend append, DoneStatus done) = 0;

  // ---- Queues (model/queue.h says what limits them; a lower limit ends nothing) ---------------------------------
  /// What plugins declare of these queues from now on; `all`: and of no others. Written, and kept, so that a store that
  /// is opened has the limits again before any plugin is loaded. Works while mutations are refused.
  virtual void declare_queues(const std::map<QueueName, QueueLimits>& declared, bool all) = 0;
  /// The same of one queue, with this limit alone.
  void limit_queue(const QueueName& queue, std::optional<std::size_t> limit) {
    declare_queues({{queue, {limit, std::nullopt}}}, false);
  }

  /// Pauses a queue or lets it go on: while it is paused no attempt of its runs begins, no retry either; what executes
  /// goes on. done: durable; the queue as it is then. kNotFound: it is not there.
  virtual void pause_queue(const QueueName& queue, bool paused, Done<Queue> done) = 0;

  /// Limits a queue, whatever is declared of it, until that is taken back (nothing). done: durable; the queue as it is
  /// then. kNotFound: it is not there.
  virtual void override_limit(const QueueName& queue, std::optional<std::size_t> limit, Time now, Done<Queue> done) = 0;

  /// Removes finished runs of one status with all that is kept of them, oldest first. Those stay that owe hooks, whose
  /// children are still to be canceled, or whose parent is unfinished, since it may ask for them again. A removed run
  /// is not found any more and in no list; its idempotency key is free, its schedule's due time forgotten, its parent
  /// has it no more; runs that name it as their parent, root or origin still do. done: written, before return where the
  /// engine can; kInvalid when the status is not final.
  virtual void remove_finished(const Removal& removal, Done<Removed> done) = 0;

  /// Creates a schedule (revision 0) or changes one: `schedule` is what it is from now on, decided on the state that
  /// had its revision. kConflict when it has changed since; also when its id, its deduplication key or, of a
  /// declarative one, its task is another's. kNotFound when it is gone. done: durable; as it is now, with its new
  /// revision.
  virtual void put_schedule(Schedule schedule, Done<Schedule> done) = 0;
  /// The same for a schedule that exists, and creates a run for each of some due times of it with that: the runs and
  /// what the schedule is afterwards are one commit. Each of `runs` names the schedule and a due time, `scheduled_for`,
  /// oldest first; no request id, no idempotency key, no parent. A due time for which there is a run already gets no
  /// other, and a `last_run` that named the one which is not created names that one. done: as above; or kNoSpace.
  virtual void fire_schedule(Schedule schedule, std::vector<NewRun> runs, Done<Schedule> done) = 0;
  /// Forgets a schedule; its runs stay. done: durable, or kNotFound.
  virtual void delete_schedule(const ScheduleId& schedule, DoneStatus done) = 0;

  /// Keeps a bulk action as it is now, new or known, and that `affected` are runs that it canceled or made. done:
  /// durable.
  virtual void put_bulk_action(BulkAction action, const std::vector<RunId>& affected, DoneStatus done) = 0;

  // ---- Batches --------------------------------------------------------------------------------------------------
  /// Creates a batch that waits for its items. One that has the same idempotency key is answered instead; when that
  /// waits as well it has this run_count from then on, and none of its items. done: durable; kInvalid when there are 0
  /// or more than kMostBatchItems items; kNoSpace.
  virtual void create_batch(NewBatch batch, Done<Batch> done) = 0;
  /// Keeps items of a batch that waits, as texts, by index, until it is sealed; an index that is there already keeps
  /// what it has. done: durable; how many it has. kNotFound; kConflict when it is sealed; kInvalid for an index
  /// that it has not; kNoSpace.
  virtual void keep_items(const BatchId& batch, std::map<std::uint32_t, std::string> items, Done<std::size_t> done) = 0;
  /// Creates the runs of a batch, all or none, in one commit, and seals it. A batch that is sealed is answered
  /// unchanged, so that a repeat creates nothing; so is the one that the same call of an earlier attempt made. done:
  /// durable; the batch. kNotFound; kInvalid when the items are not as many as it has; kConflict when that call was
  /// another; kNoSpace. After kIo all of it has happened or nothing: ask again.
  virtual void enqueue_batch(BatchItems items, Done<Batch> done) = 0;
  /// Forgets up to `max` batches that were created before `before` and that are not sealed or made no run, unless their
  /// parent is unfinished. Others go with the last run that they made. done: written; how many.
  virtual void remove_batches(Time before, std::size_t max, Done<std::size_t> done) = 0;
  // ---- Tokens (model/token.h) -----------------------------------------------------------------------------------
  /// Creates a token, or answers the one that has its idempotency key: keys of tokens are apart from those of runs, and
  /// keep their token whatever becomes of it. One that is made `by` an attempt is recorded as a call like a step, with
  /// the same errors. done: durable; kInvalid: see token_of(); kNoSpace.
  virtual void create_token(NewToken created, Done<CreatedToken> done) = 0;
  /// Completes a token; one that is completed or has timed out is answered unchanged. done: durable; the token as it is
  /// then. kInvalid: see check_token_value(); kNotFound; of an attempt's, as above.
  virtual void complete_token(TokenCompletion completion, Done<Token> done) = 0;
  // wake_due() lets tokens time out, and counts them; next_due() knows when.
  /// Removes up to `most` tokens that were completed or timed out before, those that have been so for longest first,
  /// and frees their keys. done: written, before return where the engine can; how many.
  virtual void remove_tokens(Time ended_before, std::size_t most, Done<std::size_t> done) = 0;

  /// Calls `done` once everything written before this call is durable.
  virtual void synced(DoneStatus done) = 0;

  // ---- Reads (kNotFound for unknown ids) -----------------------------------------------------------------------
  virtual Result<Run> run(const RunId& id) const = 0;
  virtual Result<std::string> payload(const RunId& id) const = 0;
  virtual Result<std::string> output(const RunId& id) const = 0;                   // kNotFound unless COMPLETED
  virtual Result<std::vector<Attempt>> attempts(const RunId& id) const = 0;        // by number
  virtual Result<std::vector<TimelineEvent>> timeline(const RunId& id) const = 0;  // by sequence
  /// Entries with a sequence above `after`, oldest first, at most `limit`.
  virtual Result<std::vector<LogEntry>> logs(const RunId& id, std::uint64_t after, std::size_t limit) const = 0;
  /// What the run's metadata is now: a JSON object.
  virtual Result<std::string> metadata(const RunId& id) const = 0;
  /// What is recorded of the run's durable call of that number.
  virtual Result<RecordedCall> recorded_call(const RunId& run, std::uint64_t call) const = 0;
  /// The run's streams, by name.
  virtual Result<std::vector<StreamInfo>> streams(const RunId& id) const = 0;
  /// Chunks with a sequence above `after`, oldest first, at most `limit` and about kStreamPage bytes; none of a stream
  /// that there is not.
  virtual Result<std::vector<StreamChunk>> read_stream(const RunId& id, const std::string& name, std::uint64_t after,
                                                       std::size_t limit) const = 0;
  /// The runs whose parent this is, oldest first: those newer than `after` (empty: from the first), at most `limit`.
  virtual Result<std::vector<RunId>> children(const RunId& parent, const RunId& after, std::size_t limit) const = 0;
  /// A page of the runs that the filter lets through, newest first. Looks at some thousand runs at the most, however
  /// rare what is wanted is: then the page has fewer than asked for, or none, and a cursor to go on from.
  virtual Result<RunPage> list(const RunFilter& filter) const = 0;
  /// How many runs are in each status now; O(statuses).
  virtual std::map<RunStatus, std::uint64_t> counts() const = 0;
  /// kNotFound: it is not there. O(1).
  virtual Result<Queue> queue(const QueueName& queue) const = 0;
  /// The queues that are there, by name: at most `limit`, without the first `skip`. O(skip + limit).
  virtual QueuePage queues(std::size_t skip, std::size_t limit) const = 0;
  /// The sub-queues in which runs wait or execute, by key: those after `after` (nothing: from the first), at most
  /// `limit`. O(sub-queues of the queue).
  virtual std::vector<SubQueueCounts> sub_queues(const QueueName& queue, const std::optional<std::string>& after,
                                                 std::size_t limit) const = 0;
  /// How many unfinished runs, in whichever status, are locked to each version to which any is; O(versions).
  virtual std::map<VersionId, std::uint64_t> locked_versions() const = 0;
  /// Up to `max` runs, by id, that were canceled when they had children: the mark is written with their end and stays
  /// until children_over().
  virtual Result<std::vector<RunId>> canceled_parents(std::size_t max) const = 0;
  /// Up to `max` runs that owe hooks, by id.
  virtual Result<std::vector<RunId>> owing_hooks(std::size_t max) const = 0;
  virtual Result<Schedule> schedule(const ScheduleId& id) const = 0;
  /// The one with that deduplication key.
  virtual Result<Schedule> schedule_with_key(const std::string& deduplication_key) const = 0;
  /// All that are declarative, by task.
  virtual Result<std::vector<Schedule>> declared_schedules() const = 0;
  /// Up to `limit` schedules after the newest `skip`.
  virtual Result<SchedulePage> schedules(std::size_t skip, std::size_t limit) const = 0;
  /// The run of the schedule's due time; kNotFound when it did not fire, or its run is removed.
  virtual Result<RunId> fired(const ScheduleId& schedule, Time due) const = 0;
  // From memory:
  /// The active schedules whose `next_at` is later than `after` and not later than `until`, in its order.
  virtual std::vector<ScheduleId> due_schedules(Time after, Time until) const = 0;
  /// The first `next_at` of an active schedule later than `after`.
  virtual std::optional<Time> next_schedule_due(Time after) const = 0;
  /// The schedules with `waiting` or `backfill`.
  virtual std::vector<ScheduleId> busy_schedules() const = 0;
  virtual Result<Batch> batch(const BatchId& id) const = 0;
  /// What keep_items() has kept.
  virtual Result<std::map<std::uint32_t, std::string>> kept_items(const BatchId& id) const = 0;
  virtual Result<BulkAction> bulk_action(const BulkActionId& id) const = 0;
  /// Up to `limit` bulk actions older than `after`, or newer than `before`; both empty: from the newest.
  virtual Result<BulkActionPage> bulk_actions(const BulkActionId& after, const BulkActionId& before,
                                              std::size_t limit) const = 0;
  /// Up to `max` bulk actions that are PENDING, oldest first.
  virtual Result<std::vector<BulkActionId>> pending_bulk_actions(std::size_t max) const = 0;
  virtual Result<Token> token(const TokenId& id) const = 0;
  /// A page of the tokens that the filter lets through, newest first; as list() does of runs.
  virtual Result<TokenPage> tokens(const TokenFilter& filter) const = 0;
  /// kOk, or why mutations are refused.
  virtual Status health() const = 0;
};

}  // namespace perdure::store
