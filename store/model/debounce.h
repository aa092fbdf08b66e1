// Debouncing: triggers of a task under one key that come close together make one run, which starts once no other has
// come for a while. Values and pure functions; any thread.
#pragma once

#include <optional>
#include <string>

#include "store/model/ids.h"
#include "store/model/run.h"
#include "store/model/status.h"

namespace perdure::store {

struct Debounce {
  std::string key;                    // of the task; 1 to kLongestDebounceKey bytes
  Duration delay{};                   // how long after the latest trigger its run starts; at least kShortestDebounce
  bool trailing = false;              // the run is what the latest trigger asked for, not what the first did
  std::optional<Duration> max_delay;  // … but no later than this after the first; absent: however late
  bool operator==(const Debounce&) const = default;
};

inline constexpr std::size_t kLongestDebounceKey = 512;
inline constexpr Duration kShortestDebounce{1000};

/// kInvalid: what is wrong, as the end of a sentence that its name begins.
Status check_debounce(const Debounce& debounce);

/// Whether a trigger under `key` at `now` belongs to `run`: it was made under that key and its delay goes on.
bool takes_in(const Run& run, const std::string& key, Time now);
/// Until when the delay of a run that takes such a trigger in goes on: never shorter than it was.
Time delay_after(const Run& run, const Debounce& repeat, Time now);
/// Lets the run be what a later trigger asks for: its metadata, tags, machine and limits of attempts. The payload and
/// what is indexed are the engine's.
void ask_anew(Run& run, const RunOptions& options);

}  // namespace perdure::store
