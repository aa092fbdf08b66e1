// An engine without children: triggers go to a reference store, and the test says how runs go on. "The disk" is a
// thread that can be held, so that a test decides when things become durable. Any thread, except that hold() and
// release() are the test's.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "host/engine/engine.h"
#include "host/engine/schedules.h"
#include "host/engine/tokens.h"
#include "host/engine/watch_hub.h"
#include "store/memory/memory_store.h"
#include "tests/api/inline_core.h"

namespace perdure::api {

/// Runs what it is given on its own thread, in order, while it is not held.
class Disk {
 public:
  Disk();
  ~Disk();
  void run(std::function<void()> task);
  void hold();
  void release();
  /// Does what is left and ends.
  void stop();
  /// Waits until `count` tasks are waiting.
  void await_waiting(std::size_t count);

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool held_ = false;
  bool ended_ = false;
  std::thread thread_;
};

class FakeEngine final : public engine::Engine, private store::Listener {
 public:
  FakeEngine();
  ~FakeEngine() override;

  void trigger(engine::TriggerRequest request, store::Done<engine::Triggered> done) override;
  void create_batch(store::NewBatch batch, store::Done<store::Batch> done) override;
  void trigger_batch(engine::BatchRequest request, store::Done<store::Batch> done) override;
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
  std::unique_ptr<engine::Subscription> watch(const store::RunId& run, std::function<void()> changed) override;
  std::unique_ptr<engine::Subscription> watch_all(std::function<void(const store::RunId& run)> changed) override;
  catalog::SnapshotPtr catalog() const override;
  void roll_back(const std::string& plugin, const std::string& to, store::Done<catalog::PluginVersion> done) override;
  void release(const std::string& plugin, store::Done<std::vector<store::TaskId>> done) override;
  void attempt_start(const store::RunId& run, std::optional<std::uint32_t> number,
                     store::Done<engine::AttemptStart> done) override;
  void stacks(const store::RunId& run, store::Done<engine::RunStacks> done) override;
  engine::ScheduleControl& schedules() override { return schedules_; }
  engine::TokenControl& tokens() override { return tokens_; }
  engine::Variables& variables() override { return variables_; }
  std::vector<catalog::Held> held() const override;
  engine::EngineStatus status() const override;
  store::Store& store() override { return store_; }

  // ---- What a test does ------------------------------------------------------------------------------------------
  /// Replaces the catalog. At first it has the tasks "echo" and "team/report" of the plugin "demo".
  void set_catalog(catalog::Snapshot snapshot);
  /// Puts a task into quarantine.
  void hold(catalog::Held task);
  /// The newest trigger that arrived.
  engine::TriggerRequest last_trigger() const;
  std::size_t triggers() const;
  /// Triggers a run of `task` and waits until it is there.
  store::RunId make_run(const std::string& task = "echo", const std::function<void(store::NewRun&)>& change = {});
  /// Begins an attempt of the next ready run.
  store::Claim claim();
  /// Refuses every payload from now on.
  void refuse_payloads(schema::Fault fault) { fault_ = std::move(fault); }
  /// Ends it: with an output, or with a failure.
  void succeed(const store::Claim& claim, std::string output);
  void fail(const store::Claim& claim, store::Failure failure, store::AfterFailure after);
  void log(const store::RunId& run, const std::string& message);
  void append(const store::RunId& run, const std::string& stream, const std::string& chunk);
  /// How many watch() calls are in force, and waits until there are `count`.
  void await_watchers(std::size_t count);

  Disk disk;
  /// What every mutation, or synced() of a refusing store, answers; kOk: as usual.
  void break_store(store::Status status);

 private:
  struct Watch;
  class Watching;

  void on_ready() override {}
  void on_due_changed() override {}
  void on_run_changed(const store::RunId& run, store::RunStatus status) override;
  void on_health(const store::Status&) override {}
  void notify(const store::RunId& run);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  store::Status broken_;
  catalog::SnapshotPtr catalog_;
  std::vector<catalog::Held> held_;
  std::vector<std::shared_ptr<Watch>> watches_;
  const std::shared_ptr<engine::WatchHub> hub_ = std::make_shared<engine::WatchHub>();  // the real one, for watch_all()
  std::optional<engine::TriggerRequest> last_;
  std::size_t triggers_ = 0;
  store::MemoryStore store_;
  InlineCore core_;
  engine::Schedules schedules_;  // the real ones, which fire nothing by themselves: no timer ever fires
  engine::Tokens tokens_;        // the real ones, which remove nothing
  engine::Variables variables_;
  std::optional<schema::Fault> fault_;
};

}  // namespace perdure::api
