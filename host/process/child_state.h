// The states of a child process as the host sees them: one table, state x event -> state. The child's link asks it and
// nothing else decides what may happen when. Pure; any thread.
//
//   kForking ──kBorn──► kExecuting ──kOutcome──► kFinished ──kConfirmed──► kLeaving ──kDied──► kDead
//   kIdle ──kGiven──►      │  ▲                     └──kRecycled──► kIdle
//                      kCrash └ (never back)
//                          ▼
//                      kCrashing          every live state ──kViolation──► kLeaving, ──kDied──► kDead
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace perdure::process {

enum class ChildState : std::uint8_t {
  kForking,    // asked of the zygote; its first attempt is already in its socket
  kIdle,       // waits for an attempt: forked ahead, or recycled
  kExecuting,  // runs an attempt
  kCrashing,   // sits in its crash handler while its backtrace is taken
  kFinished,   // has said its outcome and waits until that is recorded
  kLeaving,    // nothing is expected of it any more but its end
  kDead,
};
inline constexpr std::size_t kChildStateCount = static_cast<std::size_t>(ChildState::kDead) + 1;

enum class ChildEvent : std::uint8_t {
  kBorn,       // the zygote says that it runs
  kGiven,      // an attempt was sent to it
  kOutcome,    // it said how its attempt ended
  kCrash,      // it says that a fatal signal hit it
  kLog,        // it logged a line, or sent a heartbeat
  kRequest,    // it asked the host something
  kConfirmed,  // it was told to leave
  kRecycled,   // it was told to wait for another attempt
  kViolation,  // it said what it must not, or is to be killed for another reason
  kDied,       // the zygote says so
};
inline constexpr std::size_t kChildEventCount = static_cast<std::size_t>(ChildEvent::kDied) + 1;

/// The state after `event`, or nullopt where the event is not allowed.
std::optional<ChildState> next_state(ChildState state, ChildEvent event);

}  // namespace perdure::process
