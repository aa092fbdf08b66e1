// What clients ask of the engine: a new run, or an end to one.
#include <utility>

#include "host/engine/core_engine.h"
#include "host/engine/payload_check.h"
#include "host/engine/replay.h"

namespace perdure::engine {

namespace {

// A cancellation may meet a run on its way between queue and attempt; it is looked at again this often.
constexpr int kCancelTries = 8;

}  // namespace

void CoreEngine::trigger(TriggerRequest request, store::Done<Triggered> done) {
  if (draining_ && request.call == 0) {  // attempts that go on may still trigger
    return done(store::Status::unavailable("The host is stopping and takes no new runs; trigger again in a moment."));
  }
  const std::shared_lock by_this_clock(clock_mutex_);
  const store::Time now = core_.now();  // before the catalog is read: see checked_since_
  const catalog::SnapshotPtr offered = catalog();
  const auto found = offered->tasks.find(request.task);
  const catalog::Task* task = found == offered->tasks.end() ? nullptr : &found->second;
  if (task == nullptr && !request.allow_pending && !offered->known->contains(request.task)) {
    if (!offered->loaded) {
      return done(store::Status::unavailable("The host is still loading its plugins; trigger again in a moment."));
    }
    return done(store::Status::not_found("No loaded plugin offers the task '" + request.task.text() +
                                         "'; `perdure tasks list` shows those there are, `perdure plugins list` why a "
                                         "plugin is missing."));
  }
  if (task != nullptr) {
    if (std::optional<schema::Fault> fault = payload_fault(*task, request.payload)) {
      const std::string sentence = refusal_of(*task, *fault);
      if (request.fault != nullptr) *request.fault = std::move(*fault);
      return done(store::Status::invalid(sentence));
    }
  }
  store::NewRun run;
  if (!request.parent.empty()) {
    const store::Result<store::Run> parent = store_.run(request.parent);
    if (!parent) return done(parent.status());
    run.root = parent->root.empty() ? parent->id : parent->root;
    run.depth = parent->depth + 1;
    run.parent = std::move(request.parent);
    run.call = request.call;
  }
  run.now = store::time_in(request.id).value_or(now);
  run.id = request.id.empty() ? store::new_run_id(now) : std::move(request.id);
  run.queue = store::own_queue(request.task);
  if (task != nullptr && !task->options.queue.empty()) run.queue = task->options.queue;
  if (request.queue) run.queue = *request.queue;
  run.queue_limit = request.queue_limit;
  run.task = std::move(request.task);
  run.concurrency_key = std::move(request.concurrency_key);
  run.priority = request.priority;
  run.delayed_until = request.delay ? run.now + *request.delay : request.delayed_until;
  run.calendar = !request.delay && request.delayed_until;
  run.origin = request.origin.text();
  if (request.debounce) {
    run.delayed_until = run.now + request.debounce->delay;
    run.calendar = false;
    run.debounce = std::move(request.debounce);
  }
  run.pending_version = task == nullptr;
  run.options = std::move(request.options);
  if (!run.options.ttl && task != nullptr) run.options.ttl = task->options.ttl;
  run.version = std::move(request.version);
  run.payload = std::move(request.payload);
  run.request_id = std::move(request.request_id);
  if (request.idempotency_ttl) run.idempotency_ttl = *request.idempotency_ttl;
  store_.enqueue(std::move(run), [done = std::move(done)](const store::Result<store::Enqueued>& enqueued) {
    if (!enqueued) return done(enqueued.status());
    done(Triggered{enqueued->id, enqueued->existing && !enqueued->same_request});
  });
}

void CoreEngine::begin_bulk_action(store::BulkAction action, store::Done<store::BulkActionId> done) {
  core_.run([this, alive = std::weak_ptr(alive_), action = std::move(action), done = std::move(done)]() mutable {
    if (alive.expired()) return done(store::Status::unavailable("The host is stopping."));
    bulk_actions_.begin(std::move(action), std::move(done));
  });
}

void CoreEngine::abort_bulk_action(const store::BulkActionId& action, store::Done<store::BulkActionId> done) {
  core_.run([this, alive = std::weak_ptr(alive_), action, done = std::move(done)] {
    if (alive.expired()) return done(store::Status::unavailable("The host is stopping."));
    bulk_actions_.abort(action, done);
  });
}

// A run that exists already was made when the action was at it before.
void CoreEngine::replay_in_bulk(const store::RunId& original, const store::RunId& made, store::DoneStatus done) {
  const store::Result<store::Run> run = store_.run(original);
  store::Result<std::string> payload = run ? store_.payload(original) : run.status();
  if (!payload) return done(payload.status());
  TriggerRequest request = replay_of(*run, std::move(*payload));
  request.id = made;
  trigger(std::move(request), [done = std::move(done)](const store::Result<Triggered>& triggered) {
    done(triggered.status().code() == store::Code::kConflict ? store::Status::ok() : triggered.status());
  });
}

void CoreEngine::cancel_in_bulk(const store::RunId& run, const std::string& reason, store::DoneStatus done) {
  cancel(run, reason, [run, done = std::move(done)](const store::Result<store::Run>& canceled) {
    if (!canceled) return done(canceled.status());
    const bool over = store::is_final(canceled->status) && canceled->status != store::RunStatus::kCanceled;
    done(over ? store::Status::conflict("run " + run.text() + " had ended") : store::Status::ok());
  });
}

void CoreEngine::reschedule(const store::RunId& run, const store::Delay& delay, store::Done<store::Run> done) {
  core_.run([this, alive = std::weak_ptr(alive_), run, delay, done = std::move(done)] {
    if (alive.expired()) return done(store::Status::unavailable("The host is stopping."));
    const store::Time now = core_.now();
    store_.reschedule(run, store::end_of(delay, now), store::is_calendar(delay), now, done);
  });
}

void CoreEngine::reset_idempotency_key(const store::TaskId& task, const std::string& key,
                                       store::Done<store::RunId> done) {
  store_.reset_idempotency_key(task, key, core_.now(), std::move(done));
}

void CoreEngine::change_metadata(const store::RunId& run, std::vector<store::MetadataOperation> operations,
                                 store::Done<std::string> done) {
  store_.change_metadata(run, std::move(operations),
                         [&store = store_, watchers = watchers_, run, done](const store::Status& changed) {
                           if (!changed) return done(changed);
                           watchers->tell(run);
                           store::Result<std::string> metadata = store.metadata(run);
                           store.synced([metadata = std::move(metadata), done](const store::Status& durable) {
                             done(durable ? metadata : store::Result<std::string>(durable));
                           });
                         });
}

void CoreEngine::add_tags(const store::RunId& run, const std::vector<std::string>& tags,
                          store::Done<std::size_t> done) {
  store_.add_tags(run, tags,
                  [&store = store_, watchers = watchers_, run, done](const store::Result<std::size_t>& added) {
                    if (!added) return done(added);
                    watchers->tell(run);
                    store.synced([count = *added, done](const store::Status& durable) {
                      done(durable ? store::Result<std::size_t>(count) : store::Result<std::size_t>(durable));
                    });
                  });
}

void CoreEngine::cancel(const store::RunId& run, const std::string& reason, store::Done<store::Run> done) {
  core_.run([this, alive = std::weak_ptr(alive_), run, reason, done = std::move(done)] {
    if (alive.expired()) return done(store::Status::unavailable("The host is stopping."));
    cancel_on_core(run, reason, kCancelTries, done);
  });
}

void CoreEngine::run_canceled(const store::Run& run) {
  if (run.status != store::RunStatus::kCanceled) return;
  canceled_children_.look();
  canceled_children_.ended(run);
}

void CoreEngine::cancel_on_core(const store::RunId& run, const std::string& reason, int tries,
                                const store::Done<store::Run>& done) {
  const auto executing = slot_of_.find(run);
  if (executing != slot_of_.end()) {
    Slot& slot = slots_.at(executing->second);
    if (!std::exchange(slot.canceling, true)) {
      slot.cancel_reason = reason;
      if (slot.launched) launcher_.stop(executing->second, process::StopReason::kCanceled, reason);
      if (slot.hooks) hook_children_.stop(*slot.hooks);
    }
    return done(store_.run(run));
  }
  store_.cancel(run, core_.now(), reason,
                [this, core = &core_, alive = std::weak_ptr(alive_), run, reason, tries,
                 done](store::Result<store::Run> canceled) {
                  if (canceled.status().code() != store::Code::kConflict || tries <= 1) {
                    core->post([this, alive, ended = canceled ? *canceled : store::Run{}] {
                      if (alive.expired()) return;
                      owed_hooks_.notice();
                      run_canceled(ended);
                    });
                    return done(std::move(canceled));
                  }
                  core->post([this, alive, run, reason, tries, done] {
                    if (alive.expired()) return done(store::Status::unavailable("The host is stopping."));
                    cancel_on_core(run, reason, tries - 1, done);
                  });
                });
}

}  // namespace perdure::engine
