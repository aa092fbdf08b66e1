#include "host/os/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <system_error>

#include "host/os/small_file.h"

namespace perdure::os {
namespace {

// The number behind "NAME " at the start of a line.
std::uint64_t number_of(const std::string& text, const std::string& name) {
  const std::string all = "\n" + text;
  const std::size_t at = all.find("\n" + name + " ");
  return at == std::string::npos ? 0 : std::strtoull(all.c_str() + at + name.size() + 2, nullptr, 10);
}

std::uint64_t number_in(const std::string& text) { return std::strtoull(text.c_str(), nullptr, 10); }

std::string cannot(const std::string& what) { return what + ": " + strerror(errno); }

// Our processes out of `directory`, so that it may have cgroups below.
bool move_aside(const std::string& directory, std::string& why) {
  const std::vector<pid_t> there = processes_in(directory);
  if (there.size() != 1 || there.front() != getpid()) {
    why = "other processes share the host's cgroup " + directory +
          "; give the host one of its own, as systemd does with Delegate=yes";
    return false;
  }
  const std::string aside = directory + "/perdure-host";
  if (mkdir(aside.c_str(), 0755) != 0 && errno != EEXIST) {
    why = cannot("cannot make the cgroup " + aside);
    return false;
  }
  if (write_small_file(aside + "/cgroup.procs", std::to_string(getpid()))) return true;
  why = cannot("cannot move the host into the cgroup " + aside);
  return false;
}

}  // namespace

std::vector<std::string> cgroups_in(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  const std::filesystem::directory_iterator end;
  for (std::filesystem::directory_iterator entry(directory, error); !error && entry != end; entry.increment(error)) {
    std::error_code unknown;
    if (entry->is_directory(unknown)) names.push_back(entry->path().filename().string());
  }
  return names;
}

std::vector<pid_t> processes_in(const std::string& directory) {
  std::istringstream list(read_small_file(directory + "/cgroup.procs"));
  std::vector<pid_t> pids;
  for (pid_t pid = 0; list >> pid;) pids.push_back(pid);
  return pids;
}

bool prepare_cgroups(const CgroupPlace& place, const std::string& name, std::string& why) {
  const std::string directory = place.directory + "/" + name;
  const auto made = [&] {
    if (mkdir(directory.c_str(), 0755) == 0 || errno == EEXIST) return true;
    why = cannot("cannot make the cgroup " + directory);
    return false;
  };
  if (place.version == CgroupVersion::kOne) return made();
  const std::string own = place.directory + "/cgroup.subtree_control";
  if (!write_small_file(own, "+memory")) {
    if (errno != EBUSY) {
      why = cannot("cannot let the cgroup " + place.directory + " limit memory below it");
      return false;
    }
    if (!move_aside(place.directory, why)) return false;
    if (!write_small_file(own, "+memory")) {
      why = cannot("cannot let the cgroup " + place.directory + " limit memory below it");
      return false;
    }
  }
  (void)write_small_file(own, "+cpu");
  if (!made()) return false;
  if (!write_small_file(directory + "/cgroup.subtree_control", "+memory")) {
    why = cannot("cannot let the cgroup " + directory + " limit memory below it");
    return false;
  }
  (void)write_small_file(directory + "/cgroup.subtree_control", "+cpu");
  return true;
}

std::optional<Cgroup> Cgroup::make(const CgroupPlace& place) {
  if (mkdir(place.directory.c_str(), 0755) != 0 && errno != EEXIST) return std::nullopt;
  const bool one = place.version == CgroupVersion::kOne;
  const auto opened = [&](const char* name, int flags) {
    return UniqueFd(open((place.directory + "/" + name).c_str(), flags | O_CLOEXEC));
  };
  Cgroup made(place, opened(one ? "memory.max_usage_in_bytes" : "memory.peak", O_RDWR),
              opened(one ? "memory.oom_control" : "memory.events", O_RDONLY));
  if (!made.kills_) return std::nullopt;
  if (one) {
    made.events_ = UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    const std::string listen = std::to_string(made.events_.get()) + " " + std::to_string(made.kills_.get());
    if (!write_small_file(made.file("cgroup.event_control"), listen)) return std::nullopt;
  } else {
    (void)write_small_file(made.file("memory.oom.group"), "1");
  }
  return made;
}

Cgroup::Cgroup(Cgroup&& other) noexcept
    : place_(std::exchange(other.place_, {})),
      peak_(std::move(other.peak_)),
      kills_(std::move(other.kills_)),
      events_(std::move(other.events_)) {}

Cgroup& Cgroup::operator=(Cgroup&& other) noexcept {
  std::swap(place_, other.place_);
  std::swap(peak_, other.peak_);
  std::swap(kills_, other.kills_);
  std::swap(events_, other.events_);
  return *this;
}

Cgroup::~Cgroup() {
  if (!place_.directory.empty()) (void)rmdir(place_.directory.c_str());
}

bool Cgroup::limit_memory(std::uint64_t bytes) {
  const std::string text = std::to_string(bytes);
  if (place_.version == CgroupVersion::kTwo) {
    (void)write_small_file(file("memory.swap.max"), "0");
    return write_small_file(file("memory.max"), text);
  }
  // The limit of memory and swap together may at no time be below that of memory alone; it is not there without swap
  // accounting.
  const bool lowered = write_small_file(file("memory.limit_in_bytes"), text);
  (void)write_small_file(file("memory.memsw.limit_in_bytes"), text);
  return lowered || write_small_file(file("memory.limit_in_bytes"), text);
}

bool Cgroup::weigh_processor(double weight) {
  if (place_.version == CgroupVersion::kTwo) {
    const long hundredths = std::clamp(std::lround(weight * 100), 1L, 10'000L);
    return write_small_file(file("cpu.weight"), std::to_string(hundredths));
  }
  return write_small_file(file("cpu.shares"), std::to_string(std::max(2L, std::lround(weight * 1024))));
}

bool Cgroup::add(pid_t pid) { return write_small_file(file("cgroup.procs"), std::to_string(pid)); }

std::uint64_t Cgroup::usage() const {
  return number_in(
      read_small_file(file(place_.version == CgroupVersion::kOne ? "memory.usage_in_bytes" : "memory.current")));
}

std::uint64_t Cgroup::peak() const { return peak_ ? number_in(read_small_file(peak_.get())) : usage(); }

void Cgroup::forget() {
  if (peak_) (void)!pwrite(peak_.get(), "0", 1, 0);
  std::uint64_t count = 0;
  if (events_) (void)!read(events_.get(), &count, sizeof count);
}

std::uint64_t Cgroup::kills() const { return number_of(read_small_file(kills_.get()), "oom_kill"); }

void Cgroup::reclaim() {
  if (place_.version == CgroupVersion::kOne) {
    (void)write_small_file(file("memory.force_empty"), "0");
  } else {
    (void)write_small_file(file("memory.reclaim"), std::to_string(usage()));
  }
}

}  // namespace perdure::os
