// The queued runs that claim() set aside, by the task and the version for which, in the order in which they would be
// claimed. A run costs one node of a set; where it belongs (queue and concurrency key) is kept once for all runs of
// that place. Setting aside, removing and taking cost O(log n) and O(versions of the task). Not thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "store/model/ids.h"
#include "store/rocks/keys.h"

namespace perdure::store::rocks {

/// A run and where it stands in its queue.
struct AsideRun {
  PackedId run;
  QueueName queue;
  std::string key;
  Time order{};
};

class AsideRuns {
 public:
  AsideRuns() = default;
  AsideRuns(AsideRuns&&) = default;
  AsideRuns& operator=(AsideRuns&&) = default;

  void add(const TaskId& task, const VersionId& version, const AsideRun& run);
  /// Takes a run out, for whichever version it was set aside; whether it was here.
  bool remove(const TaskId& task, Time order, PackedId run);
  /// Takes out the first in order of the task's that were set aside for `version`, or for any.
  std::optional<AsideRun> take(const TaskId& task, const std::optional<VersionId>& version);
  [[nodiscard]] std::size_t count(const TaskId& task, const std::optional<VersionId>& version) const;

 private:
  // Nodes of a map stay where they are, so that runs can point to them.
  using Places = std::map<std::pair<QueueName, std::string>, std::size_t>;  // how many runs point to the place
  using Runs = std::map<std::pair<Time, PackedId>, Places::iterator>;
  using Versions = std::map<VersionId, Runs>;

  /// Takes `at` out of `runs`, and its place with it when it was the last there.
  void erase(Runs& runs, Runs::iterator at);
  /// Forgets `version` of `of` when no run is left of it, and the task with the last version.
  void tidy(std::map<TaskId, Versions>::iterator of, Versions::iterator version);

  std::map<TaskId, Versions> tasks_;  // nothing in it is empty
  Places places_;
};

}  // namespace perdure::store::rocks
