// On which machine an attempt executes and for how long at most: the run's, trigger's, task's and host's words for
// both, and what follows from running out of memory. Pure functions; any thread.
#pragma once

#include <optional>
#include <string>

#include "store/model/failure.h"
#include "store/model/machine.h"
#include "store/model/run.h"
#include "store/model/task_options.h"

namespace perdure::engine {

/// [defaults] of the configuration: what holds where neither trigger nor task say anything.
struct AttemptDefaults {
  std::string machine{store::kUsualMachine};  // as machine_text()
  std::optional<store::Duration> max_duration;
};

/// Of the run's next attempt.
store::Machine machine_of(const store::Run& run, const store::TaskOptions& task, const AttemptDefaults& defaults);
/// How long it may execute; nothing: as long as it likes.
std::optional<store::Duration> max_duration_of(const store::Run& run, const store::TaskOptions& task,
                                               const AttemptDefaults& defaults);

/// Of the attempts after one on `had` that ran out of memory, as machine_text(); empty: the same.
std::string machine_after(const store::Machine& had, const store::Usage& usage, const store::RetryPolicy& policy);

/// Why an attempt cannot begin on a host whose attempts may use `memory` bytes together: nothing that time heals.
store::Failure machine_too_large(const store::Machine& machine, std::uint64_t memory);

}  // namespace perdure::engine
