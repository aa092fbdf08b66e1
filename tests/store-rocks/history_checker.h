// Holds a store against what its clients were told: every acknowledged run exists, every acknowledged outcome and final
// status stands, and what is stored of each run agrees with itself and with the indexes. Knows only the Store
// interface. note_…: any thread; check: while nobody changes the store.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "store/store.h"

namespace perdure::store {

class HistoryChecker {
 public:
  /// The store said that it has the run.
  void note_created(const RunId& run);
  /// The store said that the attempt ended so, and what the run is since.
  void note_ended(const RunId& run, std::uint32_t attempt, bool success, RunStatus after);
  /// The store showed the run in this status, durably. Matters when it is final.
  void note_status(const RunId& run, RunStatus status);
  /// The store said that it did not create the run.
  void note_refused(const RunId& run);

  /// Everything that is wrong, one sentence each.
  [[nodiscard]] std::vector<std::string> check(const Store& store) const;

  /// How many runs were acknowledged.
  [[nodiscard]] std::size_t created() const;

 private:
  struct Findings;
  void check_told(const Store& store, Findings& findings) const;

  mutable std::mutex mutex_;
  std::set<RunId> created_, refused_;
  std::map<std::pair<RunId, std::uint32_t>, bool> ended_;
  std::map<RunId, RunStatus> finals_;
  std::vector<std::string> contradictions_;  // found while noting
};

}  // namespace perdure::store
