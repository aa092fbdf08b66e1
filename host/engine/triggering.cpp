// What clients ask of the engine: a new run, or an end to one.
#include <utility>

#include "host/engine/core_engine.h"

namespace perdure::engine {

namespace {

// A cancellation may meet a run on its way between queue and attempt; it is looked at again this often.
constexpr int kCancelTries = 8;

}  // namespace

void CoreEngine::trigger(TriggerRequest request, store::Done<Triggered> done) {
  if (draining_) {
    return done(store::Status::unavailable("The host is stopping and takes no new runs; trigger again in a moment."));
  }
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
  store::NewRun run;
  run.now = core_.now();
  run.id = store::new_run_id(run.now);
  run.queue = store::QueueName("task/" + request.task.text());
  if (task != nullptr && !task->options.queue.empty()) run.queue = task->options.queue;
  if (request.queue) run.queue = *request.queue;
  run.task = std::move(request.task);
  run.concurrency_key = std::move(request.concurrency_key);
  run.priority = request.priority;
  run.delayed_until = request.delayed_until;
  run.pending_version = task == nullptr;
  run.options = std::move(request.options);
  if (!run.options.ttl && task != nullptr) run.options.ttl = task->options.ttl;
  run.payload = std::move(request.payload);
  run.request_id = std::move(request.request_id);
  if (request.idempotency_ttl) run.idempotency_ttl = *request.idempotency_ttl;
  store_.enqueue(std::move(run), [done = std::move(done)](const store::Result<store::Enqueued>& enqueued) {
    if (!enqueued) return done(enqueued.status());
    done(Triggered{enqueued->id, enqueued->existing && !enqueued->same_request});
  });
}

void CoreEngine::cancel(const store::RunId& run, const std::string& reason, store::Done<store::Run> done) {
  core_.run([this, alive = std::weak_ptr(alive_), run, reason, done = std::move(done)] {
    if (alive.expired()) return done(store::Status::unavailable("The host is stopping."));
    cancel_on_core(run, reason, kCancelTries, done);
  });
}

void CoreEngine::cancel_on_core(const store::RunId& run, const std::string& reason, int tries,
                                const store::Done<store::Run>& done) {
  const auto executing = slot_of_.find(run);
  if (executing != slot_of_.end()) {
    Slot& slot = slots_.at(executing->second);
    if (!std::exchange(slot.canceling, true) && slot.task != nullptr) {
      launcher_.stop(executing->second, process::StopReason::kCanceled, reason);
    }
    return done(store_.run(run));
  }
  store_.cancel(run, core_.now(), reason,
                [this, core = &core_, alive = std::weak_ptr(alive_), run, reason, tries,
                 done](store::Result<store::Run> canceled) {
                  if (canceled.status().code() != store::Code::kConflict || tries <= 1)
                    return done(std::move(canceled));
                  core->post([this, alive, run, reason, tries, done] {
                    if (alive.expired()) return done(store::Status::unavailable("The host is stopping."));
                    cancel_on_core(run, reason, tries - 1, done);
                  });
                });
}

}  // namespace perdure::engine
