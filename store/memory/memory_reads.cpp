// What can be asked. See memory_store.h.
#include <algorithm>

#include "store/memory/memory_store.h"

namespace perdure::store {
namespace {

std::vector<RunId> first_of(const std::set<RunId>& runs, std::size_t max) {
  std::vector<RunId> first;
  for (auto run = runs.begin(); run != runs.end() && first.size() < max; ++run) first.push_back(*run);
  return first;
}

}  // namespace

const MemoryStore::Entry* MemoryStore::find(const RunId& id) const {
  const auto found = runs_.find(id);
  return found == runs_.end() ? nullptr : &found->second;
}

Result<Run> MemoryStore::run(const RunId& id) const {
  return read<Run>(id, [](const Entry& entry) { return entry.run; });
}

Result<std::string> MemoryStore::payload(const RunId& id) const {
  return read<std::string>(id, [](const Entry& entry) { return entry.payload; });
}

Result<std::string> MemoryStore::output(const RunId& id) const {
  return read<std::string>(id, [&](const Entry& entry) -> Result<std::string> {
    if (entry.output) return *entry.output;
    return Status::not_found("run " + id.text() + " has no output; only a COMPLETED run has one");
  });
}

Result<std::vector<Attempt>> MemoryStore::attempts(const RunId& id) const {
  return read<std::vector<Attempt>>(id, [](const Entry& entry) { return entry.attempts; });
}

Result<std::vector<TimelineEvent>> MemoryStore::timeline(const RunId& id) const {
  return read<std::vector<TimelineEvent>>(id, [](const Entry& entry) { return entry.timeline; });
}

Result<std::vector<LogEntry>> MemoryStore::logs(const RunId& id, std::uint64_t after, std::size_t limit) const {
  return read<std::vector<LogEntry>>(id, [&](const Entry& entry) {
    std::vector<LogEntry> page;
    for (const LogEntry& each : entry.logs) {
      if (each.sequence > after && page.size() < limit) page.push_back(each);
    }
    return page;
  });
}

Result<RunPage> MemoryStore::list(const RunFilter& filter) const {
  for (const RunId& cursor : {filter.after, filter.before}) {
    if (!cursor.empty() && !is_run_id(cursor.text())) {
      return Status::invalid("\"" + cursor.text() + "\" is no cursor; use the id of a run on the page before");
    }
  }
  std::lock_guard lock(mutex_);
  std::vector<const Run*> all;  // oldest first
  for (const auto& [id, entry] : runs_) {
    const bool affected = filter.bulk_action.empty() || entry.bulk_actions.contains(filter.bulk_action);
    if (affected && lets_through(filter, entry.run)) all.push_back(&entry.run);
  }
  const std::size_t limit = std::clamp<std::size_t>(filter.limit, 1, 100);
  const auto index = [&](auto position) { return static_cast<std::size_t>(position - all.begin()); };
  const auto older = [](const Run* run, const RunId& id) { return run->id < id; };
  const auto newer = [](const RunId& id, const Run* run) { return id < run->id; };

  // The page is all[begin, end).
  std::size_t begin = 0, end = all.size();
  if (filter.after.empty() && !filter.before.empty()) {
    begin = index(std::upper_bound(all.begin(), all.end(), filter.before, newer));
    end = std::min(all.size(), begin + limit);
  } else {
    if (!filter.after.empty()) end = index(std::lower_bound(all.begin(), all.end(), filter.after, older));
    begin = end - std::min(end, limit);
  }
  RunPage page;
  page.more_after = begin > 0;
  page.more_before = end < all.size();
  for (std::size_t i = end; i > begin; --i) page.runs.push_back(*all[i - 1]);
  if (page.more_after && !page.runs.empty()) page.after = page.runs.back().id;
  if (page.more_before && !page.runs.empty()) page.before = page.runs.front().id;
  return page;
}

std::map<RunStatus, std::uint64_t> MemoryStore::counts() const {
  std::lock_guard lock(mutex_);
  return counts_;
}

std::map<VersionId, std::uint64_t> MemoryStore::locked_versions() const {
  std::lock_guard lock(mutex_);
  std::map<VersionId, std::uint64_t> locked;
  for (const auto& [id, entry] : unfinished_) {
    if (!entry->run.version.empty()) ++locked[entry->run.version];
  }
  return locked;
}

std::size_t MemoryStore::set_aside(const TaskId& task, const std::optional<VersionId>& version) const {
  std::lock_guard lock(mutex_);
  return aside_in_order(task, version).size();
}

std::optional<Time> MemoryStore::next_due() const {
  std::lock_guard lock(mutex_);
  return earliest_due();
}

Result<std::vector<RunId>> MemoryStore::owing_hooks(std::size_t max) const {
  std::lock_guard lock(mutex_);
  return first_of(owing_, max);
}

Result<std::vector<RunId>> MemoryStore::canceled_parents(std::size_t max) const {
  std::lock_guard lock(mutex_);
  return first_of(canceled_parents_, max);
}

Status MemoryStore::health() const {
  std::lock_guard lock(mutex_);
  return health_;
}

}  // namespace perdure::store
