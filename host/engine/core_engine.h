// The engine proper. It holds the slots of executing attempts and nothing else that matters: every decision is recorded
// in the store before anyone hears of it, so that losing this object loses nothing.
//
// Threads: made, started and ended on the core thread; launcher and catalog call it there. What engine.h marks
// [any-thread] may be called from any. The store calls its listener from its own threads.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "host/catalog/control.h"
#include "host/catalog/quarantine.h"
#include "host/catalog/snapshot.h"
#include "host/engine/attempt_machine.h"
#include "host/engine/attempt_request.h"
#include "host/engine/bulk_actions.h"
#include "host/engine/canceled_children.h"
#include "host/engine/core.h"
#include "host/engine/engine.h"
#include "host/engine/owed_hooks.h"
#include "host/engine/retention.h"
#include "host/engine/schedules.h"
#include "host/engine/tokens.h"
#include "host/engine/variables.h"
#include "host/engine/watch_hub.h"
#include "host/process/launcher.h"
#include "store/store.h"

namespace perdure::engine {

struct EngineOptions {
  std::size_t concurrency = 8;                       // attempts executing at once, host-wide
  std::size_t processes = SIZE_MAX;                  // attempts with a process at once, with those that wait in one
  std::map<std::string, std::string> plugin_config;  // [plugins.NAME] as JSON, by plugin name
  std::shared_ptr<Variables> variables = std::make_shared<Variables>();  // for the environment of attempts
  bool allow_pending = false;                            // attempts may trigger tasks that no plugin offers
  std::uint64_t stream_limit = std::uint64_t{64} << 20;  // bytes that the streams of one run may have
  std::uint64_t seed = 0;                                // of the backoff's randomness; 0: from the system
  catalog::QuarantineOptions quarantine;
  AttemptDefaults defaults;
  RetentionOptions retention;
  std::uint64_t memory = UINT64_MAX;  // bytes that the machines of executing attempts may have together
  /// The URL that completes a token, for attempts that make one. Core thread.
  std::function<std::string(const store::TokenId& token)> token_url;
  /// What people should know, for the log. Core thread.
  std::function<void(const std::string& message)> warn;
  /// A task is held from now on, or (`held` false) no longer. Core thread.
  std::function<void(const catalog::Held& task, bool held)> quarantined;
  /// No unfinished run is locked to the version any more. Core thread.
  std::function<void(const store::VersionId&)> version_free;
};

class CoreEngine final : public Engine, private store::Listener, private process::AttemptObserver {
 public:
  CoreEngine(Core& core, store::Store& store, process::Launcher& launcher, EngineOptions options);
  /// The launcher must not call any more, and the store's completions must have been delivered or be lost.
  ~CoreEngine() override;

  /// Adopts the attempts of a host before that still execute, recovers the others, then begins to claim. `done`: core
  /// thread, once recovered. Again when that failed.
  void start(store::DoneStatus done);

  /// What tasks are offered from now on. Core thread.
  void offer(catalog::SnapshotPtr catalog);

  /// Who answers roll_back() and release(); outlives the engine's use. Core thread.
  void controlled_by(catalog::Control& control) { control_ = &control; }

  /// Who answers stacks(); outlives the engine's use. Core thread.
  void stacks_from(process::StackSource& source) { stacks_ = &source; }

  /// Claims nothing any more; `idle` is called when no attempt executes. Core thread.
  void drain(std::function<void()> idle);

  void trigger(TriggerRequest request, store::Done<Triggered> done) override;
  void create_batch(store::NewBatch batch, store::Done<store::Batch> done) override;
  void trigger_batch(BatchRequest request, store::Done<store::Batch> done) override;
  void cancel(const store::RunId& run, const std::string& reason, store::Done<store::Run> done) override;
  void reschedule(const store::RunId& run, const store::Delay& delay, store::Done<store::Run> done) override;
  void reset_idempotency_key(const store::TaskId& task, const std::string& key,
                             store::Done<store::RunId> done) override;
  void begin_bulk_action(store::BulkAction action, store::Done<store::BulkActionId> done) override;
  void abort_bulk_action(const store::BulkActionId& action, store::Done<store::BulkActionId> done) override;
  void change_metadata(const store::RunId& run, std::vector<store::MetadataOperation> operations,
                       store::Done<std::string> done) override;
  void add_tags(const store::RunId& run, const std::vector<std::string>& tags, store::Done<std::size_t> done) override;
  void pause_queue(const store::QueueName& queue, bool paused, store::Done<store::Queue> done) override;
  void override_limit(const store::QueueName& queue, std::optional<std::size_t> limit,
                      store::Done<store::Queue> done) override;
  std::unique_ptr<Subscription> watch(const store::RunId& run, std::function<void()> changed) override;
  std::unique_ptr<Subscription> watch_all(std::function<void(const store::RunId& run)> changed) override;
  [[nodiscard]] catalog::SnapshotPtr catalog() const override;
  void roll_back(const std::string& plugin, const std::string& to, store::Done<catalog::PluginVersion> done) override;
  void release(const std::string& plugin, store::Done<std::vector<store::TaskId>> done) override;
  void attempt_start(const store::RunId& run, std::optional<std::uint32_t> number,
                     store::Done<AttemptStart> done) override;
  void stacks(const store::RunId& run, store::Done<RunStacks> done) override;
  ScheduleControl& schedules() override { return schedules_; }
  TokenControl& tokens() override { return tokens_; }
  Variables& variables() override { return *options_.variables; }
  [[nodiscard]] std::vector<catalog::Held> held() const override;
  [[nodiscard]] EngineStatus status() const override;
  store::Store& store() override { return store_; }

 private:
  /// An outcome that hooks may have been told of, so that it stands whatever becomes of the process.
  struct Judged {
    std::string output;
    std::optional<store::Failure> failure;  // absent: success
    store::AfterFailure after;              // meaningful on failure
    store::Time now{};                      // of the first judgement, and its randomness: what is told then holds
    double random = 0;
  };
  /// A wait that an attempt has asked for and that is not answered yet.
  struct OpenWait {
    std::uint64_t request = 0;
    bool tell = false, single = false;  // see AskedWait
    bool waits = false;                 // it has begun
    store::Time began{};                // … then
    bool over = false;                  // … and is over, though that it had begun was not heard yet
    store::RecordedCall call;           // once it has begun
    std::optional<store::Time> evict_at;
  };
  /// One slot: an attempt from its claim to the end of its process.
  struct Slot {
    store::Run run;
    store::Attempt attempt;
    catalog::SnapshotPtr catalog;  // keeps `task` alive
    const catalog::Task* task = nullptr;
    std::vector<store::LogEntry> logs;
    std::vector<store::TimelineEvent> events;
    std::optional<Judged> judged;  // its outcome, known before its last hooks are called
    std::int32_t pid = 0;
    bool pid_noted = false;
    std::uint64_t memory = 0;  // reserved for it
    bool probe = false;        // of a quarantined task
    bool launched = false;     // the launcher has it
    bool canceling = false;
    std::string cancel_reason;
    std::optional<process::AttemptHandle> hooks;  // the child that calls its hooks, its own process having died
    store::AttemptEnd last;                       // … and what is recorded once that has ended
    bool owes_hooks = false;                      // its run does, from its end on
    bool announced = false;                       // one of the hooks that are told of its end was called
    std::optional<OpenWait> wait;
    bool parked = false;                     // it waits, and its slot and memory are others'
    bool evicted = false;                    // its run waits on without it
    store::Time entered_at{};                // its process was asked for
    std::vector<store::NewRun> children;     // to be created with its success
    std::vector<store::BatchItems> batches;  // … and these
    bool recorded = false;                   // its end is durable
    bool released = false;                   // its process is gone
    [[nodiscard]] bool keeps_children() const { return !children.empty() || !batches.empty(); }
  };

  // store::Listener, on the store's threads
  void on_ready() override;
  void on_due_changed() override;
  void on_run_changed(const store::RunId& run, store::RunStatus status) override;
  void on_version_free(const store::VersionId& version) override;
  void on_health(const store::Status& health) override;

  // process::AttemptObserver, on the core thread
  void on_started(process::AttemptHandle attempt, std::int32_t pid) override;
  void on_log(process::AttemptHandle attempt, store::LogEntry entry) override;
  void on_request(process::AttemptHandle attempt, process::AttemptRequest request) override;
  void on_hook(process::AttemptHandle attempt, process::HookSpan span) override;
  process::Judgement judge(process::AttemptHandle attempt, process::Provisional end) override;
  void on_result(process::AttemptHandle attempt, process::AttemptResult result) override;
  void on_released(process::AttemptHandle attempt) override;

  /// A callback for the store: takes its answer to the core thread, where `then` gets it unless the engine is gone.
  template <typename Then>
  auto on_core(Then then) {
    return [core = &core_, alive = std::weak_ptr(alive_), then](auto answer) {
      core->run([alive, then, answer = std::move(answer)]() mutable {
        if (!alive.expired()) then(std::move(answer));
      });
    };
  }

  // requests.cpp: what attempts ask
  void ask_metadata(process::AttemptHandle attempt, const Slot& slot, process::AttemptRequest request);
  void ask_tags(process::AttemptHandle attempt, const store::Run& run, const process::AttemptRequest& request);
  void ask_stream(process::AttemptHandle attempt, const Slot& slot, const process::AttemptRequest& request);
  void ask_trigger(process::AttemptHandle attempt, Slot& slot, process::AttemptRequest request);
  // batches.cpp
  void ask_batch(process::AttemptHandle attempt, Slot& slot, const process::AttemptRequest& request);
  void keep_for_success(process::AttemptHandle attempt, Slot& slot, std::uint64_t request, TriggerRequest child);
  /// Puts what was kept for a success into its end.
  static void bring_children(Slot& slot, store::AttemptEnd& end);
  // steps.cpp: what they have done for good
  void ask_recall(process::AttemptHandle attempt, const store::Run& run, const process::AttemptRequest& request);
  void ask_record(process::AttemptHandle attempt, const Slot& slot, process::AttemptRequest request);

  // token_requests.cpp
  void ask_token_create(process::AttemptHandle attempt, const Slot& slot, const process::AttemptRequest& request);
  void ask_token_complete(process::AttemptHandle attempt, const Slot& slot, process::AttemptRequest request);
  // adoption.cpp
  void adopt_survivors();
  bool adopt(const process::Survivor& survivor);
  [[nodiscard]] store::Duration executed(const store::Attempt& attempt) const;
  void recover(store::DoneStatus done);
  // waits.cpp
  void ask_wait(process::AttemptHandle attempt, Slot& slot, const process::AttemptRequest& request);
  void wait_began(process::AttemptHandle attempt, const AskedCall& asked, store::Result<store::WaitBegun> begun);
  void park(Slot& slot);
  void unpark(Slot& slot);
  void go_on(const store::Claim& claim);
  void answer_wait(process::AttemptHandle attempt, Slot& slot);
  OpenWait end_wait(process::AttemptHandle attempt, Slot& slot);
  void evict_later(process::AttemptHandle attempt, Slot& slot);
  void evict_due();
  void evict(process::AttemptHandle attempt, Slot& slot);
  void evicted(process::AttemptHandle attempt, Slot& slot);
  /// Slots that count against the host's concurrency.
  [[nodiscard]] std::size_t busy() const { return slots_.size() - parked_; }

  void declare_queues(const catalog::Snapshot& catalog);  // queues.cpp
  void dispatch();
  store::ClaimDecision decide(const store::Run& run, const catalog::Snapshot& catalog);
  store::ClaimDecision decide_going_on(const Slot& slot);
  bool room_for_process();
  bool reserve(const store::Machine& machine);
  void begin(store::Claim claim);
  [[nodiscard]] std::optional<store::Failure> payload_failure(const store::Claim& claim,
                                                              const catalog::Task& task) const;
  void fail_unstarted(process::AttemptHandle handle, store::Failure failure);
  /// All of the attempt's start but handle and payload.
  [[nodiscard]] process::AttemptSpec spec_of(const store::Claim& claim, const catalog::Task& task) const;
  [[nodiscard]] store::Result<AttemptStart> attempt_start_on_core(const store::RunId& run,
                                                                  std::optional<std::uint32_t> number) const;
  void note_schemas(const catalog::Snapshot& catalog);
  void put_back(const store::TaskId& task, const std::optional<store::VersionId>& version);
  void quarantine(const store::VersionId& version, const store::TaskId& task, catalog::Quarantine::Change change);
  void probe();
  void show_held();
  // last_words.cpp
  void last_words(process::AttemptHandle handle, store::AttemptEnd end, bool judged);
  static process::HookSet last_hooks(const Slot& slot, const store::AttemptEnd& end, bool judged);
  static bool owes_hooks(const Slot& slot, const store::AttemptEnd& end);
  process::Judgement judge_dead(process::AttemptHandle handle, process::Provisional said);
  void said_last(process::AttemptHandle handle, HookEnd words);
  void record(process::AttemptHandle handle, store::AttemptEnd end);
  void recorded(process::AttemptHandle handle, bool run_is_over);
  void leave(process::AttemptHandle handle);
  void wake();
  void tell_if_idle();
  [[nodiscard]] std::string config_of(const std::string& plugin) const;
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> configs_around(const catalog::Task& task) const;
  void write_logs();
  void write_events(Slot& slot);
  void write_soon();
  Judged judge_end(const Slot& slot, process::Provisional end, store::Time now, double random) const;
  static process::Judgement judgement_of(const Slot& slot);
  void apply_judged(Slot& slot, const std::optional<store::Failure>& died, store::AttemptEnd& end);
  void run_canceled(const store::Run& run);
  void clock_set();  // clock.cpp
  void cancel_in_bulk(const store::RunId& run, const std::string& reason, store::DoneStatus done);
  void replay_in_bulk(const store::RunId& original, const store::RunId& made, store::DoneStatus done);
  void cancel_on_core(const store::RunId& run, const std::string& reason, int tries,
                      const store::Done<store::Run>& done);
  void warn(const std::string& message) const;

  Core& core_;
  store::Store& store_;
  process::Launcher& launcher_;
  EngineOptions options_;
  std::shared_ptr<WatchHub> watchers_ = std::make_shared<WatchHub>();
  /// Guards against completions that arrive after the engine is gone.
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);

  mutable std::mutex catalog_mutex_;
  catalog::SnapshotPtr catalog_ = std::make_shared<const catalog::Snapshot>();
  std::vector<catalog::Held> held_;

  /// Held from reading the time until what it comes to is in the store, by who is not on the core thread; alone while
  /// the clock changes.
  std::shared_mutex clock_mutex_;

  // Core thread only.
  store::Time latest_{};  // the latest time that the clock showed before it was set
  std::unordered_map<process::AttemptHandle, Slot> slots_;
  /// By task: the schema that payloads are checked against when they are triggered, and since when. A run created later
  /// fits it; others are checked before they execute.
  struct Checked {
    std::string schema;
    store::Time since;
  };
  std::unordered_map<store::TaskId, Checked> checked_since_;
  std::unordered_map<store::RunId, process::AttemptHandle> slot_of_;
  std::vector<std::pair<process::AttemptHandle, store::AttemptEnd>> unrecorded_;  // until the store serves again
  std::set<std::string> disagreements_;  // of tasks on their queues, that people were told of
  process::AttemptHandle next_handle_ = 1;
  catalog::Control* control_ = nullptr;
  process::StackSource* stacks_ = nullptr;
  catalog::Quarantine quarantine_;
  std::unordered_map<store::RunId, std::pair<store::VersionId, store::TaskId>> probes_;  // admitted, not yet begun
  std::unique_ptr<Timer> probe_timer_;
  bool started_ = false;
  bool looked_for_survivors_ = false;
  std::vector<store::AdoptedAttempt> adopted_;
  std::size_t parked_ = 0;                                              // slots of runs that wait
  std::size_t kept_waits_ = 0;                                          // waits in a slot that was kept
  std::set<std::pair<store::Time, process::AttemptHandle>> evictions_;  // that are due then
  std::unique_ptr<Timer> evict_timer_;
  std::uint64_t reserved_ = 0;  // memory of the slots that are not parked, and of runs being claimed
  std::uint64_t claiming_memory_ = 0;
  std::size_t claiming_processes_ = 0;
  bool told_of_processes_ = false;  // that there may be no more of them
  bool claiming_ = false;
  bool claim_again_ = false;
  std::function<void()> idle_;
  std::mt19937_64 random_;
  std::unique_ptr<Timer> due_;
  std::unique_ptr<Timer> log_timer_;
  bool logs_waiting_ = false;
  HookChildren hook_children_;
  OwedHooks owed_hooks_;
  CanceledChildren canceled_children_;
  BulkActions bulk_actions_;
  Schedules schedules_;
  Retention retention_;
  Tokens tokens_;

  std::atomic<bool> dispatch_posted_{false}, due_posted_{false};
  std::atomic<std::size_t> executing_{0};
  std::atomic<std::uint64_t> reserved_now_{0};
  std::atomic<bool> short_of_memory_{false};  // the next run waits for memory
  std::atomic<std::uint64_t> attempts_started_{0}, attempts_failed_{0}, attempts_crashed_{0};
  std::atomic<bool> draining_{false};
};

}  // namespace perdure::engine
