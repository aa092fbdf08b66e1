#include "store/model/idempotency.h"

namespace perdure::store {

bool frees_its_key(RunStatus end) {
  return is_final(end) && end != RunStatus::kCompleted && end != RunStatus::kCanceled;
}

Status used_up() {
  return Status::conflict("this permit was good for one trigger, which was made; ask for another permit");
}

Status no_run_has(const TaskId& task, const std::string& key) {
  return Status::not_found("no run of the task \"" + task.text() + "\" has the idempotency key \"" +
                           key.substr(0, 100) + "\"; it may have expired, or its run has failed and freed it");
}

}  // namespace perdure::store
