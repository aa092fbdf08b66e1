// See version_locks.h.
#include "store/rocks/version_locks.h"

#include <utility>

namespace perdure::store::rocks {

void VersionLocks::add(const VersionId& version) {
  if (version.empty()) return;
  if (++counts_[version] == 1) freed_.erase(version);
}

void VersionLocks::drop(const VersionId& version) {
  const auto found = counts_.find(version);
  if (found == counts_.end() || --found->second > 0) return;
  freed_.insert(version);
  counts_.erase(found);
}

std::set<VersionId> VersionLocks::take_freed() { return std::exchange(freed_, {}); }

std::vector<VersionId> VersionLocks::still_free(const std::set<VersionId>& freed) const {
  std::vector<VersionId> free;
  for (const VersionId& version : freed) {
    if (!counts_.contains(version) && !freed_.contains(version)) free.push_back(version);
  }
  return free;
}

}  // namespace perdure::store::rocks
