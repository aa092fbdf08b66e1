// Calling a function of the plugin: with an attempt of its own, and so that whatever leaves it becomes a status with an
// error. The one place where the runtime enters the plugin's code.
#pragma once

#include <perdure/plugin.h>

#include <string_view>

#include "host/protocol/message.h"
#include "host/zygote/attempt_state.h"

namespace perdure::zygote {

/// Either a task function or, with `next`, a middleware.
struct Callee {
  perdure_task_fn function = nullptr;
  perdure_middleware_fn middleware = nullptr;
  const perdure_next* next = nullptr;
  void* user = nullptr;
  Guest* guest = nullptr;  // whose function it is; null: the task's own plugin's
  protocol::Caller caller = protocol::Caller::kRun;
  std::string_view what = "the task";  // begins the error of one that explains nothing
  std::string_view event{};            // JSON, of hooks
  std::string_view init{};             // JSON
};

/// What a function returned and said. An error is there exactly when the status is not PERDURE_OK, but for catch_error,
/// which may give another error with it.
struct Ended {
  perdure_status status = PERDURE_OK;
  Said said;
};

/// Calls it on this thread; `attempt` is what all functions of the attempt are given alike. When the function ends the
/// attempt's thread (pthread_exit), says so to the host and leaves the process.
Ended call_plugin(AttemptState& state, const perdure_attempt& attempt, const Callee& callee);

/// How an attempt ends that ended so.
protocol::Outcome outcome_of(perdure_status status);

}  // namespace perdure::zygote
