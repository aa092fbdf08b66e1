// Memory cgroups, of both versions of the kernel's interface: where this process may make some, and one of them. A
// cgroup limits what all the processes in it use together, and the kernel kills among them when that is exceeded.
// Not thread-safe.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/os/unique_fd.h"

namespace perdure::os {

enum class CgroupVersion : std::uint8_t { kOne = 1, kTwo = 2 };

/// A directory of a hierarchy that has the memory controller.
struct CgroupPlace {
  CgroupVersion version = CgroupVersion::kOne;
  std::string directory;
};

/// The cgroup that this process is in; nothing, and `why` in a sentence, where no hierarchy limits memory.
std::optional<CgroupPlace> own_cgroup(std::string& why);
/// The same, from the texts of /proc/self/cgroup and /proc/self/mountinfo.
std::optional<CgroupPlace> own_cgroup(const std::string& cgroups, const std::string& mounts, std::string& why);

/// What may be used at `place`, by its limit and those above it; nothing where there is none.
std::optional<std::uint64_t> memory_limit_at(const CgroupPlace& place);

/// What this process and those below it may use: the machine's memory, or less where a cgroup says so.
std::uint64_t usable_memory();

/// Makes `place`/`name` for cgroups to be made in, with the memory controller, and the processor's where there is one.
/// In version 2 a cgroup that has others below has no processes of its own, so this process moves into one beside it.
/// False, and `why` in a sentence, when that is not allowed.
bool prepare_cgroups(const CgroupPlace& place, const std::string& name, std::string& why);

/// The names of the cgroups directly below a directory.
std::vector<std::string> cgroups_in(const std::string& directory);
/// The processes in a cgroup.
std::vector<pid_t> processes_in(const std::string& directory);

/// One cgroup of its own; removed when the object goes, if it is empty then.
class Cgroup {
 public:
  /// Makes it, or takes one that is there; nothing, with errno set, when that fails.
  static std::optional<Cgroup> make(const CgroupPlace& place);
  Cgroup(Cgroup&& other) noexcept;
  Cgroup& operator=(Cgroup&& other) noexcept;
  Cgroup(const Cgroup&) = delete;
  Cgroup& operator=(const Cgroup&) = delete;
  ~Cgroup();

  /// No more than `bytes` of memory and swap. False when more is used and cannot be given up, or it cannot be set.
  bool limit_memory(std::uint64_t bytes);
  /// The share of processors when there are too few: 1 is usual. False when this hierarchy does not divide them.
  bool weigh_processor(double weight);
  /// Moves a process in, all its threads. What it uses already stays counted where it was. Can take some 20 ms.
  bool add(pid_t pid);

  [[nodiscard]] std::vector<pid_t> processes() const { return processes_in(place_.directory); }

  [[nodiscard]] std::uint64_t usage() const;
  /// The most that was used since the beginning or the last forget().
  [[nodiscard]] std::uint64_t peak() const;
  /// Begins anew: the peak is what is used now, and events are those to come.
  void forget();
  /// Processes killed here for want of memory.
  [[nodiscard]] std::uint64_t kills() const;
  /// Readable (an eventfd, to be read) when memory runs out; -1 in version 2, where the kernel kills all processes at
  /// once and so nobody needs to be told.
  [[nodiscard]] int out_of_memory_events() const { return events_.get(); }

  /// Gives up what can be given up, such as cached pages of files.
  void reclaim();

 private:
  Cgroup(CgroupPlace place, UniqueFd peak, UniqueFd kills)
      : place_(std::move(place)), peak_(std::move(peak)), kills_(std::move(kills)) {}
  [[nodiscard]] std::string file(const char* name) const { return place_.directory + "/" + name; }

  CgroupPlace place_;
  UniqueFd peak_, kills_, events_;
};

}  // namespace perdure::os
