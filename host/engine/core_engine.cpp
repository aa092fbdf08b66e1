// Starting, offering, claiming and ending: the engine's own life. attempts.cpp has the attempts', triggering.cpp what
// clients ask for.
#include "host/engine/core_engine.h"

#include <set>
#include <utility>

#include "host/engine/attempt_context.h"

namespace perdure::engine {

CoreEngine::CoreEngine(Core& core, store::Store& store, process::Launcher& launcher, EngineOptions options)
    : core_(core),
      store_(store),
      launcher_(launcher),
      options_(std::move(options)),
      quarantine_(options_.quarantine),
      probe_timer_(core.timer([this] { probe(); })),
      evict_timer_(core.timer([this] { evict_due(); })),
      random_(options_.seed != 0 ? options_.seed : std::random_device{}()),
      due_(core.timer([this] { wake(); })),
      log_timer_(core.timer([this] { write_logs(); })),
      hook_children_(core, store, launcher, [this] { return next_handle_++; }),
      owed_hooks_(
          core, store, hook_children_,
          {.catalog = [this] { return catalog(); },
           .spec_of = [this](const store::Claim& claim, const catalog::Task& task) { return spec_of(claim, task); },
           .warn = [this](const std::string& message) { warn(message); },
           .changed = [watchers = watchers_](const store::RunId& run) { watchers->tell(run); },
           .idle = [this] { tell_if_idle(); }}),
      canceled_children_(core, store,
                         [this](const store::RunId& run, const std::string& reason) {
                           cancel(run, reason, [](const store::Result<store::Run>&) {});
                         }),
      bulk_actions_(core, store,
                    {.cancel = [this](const store::RunId& run, const std::string& reason,
                                      store::DoneStatus done) { cancel_in_bulk(run, reason, std::move(done)); },
                     .replay = [this](const store::RunId& run, const store::RunId& made,
                                      store::DoneStatus done) { replay_in_bulk(run, made, std::move(done)); }}),
      schedules_(core, store,
                 {.catalog = [this] { return catalog(); },
                  .cancel = [this](const store::RunId& run,
                                   const std::string& reason) { cancel(run, reason, [](const auto&) {}); },
                  .warn = [this](const std::string& message) { warn(message); }}),
      retention_(core, store, options_.retention),
      tokens_(core, store, options_.retention.tokens) {
  store_.listen(this);
}

CoreEngine::~CoreEngine() {
  core_.on_clock_set({});
  store_.listen(nullptr);
}

void CoreEngine::start(store::DoneStatus done) {
  core_.on_clock_set([this] { clock_set(); });
  core_.adopt_clock();  // it may have been set since the core was made
  store_.clock_is(core_.clock(), [](const store::Result<store::Duration>&) {});  // recover() fails too when it does
  if (looked_for_survivors_) return recover(std::move(done));
  looked_for_survivors_ = true;
  adopt_survivors();
  // No run may be claimed again while something of an earlier attempt of it executes.
  launcher_.end_survivors([this, alive = std::weak_ptr(alive_), done = std::move(done)]() mutable {
    if (!alive.expired()) recover(std::move(done));
  });
}

void CoreEngine::recover(store::DoneStatus done) {
  store_.recover(core_.now(), adopted_,
                 on_core([this, done = std::move(done)](const store::Result<std::size_t>& recovered) {
                   if (!recovered) return done(recovered.status());
                   if (*recovered > 0) {
                     warn(std::to_string(*recovered) +
                          " attempts were executing when the host before this one ended; "
                          "their runs are queued again.");
                   }
                   started_ = true;
                   due_->set(store_.next_due());
                   done({});
                   owed_hooks_.start();
                   canceled_children_.start();
                   bulk_actions_.start();
                   schedules_.start();
                   retention_.start();
                   tokens_.start();
                   dispatch();
                 }));
}

void CoreEngine::offer(catalog::SnapshotPtr catalog) {
  std::set<store::TaskId> fresh;  // runs of these may start now and could not before
  const catalog::SnapshotPtr before = this->catalog();
  for (const auto& [id, task] : catalog->tasks) {
    const auto offered = before->tasks.find(id);
    if (offered == before->tasks.end() || offered->second.version != task.version) fresh.insert(id);
  }
  declare_queues(*catalog);
  for (const auto& [version, tasks] : catalog->versions) {
    if (before->versions.contains(version)) continue;
    for (const auto& [id, task] : *tasks) fresh.insert(id);
  }
  for (const auto& [version, tasks] : before->versions) {
    if (!catalog->versions.contains(version)) quarantine_.forget(version);
  }
  {
    const std::lock_guard lock(catalog_mutex_);
    catalog_ = catalog;
  }
  note_schemas(*catalog);
  show_held();
  owed_hooks_.look_again();
  bulk_actions_.try_again();
  schedules_.offered();
  if (fresh.empty()) return;
  store_.release({fresh.begin(), fresh.end()}, core_.now(),
                 [](const store::Result<std::size_t>&) {});  // on_ready says what came of it
  for (const store::TaskId& task : fresh) put_back(task, std::nullopt);
}

void CoreEngine::drain(std::function<void()> idle) {
  draining_ = true;
  idle_ = std::move(idle);
  owed_hooks_.stop();
  bulk_actions_.stop();
  schedules_.stop();
  retention_.stop();
  tokens_.stop();
  tell_if_idle();
}

void CoreEngine::tell_if_idle() {
  if (draining_ && slots_.empty() && owed_hooks_.idle() && idle_) std::exchange(idle_, nullptr)();
}

std::string CoreEngine::config_of(const std::string& plugin) const {
  const auto config = options_.plugin_config.find(plugin);
  return config == options_.plugin_config.end() ? std::string() : config->second;
}

std::vector<std::pair<std::string, std::string>> CoreEngine::configs_around(const catalog::Task& task) const {
  std::vector<std::pair<std::string, std::string>> configs;
  for (const std::string& plugin : task.surrounded_by) {
    if (std::string config = config_of(plugin); !config.empty()) configs.emplace_back(plugin, std::move(config));
  }
  return configs;
}

catalog::SnapshotPtr CoreEngine::catalog() const {
  const std::lock_guard lock(catalog_mutex_);
  return catalog_;
}

EngineStatus CoreEngine::status() const {
  return {.executing = executing_,
          .concurrency = options_.concurrency,
          .attempts_started = attempts_started_,
          .attempts_failed = attempts_failed_,
          .attempts_crashed = attempts_crashed_,
          .draining = draining_,
          .memory = options_.memory,
          .memory_reserved = reserved_now_,
          .short_of_memory = short_of_memory_,
          .default_machine = options_.defaults.machine};
}

std::unique_ptr<Subscription> CoreEngine::watch_all(std::function<void(const store::RunId&)> changed) {
  return watchers_->watch_all(std::move(changed));
}

std::unique_ptr<Subscription> CoreEngine::watch(const store::RunId& run, std::function<void()> changed) {
  return watchers_->watch(run, std::move(changed));
}

void CoreEngine::on_ready() {
  if (dispatch_posted_.exchange(true)) return;
  core_.post([this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    dispatch_posted_ = false;
    dispatch();
  });
}

void CoreEngine::on_due_changed() {
  if (due_posted_.exchange(true)) return;
  core_.post([this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    due_posted_ = false;
    if (started_) due_->set(store_.next_due());
  });
}

void CoreEngine::on_run_changed(const store::RunId& run, store::RunStatus status) {
  watchers_->tell(run);
  schedules_.run_changed(run, status);
}

void CoreEngine::on_version_free(const store::VersionId& version) {
  core_.post([this, alive = std::weak_ptr(alive_), version] {
    if (!alive.expired() && options_.version_free) options_.version_free(version);
  });
}

void CoreEngine::on_health(const store::Status& health) {
  core_.post([this, alive = std::weak_ptr(alive_), health] {
    if (alive.expired()) return;
    if (!health) return warn("The store refuses changes for now: " + health.message());
    warn("The store serves again.");
    for (auto& [handle, end] : std::exchange(unrecorded_, {})) record(handle, std::move(end));
    if (started_) due_->set(store_.next_due());
    owed_hooks_.store_serves();
    canceled_children_.look();
    bulk_actions_.try_again();
    schedules_.store_serves();
    retention_.store_serves();
    dispatch();
  });
}

void CoreEngine::wake() {
  store_.wake_due(core_.now(), on_core([this](const store::Result<std::size_t>& woken) {
                    if (woken) due_->set(store_.next_due());  // else on_health() sets the timer again
                    owed_hooks_.notice();
                  }));
}

void CoreEngine::dispatch() {
  if (!started_ || draining_ || !store_.health()) return;
  if (claiming_) {
    claim_again_ = true;
    return;
  }
  const std::size_t room = options_.concurrency - std::min(options_.concurrency, busy());
  if (room == 0 && kept_waits_ == 0) return;
  claiming_ = true;
  short_of_memory_ = false;
  const catalog::SnapshotPtr catalog = this->catalog();
  store_.claim(
      room, core_.now(), [this, &catalog](const store::Run& run) { return decide(run, *catalog); },
      on_core([this](store::Result<std::vector<store::Claim>> claims) {
        claiming_ = false;
        reserved_ -= std::exchange(claiming_memory_, 0);  // of those that began their slots have it
        claiming_processes_ = 0;
        if (claims) {
          for (store::Claim& claim : *claims) begin(std::move(claim));
        }
        for (const auto& [run, probed] : std::exchange(probes_, {})) {  // claimed, but the store failed
          quarantine(probed.first, probed.second, quarantine_.abandoned(probed.first, probed.second));
        }
        if (std::exchange(claim_again_, false)) dispatch();
      }));
}

// A run starts on the version that serves its task, and keeps that one for its retries.
store::ClaimDecision CoreEngine::decide(const store::Run& run, const catalog::Snapshot& catalog) {
  if (run.status == store::RunStatus::kWaiting) {
    if (const auto slot = slot_of_.find(run.id); slot != slot_of_.end())
      return decide_going_on(slots_.at(slot->second));
  }
  const auto offered = catalog.tasks.find(run.task);
  const catalog::Task* newest = offered == catalog.tasks.end() ? nullptr : &offered->second;
  const catalog::Task* task = run.version.empty() ? newest : catalog.find(run.version, run.task);
  if (newest != nullptr && newest->options.latest_version) task = newest;
  if (task == nullptr) return store::Hold{};
  // A version in quarantine binds nobody once there is another.
  if (newest != nullptr && task != newest && quarantine_.holds(task->version, run.task)) task = newest;
  if (!quarantine_.admit(task->version, run.task)) return store::SetAside{task->version};
  if (quarantine_.holds(task->version, run.task)) probes_[run.id] = {task->version, run.task};
  const store::Machine machine = machine_of(run, task->options, options_.defaults);
  if (!room_for_process() || !reserve(machine)) return store::NotNow{};
  ++claiming_processes_;
  return store::StartOn{task->version, machine_text(machine)};
}

// Its process is there, and has a version and a machine.
store::ClaimDecision CoreEngine::decide_going_on(const Slot& slot) {
  store::Machine machine;
  machine.memory = slot.memory;
  if (slot.parked && !reserve(machine)) return store::NotNow{};
  return store::StartOn{slot.attempt.version, {}};
}

// Whether one more process may be had. Those of runs that wait are many where waits are long and nothing evicts them,
// and to run out of descriptors would cost the life of others.
bool CoreEngine::room_for_process() {
  const std::size_t there = slots_.size() + claiming_processes_;
  if (there < options_.processes / 2) told_of_processes_ = false;
  if (there < options_.processes) return true;
  if (!std::exchange(told_of_processes_, true)) {
    warn(std::to_string(there) + " attempts have a process, most of which wait, and the host has no descriptors for " +
         "more: other runs stay queued until one ends. Raise the hard limit of open files (ulimit -Hn, systemd: " +
         "LimitNOFILE), or let tasks wait without a process (evict_waits_after).");
  }
  return false;
}

// Whether there is memory for an attempt on `machine`, which is reserved then. One that can never have enough is let
// through, to fail in words.
bool CoreEngine::reserve(const store::Machine& machine) {
  if (machine.memory > options_.memory) return true;
  if (machine.memory > options_.memory - std::min(reserved_, options_.memory)) {
    short_of_memory_ = true;
    return false;
  }
  reserved_ += machine.memory;
  claiming_memory_ += machine.memory;
  return true;
}

void CoreEngine::warn(const std::string& message) const {
  if (options_.warn) options_.warn(message);
}

}  // namespace perdure::engine
