// What the engine does when the wall clock was set: durations go on as if nothing had happened, calendar times are
// looked at again.
#include "host/engine/core_engine.h"
#include "store/model/duration.h"

namespace perdure::engine {

void CoreEngine::clock_set() {
  store::Duration by{};
  {
    const std::unique_lock alone(clock_mutex_);  // nobody is between reading the time and storing what it comes to
    const store::Time before = core_.now();
    core_.adopt_clock();
    by = core_.now() - before;
    latest_ = std::max(latest_, before);
    store_.clock_is(core_.clock(), [](const store::Result<store::Duration>&) {});
  }
  quarantine_.clock_set(by);
  probe_timer_->set(quarantine_.next_probe());
  if (started_) due_->set(store_.next_due());
  if (by < store::kClockNoise && by > -store::kClockNoise) return;
  warn("The wall clock was set " + store::format_duration(by < store::Duration::zero() ? -by : by) +
       (by < store::Duration::zero() ? " back." : " forward.") +
       " What waits for a duration waits as long as it would have.");
}

}  // namespace perdure::engine
