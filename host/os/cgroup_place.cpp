// Where this process is in the cgroup hierarchies, from what /proc says of both.
#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <string_view>
#include <vector>

#include "host/os/cgroup.h"
#include "host/os/process_memory.h"
#include "host/os/small_file.h"

namespace perdure::os {
namespace {

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, at);) parts.push_back(part);
  return parts;
}

bool has(const std::vector<std::string>& all, std::string_view one) { return std::ranges::find(all, one) != all.end(); }

// Of a hierarchy: which part of it is mounted, and where.
struct Mount {
  std::string root, point;
};

// mountinfo: id parent device root point options [tags] - type source superblock-options
std::optional<Mount> mount_of(CgroupVersion version, const std::string& mounts) {
  std::istringstream in(mounts);
  for (std::string line; std::getline(in, line);) {
    const std::vector<std::string> words = split(line, ' ');
    const auto dash = std::ranges::find(words, "-");
    if (words.size() < 6 || words.end() - dash < 4) continue;
    const bool one = dash[1] == "cgroup" && has(split(dash[3], ','), "memory");
    const bool two = dash[1] == "cgroup2";
    if (version == CgroupVersion::kOne ? one : two) return Mount{words[3], words[4]};
  }
  return std::nullopt;
}

// /proc/self/cgroup: number:controllers:path, the controllers empty in version 2.
std::optional<std::string> path_in(CgroupVersion version, const std::string& cgroups) {
  std::istringstream in(cgroups);
  for (std::string line; std::getline(in, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (version == CgroupVersion::kOne ? has(split(controllers, ','), "memory") : controllers.empty()) {
      return line.substr(second + 1);
    }
  }
  return std::nullopt;
}

std::optional<CgroupPlace> find(CgroupVersion version, const std::string& cgroups, const std::string& mounts) {
  const std::optional<std::string> path = path_in(version, cgroups);
  const std::optional<Mount> mount = mount_of(version, mounts);
  if (!path || !mount) return std::nullopt;
  std::string below = *path;
  if (mount->root != "/") {  // a container sees a part of the hierarchy only
    if (!below.starts_with(mount->root)) return std::nullopt;
    below.erase(0, mount->root.size());
  }
  while (below.ends_with('/')) below.pop_back();
  return CgroupPlace{version, mount->point + below};
}

}  // namespace

std::optional<CgroupPlace> own_cgroup(const std::string& cgroups, const std::string& mounts, std::string& why) {
  if (auto one = find(CgroupVersion::kOne, cgroups, mounts)) return one;
  auto two = find(CgroupVersion::kTwo, cgroups, mounts);
  if (!two) {
    why = "no cgroup hierarchy that this process is in is mounted";
    return std::nullopt;
  }
  std::string controllers = read_small_file(two->directory + "/cgroup.controllers");
  std::ranges::replace(controllers, '\n', ' ');
  if (!has(split(controllers, ' '), "memory")) {
    why = "the memory controller is not enabled in the cgroup " + two->directory;
    return std::nullopt;
  }
  return two;
}

std::optional<CgroupPlace> own_cgroup(std::string& why) {
  return own_cgroup(read_small_file("/proc/self/cgroup"), read_small_file("/proc/self/mountinfo"), why);
}

std::uint64_t usable_memory() {
  std::string why;
  const std::uint64_t machine = memory_of_machine();
  const auto own = own_cgroup(why);
  const auto limit = own ? memory_limit_at(*own) : std::nullopt;
  return limit ? std::min(*limit, machine) : machine;
}

std::optional<std::uint64_t> memory_limit_at(const CgroupPlace& place) {
  constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 60;  // version 1 says so by a number near 2^63
  const char* name = place.version == CgroupVersion::kOne ? "/memory.limit_in_bytes" : "/memory.max";
  std::optional<std::uint64_t> least;
  for (std::string directory = place.directory; directory.size() > 1; directory.erase(directory.rfind('/'))) {
    const std::string text = read_small_file(directory + name);
    if (text.empty() && directory != place.directory) break;  // above the hierarchy
    if (text.empty() || text.starts_with("max")) continue;
    const std::uint64_t limit = std::strtoull(text.c_str(), nullptr, 10);
    if (limit < kNoLimit) least = std::min(least.value_or(limit), limit);
  }
  return least;
}

}  // namespace perdure::os
