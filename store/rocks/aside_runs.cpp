// See aside_runs.h.
#include "store/rocks/aside_runs.h"

#include <iterator>

namespace perdure::store::rocks {

void AsideRuns::add(const TaskId& task, const VersionId& version, const AsideRun& run) {
  const auto place = places_.try_emplace({run.queue, run.key}).first;
  if (tasks_[task][version].try_emplace({run.order, run.run}, place).second) ++place->second;
}

void AsideRuns::erase(Runs& runs, Runs::iterator at) {
  const Places::iterator place = at->second;
  runs.erase(at);
  if (--place->second == 0) places_.erase(place);
}

void AsideRuns::tidy(std::map<TaskId, Versions>::iterator of, Versions::iterator version) {
  if (version->second.empty()) of->second.erase(version);
  if (of->second.empty()) tasks_.erase(of);
}

bool AsideRuns::remove(const TaskId& task, Time order, PackedId run) {
  const auto of = tasks_.find(task);
  if (of == tasks_.end()) return false;
  for (auto version = of->second.begin(); version != of->second.end(); ++version) {
    const auto found = version->second.find({order, run});
    if (found == version->second.end()) continue;
    erase(version->second, found);
    tidy(of, version);
    return true;
  }
  return false;
}

std::optional<AsideRun> AsideRuns::take(const TaskId& task, const std::optional<VersionId>& version) {
  const auto of = tasks_.find(task);
  if (of == tasks_.end()) return std::nullopt;
  Versions& versions = of->second;
  auto next = version ? versions.find(*version) : versions.begin();
  if (next == versions.end()) return std::nullopt;
  if (!version) {
    for (auto other = std::next(next); other != versions.end(); ++other) {
      if (other->second.begin()->first < next->second.begin()->first) next = other;
    }
  }
  const auto first = next->second.begin();
  const auto& [queue, key] = first->second->first;
  AsideRun taken{first->first.second, queue, key, first->first.first};
  erase(next->second, first);
  tidy(of, next);
  return taken;
}

std::size_t AsideRuns::count(const TaskId& task, const std::optional<VersionId>& version) const {
  const auto of = tasks_.find(task);
  if (of == tasks_.end()) return 0;
  std::size_t count = 0;
  for (const auto& [each, runs] : of->second) {
    if (!version || each == *version) count += runs.size();
  }
  return count;
}

}  // namespace perdure::store::rocks
