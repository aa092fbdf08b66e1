// The cgroups in which attempts' process trees are kept, below a directory of this host's own: used again and again,
// since a removed one stays in the kernel for as long as pages of files that were read in it are cached. What a host
// that was killed left behind is removed when the next one begins. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/os/cgroup.h"

namespace perdure::process {

class CgroupPool {
 public:
  /// Nothing, and `why` in a sentence, where this process may not make cgroups that limit memory. `owner`: a number
  /// that this host shares with those that were before it on its data directory, and with no others.
  static std::optional<CgroupPool> open(std::string& why, std::uint64_t owner = 0);
  CgroupPool(CgroupPool&&) = default;
  CgroupPool& operator=(CgroupPool&&) = delete;
  /// Removes the directory with all that is in it and empty.
  ~CgroupPool();

  [[nodiscard]] os::CgroupVersion version() const { return place_.version; }
  [[nodiscard]] const std::string& directory() const { return place_.directory; }

  /// An empty one; nothing, with errno set, when none can be made.
  std::optional<os::Cgroup> take();
  /// One whose processes have ended. When some have not, it is kept until they have.
  void give_back(os::Cgroup group);
  /// Out of `group` with processes that do not belong in it.
  void expel(const os::Cgroup& group);

  /// Kills and removes what hosts of the same owner that are gone left beside us, and removes what those of others left
  /// empty; true when nothing of the owner's is there any more.
  bool clean_up();

 private:
  CgroupPool(os::CgroupPlace above, os::CgroupPlace place, std::uint64_t owner)
      : above_(std::move(above)), place_(std::move(place)), owner_(owner) {}

  os::CgroupPlace above_;  // the host's own
  os::CgroupPlace place_;  // where the pool's are
  std::uint64_t owner_;
  std::vector<os::Cgroup> free_;
  std::vector<os::Cgroup> lingering_;  // still have processes, which should have ended
  std::size_t made_ = 0;
};

}  // namespace perdure::process
