// The state machine of a run: one table, status x event -> status. Every engine asks it and nothing else decides what
// is legal. A test asserts that every pair is listed and that the diagram in store/README.md is drawn from it. Pure
// functions; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "store/model/run.h"

namespace perdure::store {

enum class RunEvent : std::uint8_t {
  kHeld,            // no loaded plugin offers the task
  kReleased,        // a plugin offers it (again)
  kDue,             // the delay or backoff is over
  kClaimed,         // a host took it
  kAttemptStarted,  // its attempt executes
  kSucceeded,       // the attempt returned a value
  kRetryNow,        // the attempt failed and is retried without backoff
  kRetryLater,      // the attempt failed and is retried after a backoff
  kFailed,          // … and is not retried
  kCrashed,
  kTimedOut,
  kGaveUp,    // the host's own fault, too often
  kHostLost,  // the host or the machine died under the attempt
  kWaitBegan,
  kResumed,  // the wait is over, and the run has a slot (again)
  kCanceled,
  kExpired,
};
inline constexpr std::size_t kRunEventCount = static_cast<std::size_t>(RunEvent::kExpired) + 1;
inline constexpr std::size_t kRunStatusCount = static_cast<std::size_t>(RunStatus::kExpired);

std::string_view event_name(RunEvent event);  // "attempt_started", ... as on the timeline

/// The status after `event` happened to a run in `status`, or nullopt where that is illegal.
std::optional<RunStatus> transition(RunStatus status, RunEvent event);

}  // namespace perdure::store
