#include "host/engine/diagnostics.h"

#include <variant>

#include "store/model/retry.h"

namespace perdure::engine {

bool keeps_core(const store::Run& run, const store::TaskOptions& options) {
  if (!options.core_of_last_attempt || !run.failure || run.failure->kind != store::FailureKind::kCrashed) return false;
  const store::AfterFailure then = store::after_failure(run, *run.failure, options.retry, {}, run.updated_at, 0);
  return std::holds_alternative<store::GiveUp>(then);
}

}  // namespace perdure::engine
