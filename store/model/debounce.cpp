#include "store/model/debounce.h"

#include <algorithm>

#include "store/model/delay.h"

namespace perdure::store {

Status check_debounce(const Debounce& debounce) {
  if (debounce.key.empty() || debounce.key.size() > kLongestDebounceKey) {
    return Status::invalid("must have a key of 1 to " + std::to_string(kLongestDebounceKey) + " bytes");
  }
  if (debounce.delay < kShortestDebounce) return Status::invalid("must have a delay of 1s or more");
  if (debounce.max_delay && *debounce.max_delay < debounce.delay) {
    return Status::invalid("must have a maxDelay that is no shorter than its delay");
  }
  return Status::ok();
}

bool takes_in(const Run& run, const std::string& key, Time now) {
  return in_trigger_delay(run) && run.debounce_key == key && run.ready_at && *run.ready_at > now;
}

Time delay_after(const Run& run, const Debounce& repeat, Time now) {
  Time until = now + repeat.delay;
  if (run.debounce_until) until = std::min(until, *run.debounce_until);
  return std::max(until, *run.ready_at);
}

void ask_anew(Run& run, const RunOptions& options) {
  run.options.metadata = options.metadata;
  run.options.tags = options.tags;
  run.options.machine = options.machine;
  run.options.max_attempts = options.max_attempts;
  run.options.max_duration = options.max_duration;
  run.options.payload_type = options.payload_type;
  run.options.payload_notes = options.payload_notes;
  run.metadata_changed = false;
}

}  // namespace perdure::store
