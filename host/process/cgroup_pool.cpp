#include "host/process/cgroup_pool.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <utility>

#include "host/os/process.h"
#include "host/os/small_file.h"

namespace perdure::process {
namespace {

constexpr std::string_view kPrefix = "perdure.";
constexpr std::size_t kKept = 16;
constexpr std::uint64_t kNegligible = std::uint64_t{4} << 20;  // of memory that still counts in an empty cgroup

// perdure.PID.START.NUMBER.OWNER: of the process that made it, which of its pools, and whose.
std::string directory_name(std::uint64_t owner) {
  static std::atomic<unsigned> pools{0};
  return std::string(kPrefix) + std::to_string(getpid()) + "." + std::to_string(os::start_of(getpid())) + "." +
         std::to_string(pools++) + "." + std::to_string(owner);
}

bool is_of(std::string_view name, std::uint64_t owner) { return name.ends_with("." + std::to_string(owner)); }

// Whether the process that made a directory of this name is gone.
bool is_abandoned(std::string_view name) {
  if (!name.starts_with(kPrefix)) return false;
  name.remove_prefix(kPrefix.size());
  pid_t pid = 0;
  const auto [dot, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  if (error != std::errc() || dot == name.data() + name.size() || *dot != '.') return false;
  std::uint64_t start = 0;
  const auto [end, wrong] = std::from_chars(dot + 1, name.data() + name.size(), start);
  return wrong == std::errc() && end != name.data() + name.size() && *end == '.' && os::start_of(pid) != start;
}

}  // namespace

std::optional<CgroupPool> CgroupPool::open(std::string& why, std::uint64_t owner) {
  auto own = os::own_cgroup(why);
  if (!own) return std::nullopt;
  const std::string name = directory_name(owner);
  if (!os::prepare_cgroups(*own, name, why)) return std::nullopt;
  os::CgroupPlace below = *own;
  below.directory += "/" + name;
  CgroupPool pool(*std::move(own), std::move(below), owner);
  auto first = pool.take();
  if (!first || !first->limit_memory(kNegligible)) {
    why = "the cgroup " + pool.directory() + " does not let memory be limited below it";
    return std::nullopt;
  }
  pool.give_back(*std::move(first));
  return pool;
}

CgroupPool::~CgroupPool() {
  if (place_.directory.empty()) return;  // moved from
  free_.clear();
  lingering_.clear();
  (void)rmdir(place_.directory.c_str());
}

std::optional<os::Cgroup> CgroupPool::take() {
  std::erase_if(lingering_, [](const os::Cgroup& each) { return each.processes().empty(); });
  if (!free_.empty()) {
    os::Cgroup group = std::move(free_.back());
    free_.pop_back();
    group.forget();
    return group;
  }
  os::CgroupPlace place = place_;
  place.directory += "/" + std::to_string(made_++);
  return os::Cgroup::make(place);
}

void CgroupPool::give_back(os::Cgroup group) {
  if (!group.processes().empty()) return lingering_.push_back(std::move(group));
  if (free_.size() >= kKept) return;
  if (group.usage() > kNegligible) group.reclaim();
  if (group.usage() <= kNegligible) free_.push_back(std::move(group));
}

void CgroupPool::expel(const os::Cgroup& group) {
  for (const pid_t pid : group.processes()) {
    (void)os::write_small_file(above_.directory + "/cgroup.procs", std::to_string(pid));
  }
}

bool CgroupPool::clean_up() {
  bool clean = true;
  for (const std::string& name : os::cgroups_in(above_.directory)) {
    if (!is_abandoned(name)) continue;
    const bool ours = is_of(name, owner_);  // else its processes may be attempts that wait for a host of theirs
    const std::string directory = above_.directory + "/" + name;
    for (const std::string& each : os::cgroups_in(directory)) {
      const std::string group = directory + "/" + each;
      for (const pid_t pid : ours ? os::processes_in(group) : std::vector<pid_t>{}) {
        if (pid > 0) (void)kill(pid, SIGKILL);
      }
      (void)rmdir(group.c_str());  // refused where there are processes
    }
    clean = (rmdir(directory.c_str()) == 0 || !ours) && clean;
  }
  return clean;
}

}  // namespace perdure::process
