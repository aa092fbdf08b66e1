#include "store/model/batch.h"

#include <algorithm>
#include <utility>

namespace perdure::store {
namespace {
constexpr std::size_t kLongestName = 256;
}

std::string_view batch_status_name(BatchStatus status) {
  switch (status) {
    case BatchStatus::kPending:
      return "PENDING";
    case BatchStatus::kProcessing:
      return "PROCESSING";
    case BatchStatus::kCompleted:
      return "COMPLETED";
    case BatchStatus::kPartialFailed:
      return "PARTIAL_FAILED";
    case BatchStatus::kAborted:
      return "ABORTED";
  }
  return "PENDING";
}

BatchStatus batch_status(const Batch& batch, bool all_final) {
  if (!batch.sealed_at) return BatchStatus::kPending;
  if (batch.faults.size() >= batch.run_count) return BatchStatus::kAborted;
  if (!batch.faults.empty()) return BatchStatus::kPartialFailed;
  return all_final ? BatchStatus::kCompleted : BatchStatus::kProcessing;
}

Status check_items(std::size_t items, const std::vector<BatchFault>& faults) {
  if (items == 0 || items > kMostBatchItems) {
    return Status::invalid("a batch has 1 to " + std::to_string(kMostBatchItems) + " items, not " +
                           std::to_string(items));
  }
  const auto not_before = [](const BatchFault& a, const BatchFault& b) { return a.index >= b.index; };
  const bool ordered = std::ranges::adjacent_find(faults, not_before) == faults.end();
  if (ordered && (faults.empty() || faults.back().index < items)) return Status::ok();
  return Status::invalid("the faults of a batch name items of it, by index, each once");
}

std::vector<RunId> in_item_order(std::vector<RunId> runs, const std::vector<BatchFault>& faults) {
  for (const BatchFault& fault : faults) {
    const std::size_t at = std::min<std::size_t>(fault.index, runs.size());
    runs.insert(runs.begin() + static_cast<std::ptrdiff_t>(at), RunId());
  }
  return runs;
}

std::string batch_name(const std::vector<TaskId>& tasks) {
  std::vector<std::pair<const TaskId*, std::size_t>> counts;  // in the order of their first
  for (const TaskId& task : tasks) {
    const auto same = [&](const auto& each) { return *each.first == task; };
    const auto found = std::ranges::find_if(counts, same);
    if (found == counts.end()) {
      counts.emplace_back(&task, 1);
    } else {
      ++found->second;
    }
  }
  std::string name;
  for (const auto& [task, count] : counts) {
    name += (name.empty() ? "" : ", ") + std::to_string(count) + " x " + task->text();
  }
  if (name.size() > kLongestName) name.resize(kLongestName);
  return name;
}

}  // namespace perdure::store
