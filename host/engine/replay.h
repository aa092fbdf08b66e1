// What a run was triggered with, to be triggered again. A pure function; any thread.
#pragma once

#include <string>
#include <utility>

#include "host/engine/engine.h"
#include "store/model/run.h"

namespace perdure::engine {

/// A request for a run like `run`, which it names as its origin: with `payload` and the same options, but for its
/// idempotency key, its delay and its place among other runs. It begins on the task's newest version.
inline TriggerRequest replay_of(const store::Run& run, std::string payload) {
  TriggerRequest request;
  request.task = run.task;
  request.payload = std::move(payload);
  request.options = run.options;
  request.options.idempotency_key.clear();
  request.options.idempotency_shown.clear();
  request.queue = run.queue;
  request.concurrency_key = run.concurrency_key;
  request.priority = run.priority;
  request.origin = run.id;
  return request;
}

}  // namespace perdure::engine
