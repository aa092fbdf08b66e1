// One execution of a hook, told to the host when it begins and when it ends: the host bounds its time by that, and
// shows it on the run's timeline. Any thread.
#pragma once

#include <chrono>
#include <string_view>

#include "host/zygote/attempt_state.h"

namespace perdure::zygote {

/// Whose hook it is.
enum class Scope : std::uint8_t { kGlobal, kPlugin, kTask };

class HookSpan {
 public:
  /// Tells its beginning. `hook` is the member's name in perdure_hooks.
  HookSpan(AttemptState& state, std::string_view hook, Scope scope);
  HookSpan(const HookSpan&) = delete;
  HookSpan& operator=(const HookSpan&) = delete;

  /// Tells its end. `error` is JSON, empty when it has none; `ignored`: the error does the attempt no harm.
  void end(std::string_view error, bool ignored);

 private:
  AttemptState& state_;
  const std::string_view hook_;
  const Scope scope_;
  const std::uint64_t id_;
  const std::uint64_t started_at_;  // ms since the epoch
  const std::chrono::steady_clock::time_point started_;
};

}  // namespace perdure::zygote
