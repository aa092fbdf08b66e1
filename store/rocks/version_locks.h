// Which plugin versions unfinished runs are locked to, and how many to each; and which versions lost the last of them.
// A run is counted while it is unfinished, so nothing is kept for one run. Runs locked to no version (an empty one) are
// not counted. Adding and dropping cost O(log versions). Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "store/model/ids.h"

namespace perdure::store::rocks {

class VersionLocks {
 public:
  /// A run is locked to the version.
  void add(const VersionId& version);
  /// It no longer is: it ended, or moved to another.
  void drop(const VersionId& version);

  /// The versions that have lost their last run since this was asked before, and have not got one again.
  std::set<VersionId> take_freed();
  /// Those of `freed`, which was taken here earlier, that are to be told free now: not locked again, and not locked and
  /// freed again either, which is told with the mutation that did it.
  [[nodiscard]] std::vector<VersionId> still_free(const std::set<VersionId>& freed) const;

  [[nodiscard]] const std::map<VersionId, std::uint64_t>& counts() const { return counts_; }

 private:
  std::map<VersionId, std::uint64_t> counts_;  // none is 0
  std::set<VersionId> freed_;
};

}  // namespace perdure::store::rocks
