#include "host/engine/new_run.h"

#include <utility>

#include "host/engine/payload_check.h"

namespace perdure::engine {
namespace {

store::Status nobody_offers(const store::TaskId& task, const catalog::Snapshot& offered) {
  if (!offered.loaded) {
    return store::Status::unavailable("The host is still loading its plugins; trigger again in a moment.");
  }
  return store::Status::not_found("No loaded plugin offers the task '" + task.text() +
                                  "'; `perdure tasks list` shows those there are, `perdure plugins list` why a "
                                  "plugin is missing.");
}

}  // namespace

store::Result<store::NewRun> new_run_of(TriggerRequest request, const catalog::Snapshot& offered, store::Time now) {
  const auto found = offered.tasks.find(request.task);
  const catalog::Task* task = found == offered.tasks.end() ? nullptr : &found->second;
  if (task == nullptr && !request.allow_pending && !offered.known->contains(request.task)) {
    return nobody_offers(request.task, offered);
  }
  if (task != nullptr) {
    if (std::optional<schema::Fault> fault = payload_fault(*task, request.payload)) {
      const std::string sentence = refusal_of(*task, *fault);
      if (request.fault != nullptr) *request.fault = std::move(*fault);
      return store::Status::invalid(sentence);
    }
  }
  store::NewRun run;
  run.now = store::time_in(request.id).value_or(now);
  run.id = request.id.empty() ? store::new_run_id(now) : std::move(request.id);
  if (request.queue) {
    run.queue = std::move(*request.queue);
  } else if (task != nullptr && !task->options.queue.empty()) {
    run.queue = task->options.queue;
  } else {
    run.queue = store::own_queue(request.task);
  }
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
  run.permit = std::move(request.permit);
  run.permit_expires = request.permit_expires;
  if (request.idempotency_ttl) run.idempotency_ttl = *request.idempotency_ttl;
  return run;
}

void Line::put(store::NewRun& child) const {
  child.parent = parent;
  child.root = root;
  child.depth = depth;
}

store::Result<Line> line_below(const store::Store& store, const store::RunId& parent) {
  if (parent.empty()) return Line{};
  const store::Result<store::Run> above = store.run(parent);
  if (!above) return above.status();
  return Line{parent, above->root.empty() ? above->id : above->root, above->depth + 1};
}

}  // namespace perdure::engine
