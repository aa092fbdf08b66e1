// Where the threads of a run that executes now are.
#include <utility>

#include "host/engine/core_engine.h"

namespace perdure::engine {

void CoreEngine::stacks(const store::RunId& run, store::Done<RunStacks> done) {
  core_.run([this, alive = std::weak_ptr(alive_), run, done = std::move(done)] {
    if (alive.expired() || stacks_ == nullptr) return done(store::Status::unavailable("The host is stopping."));
    const auto executing = slot_of_.find(run);
    if (executing == slot_of_.end()) {
      const store::Result<store::Run> found = store_.run(run);
      if (!found) return done(found.status());
      return done(store::Status::conflict("The run is " + std::string(store::status_name(found->status)) +
                                          ", so nothing of it executes now."));
    }
    const std::uint32_t number = slots_.at(executing->second).attempt.number;
    stacks_->stacks(executing->second, [run, number, done](const store::Result<process::AttemptStacks>& stacks) {
      if (!stacks) return done(stacks.status());
      done(RunStacks{run, number, *stacks});
    });
  });
}

}  // namespace perdure::engine
