#include "host/engine/attempt_machine.h"

#include <algorithm>

namespace perdure::engine {

store::Machine machine_of(const store::Run& run, const store::TaskOptions& task, const AttemptDefaults& defaults) {
  for (const std::string* said : {&run.machine, &run.options.machine, &task.machine, &defaults.machine}) {
    if (said->empty()) continue;
    if (auto machine = store::parse_machine(*said)) return *std::move(machine);
  }
  return {};
}

std::optional<store::Duration> max_duration_of(const store::Run& run, const store::TaskOptions& task,
                                               const AttemptDefaults& defaults) {
  for (const auto& said : {run.options.max_duration, task.max_duration, defaults.max_duration}) {
    if (said) return *said > store::Duration::zero() ? said : std::nullopt;
  }
  return std::nullopt;
}

std::string machine_after(const store::Machine& had, const store::Usage& usage, const store::RetryPolicy& policy) {
  if (policy.out_of_memory_machine != "auto") return policy.out_of_memory_machine;
  return machine_text(store::machine_above(std::max(had.memory, usage.peak_memory)));
}

store::Failure machine_too_large(const store::Machine& machine, std::uint64_t memory) {
  return {.kind = store::FailureKind::kAborted,
          .name = "MachineTooLarge",
          .message = "The attempt needs the machine " + machine_in_words(machine) +
                     ", and all attempts of this host together may use " + store::memory_in_words(memory) +
                     "; give the task a smaller machine or the host more (memory in [host])",
          .stack = {},
          .details = "{\"machine\":" + std::to_string(machine.memory) + ",\"host\":" + std::to_string(memory) + "}"};
}

}  // namespace perdure::engine
