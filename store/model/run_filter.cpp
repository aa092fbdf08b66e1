#include "store/model/run_filter.h"

#include <algorithm>

namespace perdure::store {
namespace {

template <class T>
bool wants(const std::vector<T>& wanted, const T& value) {
  return wanted.empty() || std::ranges::find(wanted, value) != wanted.end();
}

}  // namespace

RunStatus told_status(const Run& run) {
  return run.status == RunStatus::kDelayed && run.attempts > 0 ? RunStatus::kQueued : run.status;
}

bool lets_through(const RunFilter& filter, const Run& run) {
  const auto tagged = [&] {
    return filter.tags.empty() ||
           std::ranges::any_of(run.options.tags, [&](const std::string& tag) { return wants(filter.tags, tag); });
  };
  return wants(filter.statuses, filter.told ? told_status(run) : run.status) && wants(filter.tasks, run.task) &&
         wants(filter.schedules, run.schedule) && wants(filter.versions, run.version) &&
         wants(filter.queues, run.queue) && (!filter.is_test || *filter.is_test == run.options.is_test) &&
         wants(filter.machines, run.machine.empty() ? run.options.machine : run.machine) &&
         (filter.batch.empty() || filter.batch == run.batch) &&
         (!filter.from || run.created_at >= *filter.from) && (!filter.to || run.created_at <= *filter.to) && tagged();
}

}  // namespace perdure::store
