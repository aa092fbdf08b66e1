// One change of the reference engine on its way: it holds the mutex, collects what follows, and hands that over. For
// the engine's own files only; one thread.
#pragma once

#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "store/memory/memory_store.h"

namespace perdure::store {

struct MemoryStore::Mutation {
  explicit Mutation(MemoryStore& of) : store(of), lock(of.mutex_), due_before(of.earliest_due()) {}

  /// The run has a new status.
  void note(const Run& run) {
    changed.emplace_back(run.id, run.status);
    if (run.status == RunStatus::kQueued) queued.push_back(run.id);
    if (is_final(run.status)) unlock(run.version);
  }
  /// A run is no longer locked to the version.
  void unlock(const VersionId& version) {
    if (!version.empty()) unlocked.insert(version);
  }

  /// Lets the mutex go; `then` is called once the mutation is durable, after the listener was told.
  void finish(std::function<void()> then = [] {});
  template <class T>
  void finish(Done<T> done, Result<T> result) {
    finish([done = std::move(done), result = std::move(result)] { done(result); });
  }

  MemoryStore& store;
  std::unique_lock<std::mutex> lock;
  std::optional<Time> due_before;
  std::vector<RunId> queued;
  std::vector<std::pair<RunId, RunStatus>> changed;
  std::set<VersionId> unlocked;
  bool slots_freed = false;
};

}  // namespace perdure::store
