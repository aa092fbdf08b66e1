// The engine: trigger -> enqueue -> claim -> attempt -> outcome -> retry -> final status. It decides; the store
// records, the launcher executes. Written against interfaces for time, store and launching, so that tests run it with a
// simulated clock and simulated children.
//
// Threads: the engine lives on the core thread (`Core`). The functions marked [any-thread] may be called from any;
// their `done` is called on a thread of the engine's or the store's and must not block.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/catalog/quarantine.h"
#include "host/catalog/snapshot.h"
#include "host/engine/schedule_control.h"
#include "host/engine/token_control.h"
#include "host/engine/variables.h"
#include "host/process/stack_source.h"
#include "host/schema/schema.h"
#include "store/model/delay.h"
#include "store/store.h"

namespace perdure::engine {

/// A trigger from outside, already parsed. Absent options mean: as the task says.
struct TriggerRequest {
  store::RunId
      id;  // that the run is to have, made by new_run_id(), whose time is when it is created; empty: a fresh one
  store::TaskId task;
  std::string payload;  // JSON text, validated; "null" when there was none
  store::RunOptions options;
  std::optional<store::QueueName> queue;   // nothing: as the task says
  std::optional<std::size_t> queue_limit;  // of the queue from now on, where no plugin declares one
  std::string concurrency_key;
  store::Duration priority{};
  std::optional<store::Duration> delay;      // from the moment that it is accepted
  std::optional<store::Time> delayed_until;  // … or a time of the calendar
  std::optional<store::Debounce> debounce;   // instead of a delay
  std::optional<store::Duration> idempotency_ttl;
  std::string request_id;
  std::string permit;  // good for one trigger, until it expires: see store::NewRun
  store::Time permit_expires{};
  store::RunId parent;         // whose child it becomes; empty: nobody's
  store::RunId origin;         // the run that this replays; empty: none
  std::uint64_t call = 0;      // which trigger call of its parent this is: see store::NewRun. 0: from outside
  store::VersionId version;    // locked to it; empty: the one that serves when it begins
  bool awaited = false;        // by the attempt that makes it
  bool allow_pending = false;  // accept a task that no plugin offers
  bool on_success = false;     // of an attempt's: the run is created if the attempt succeeds, with its end
  /// Where to note what is wrong with the payload when it is refused for that; may be null. Filled before `done` is
  /// called, from within trigger().
  schema::Fault* fault = nullptr;
};
struct Triggered {
  store::RunId id;
  bool cached = false;  // an idempotency key found an earlier run, or a debounced one took the trigger in
};

/// Triggers that are accepted together.
struct BatchRequest {
  store::BatchId id;                  // the batch that waits for them; empty: a fresh one
  std::vector<TriggerRequest> items;  // 1 to store::kMostBatchItems
  bool whole = false;                 // one that cannot be triggered refuses all; else it is a fault of the batch
  store::RunId parent;                // whose children they become; empty: nobody's
  std::uint64_t call = 0;             // which durable call of its parent this is
  bool on_success = false;            // as of one trigger
  store::BatchId told;                // … its id, when that was told before; the items have theirs then
};

/// Counts since the host started, and now. For /perdure/v1/status and metrics.
struct EngineStatus {
  std::size_t executing = 0;    // slots held
  std::size_t concurrency = 0;  // host-wide limit
  std::uint64_t attempts_started = 0;
  std::uint64_t attempts_failed = 0;
  std::uint64_t attempts_crashed = 0;
  bool draining = false;
  std::uint64_t memory = UINT64_MAX;  // bytes that the machines of executing attempts may have together
  std::uint64_t memory_reserved = 0;  // that they have
  bool short_of_memory = false;       // the next run waits until some of it is free
  std::string default_machine;        // of tasks that name none
};

/// What an attempt was started with, or, of a run that has begun none, its first would be: all that executing it again
/// takes, somewhere else.
struct AttemptStart {
  store::RunId run;
  std::uint32_t number = 1;
  bool begun = false;  // false: the run has begun no attempt yet
  store::TaskId task;
  std::string start;    // JSON: the json of kStart, without limits and heartbeats
  std::string payload;  // JSON text
  std::optional<store::Duration> max_duration;
  catalog::PluginVersion plugin;  // the version it ran on; `path` is the private copy, which is there
};

/// Where the threads of an executing run are.
struct RunStacks {
  store::RunId run;
  std::uint32_t number = 1;  // of the attempt
  process::AttemptStacks stacks;
};

/// Ends the subscription when destroyed. Any thread.
class Subscription {
 public:
  virtual ~Subscription() = default;
};

class Engine {
 public:
  virtual ~Engine() = default;

  /// [any-thread] Creates a run. done: the run is durable, or kNotFound (unknown task or parent), kInvalid (also: the
  /// payload is not what the task takes; checked on the caller's thread), kNoSpace, kUnavailable.
  virtual void trigger(TriggerRequest request, store::Done<Triggered> done) = 0;

  /// [any-thread] Creates a batch that waits for its items: store::Store::create_batch(), which see. Its id and time
  /// are given here.
  virtual void create_batch(store::NewBatch batch, store::Done<store::Batch> done) = 0;
  /// [any-thread] Creates the runs of a batch, all or none, and seals it. done: durable; also kNotFound (unknown batch
  /// or parent; when it is to be whole, an unknown task), kInvalid, kNoSpace, kUnavailable. A sealed batch is answered
  /// as it is. Payloads are checked on the caller's thread.
  virtual void trigger_batch(BatchRequest request, store::Done<store::Batch> done) = 0;

  /// [any-thread] Cancels a run, executing or not. done: the run as it is after the cancellation was recorded or, for
  /// an executing one, requested.
  virtual void cancel(const store::RunId& run, const std::string& reason, store::Done<store::Run> done) = 0;

  /// [any-thread] Moves the end of a run's delay. done: the run afterwards, durable; kNotFound, or kConflict when it is
  /// not DELAYED by its trigger.
  virtual void reschedule(const store::RunId& run, const store::Delay& delay, store::Done<store::Run> done) = 0;

  /// [any-thread] Frees an idempotency key of a task. done: durable; kNotFound when no run has it.
  virtual void reset_idempotency_key(const store::TaskId& task, const std::string& key,
                                     store::Done<store::RunId> done) = 0;

  /// [any-thread] Cancels or replays many runs: `action` says which, as kind, name, and runs or filter. done: durably
  /// accepted; what comes of it is in the store, and goes on when the host dies meanwhile.
  virtual void begin_bulk_action(store::BulkAction action, store::Done<store::BulkActionId> done) = 0;
  /// [any-thread] Ends a bulk action after the runs that it is at; one that is over stays as it is. done: durable, or
  /// kNotFound.
  virtual void abort_bulk_action(const store::BulkActionId& action, store::Done<store::BulkActionId> done) = 0;

  /// [any-thread] Does operations to a run's metadata. done: the metadata afterwards, durable; or kNotFound, kInvalid.
  virtual void change_metadata(const store::RunId& run, std::vector<store::MetadataOperation> operations,
                               store::Done<std::string> done) = 0;

  /// [any-thread] Adds tags to a run. done: how many are new, durably; or kNotFound, kInvalid.
  virtual void add_tags(const store::RunId& run, const std::vector<std::string>& tags,
                        store::Done<std::size_t> done) = 0;

  /// [any-thread] Pauses a queue, or lets it go on: store::Store::pause_queue().
  virtual void pause_queue(const store::QueueName& queue, bool paused, store::Done<store::Queue> done) = 0;

  /// [any-thread] Limits a queue, whatever is declared of it, until that is taken back: store::Store::override_limit().
  virtual void override_limit(const store::QueueName& queue, std::optional<std::size_t> limit,
                              store::Done<store::Queue> done) = 0;

  /// [any-thread] `changed` is called, on some thread, after every durable change of the run's status and after log
  /// lines, stream chunks, metadata or tags were written, until the subscription is destroyed (a call may still be
  /// under way then). It must not block.
  virtual std::unique_ptr<Subscription> watch(const store::RunId& run, std::function<void()> changed) = 0;

  /// [any-thread] The same for every run there is, those that are made later too.
  virtual std::unique_ptr<Subscription> watch_all(std::function<void(const store::RunId& run)> changed) = 0;

  /// [any-thread] The tasks and plugins offered now.
  virtual catalog::SnapshotPtr catalog() const = 0;

  /// [any-thread] Lets another version of a plugin serve: the one before, or `to` (catalog/control.h). done: the
  /// version that will, or kNotFound.
  virtual void roll_back(const std::string& plugin, const std::string& to,
                         store::Done<catalog::PluginVersion> done) = 0;

  /// [any-thread] Ends the quarantine of the plugin's tasks, and tries again what is refused of it. done: the tasks
  /// that were held, or kNotFound.
  virtual void release(const std::string& plugin, store::Done<std::vector<store::TaskId>> done) = 0;

  /// [any-thread] What an attempt of the run was started with; nothing: the newest. The plugin's configuration is in
  /// it, so it is for whoever may see secrets. done: kNotFound says what is missing: run, attempt, or the version's
  /// copy.
  virtual void attempt_start(const store::RunId& run, std::optional<std::uint32_t> number,
                             store::Done<AttemptStart> done) = 0;

  /// [any-thread] The stacks of the run's threads. done: kNotFound; kConflict when it does not execute, or has ended
  /// meanwhile; kUnavailable when they cannot be read, with why.
  virtual void stacks(const store::RunId& run, store::Done<RunStacks> done) = 0;

  /// [any-thread] What can be asked about schedules.
  virtual ScheduleControl& schedules() = 0;

  /// [any-thread] What can be asked about waitpoint tokens.
  virtual TokenControl& tokens() = 0;

  /// [any-thread] The environment variables of attempts.
  virtual Variables& variables() = 0;

  /// [any-thread] The tasks in quarantine now.
  virtual std::vector<catalog::Held> held() const = 0;

  /// [any-thread]
  virtual EngineStatus status() const = 0;

  /// [any-thread] The store, for reads.
  virtual store::Store& store() = 0;
};

}  // namespace perdure::engine
