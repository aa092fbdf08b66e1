// What a run waits for: a time, other runs, tokens, or several of these, of which all must come or any. A wait is one
// of the run's durable calls (call.h). Values and pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/model/ids.h"
#include "store/model/status.h"

namespace perdure::store {

/// Numbers are stored: append only.
enum class WaitpointKind : std::uint8_t {
  kTime = 1,   // the wait's own time, of which it has one: see Run::ready_at
  kRun = 2,    // a run is over
  kToken = 3,  // a waitpoint token is completed or timed out
};

struct Waitpoint {
  WaitpointKind kind = WaitpointKind::kTime;
  RunId run = {};      // of kRun
  TokenId token = {};  // of kToken
  bool operator==(const Waitpoint&) const = default;
};

/// Numbers are stored: append only.
enum class WaitMode : std::uint8_t { kAll = 1, kAny = 2 };

struct Wait {
  std::uint64_t call = 0;  // which of the run's durable calls it is
  WaitMode mode = WaitMode::kAll;
  std::vector<Waitpoint> members;
  /// The run keeps its slot meanwhile, since it is known not to take long.
  bool keeps_slot = false;
  /// No process waits: the one that did has left, and another enters the task anew once the wait is over.
  bool evicted = false;
  /// Of kAny: which member came first, once the wait is over and was answered.
  std::optional<std::uint32_t> first;
  bool operator==(const Wait&) const = default;
};

/// A wait that is known to be shorter keeps its slot.
inline constexpr Duration kShortWait = std::chrono::seconds(5);
inline constexpr std::size_t kMostWaitpoints = 1000;
inline constexpr std::size_t kLongestWaitName = 256;  // bytes

/// kInvalid unless a wait may be for these, under this name.
Status check_wait(std::string_view name, const Wait& wait, bool has_time);

/// What the timeline says of a wait that begins: {"name","mode","runs":[ids, the first few],"tokens":[…],
/// "count","until"}.
std::string wait_event_data(std::string_view name, const Wait& wait, std::optional<Time> until);

}  // namespace perdure::store
