// Which plugin file may serve which version, when several claim the same task. A plugin is taken whole or not at all; a
// file keeps the tasks that it serves already; what nobody serves goes to the first file by name. Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "host/catalog/snapshot.h"

namespace perdure::catalog {

/// One plugin file, as the decision sees it.
struct Claimant {
  const Tasks* serving = nullptr;  // what it serves now; null: nothing
  const Tasks* wanted = nullptr;   // what it would serve instead; null: nothing else
  /// Its content is still being loaded: files behind it that serve nothing wait, so that the order of names decides and
  /// not which one loads faster.
  bool undecided = false;
};

struct Decision {
  bool take = false;  // `wanted` is to be served
  /// Why it is not: another file has this task. Neither: it waits for a file before it.
  struct Conflict {
    store::TaskId task;
    std::size_t owner = 0;  // index of that file
  };
  std::optional<Conflict> conflict;
};

/// One decision for each of `files`, which are in the order of their names. Taking all the wanted ones that are said to
/// be taken gives no task two owners.
std::vector<Decision> decide(const std::vector<Claimant>& files);

}  // namespace perdure::catalog
