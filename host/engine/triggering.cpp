// What clients ask of the engine: a new run, or an end to one.
#include <utility>

#include "host/engine/core_engine.h"
#include "host/engine/new_run.h"
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
  const store::Result<Line> line = line_below(store_, request.parent);
  if (!line) return done(line.status());
  const std::uint64_t call = request.parent.empty() ? 0 : request.call;
  store::Result<store::NewRun> run = new_run_of(std::move(request), *offered, now);
  if (!run) return done(run.status());
  line->put(*run);
  run->call = call;
  store_.enqueue(std::move(*run), [done = std::move(done)](const store::Result<store::Enqueued>& enqueued) {
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
