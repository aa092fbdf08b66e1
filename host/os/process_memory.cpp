#include "host/os/process_memory.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "host/os/small_file.h"

namespace perdure::os {
namespace {

std::string in_proc(pid_t pid, const char* name) { return "/proc/" + std::to_string(pid) + "/" + name; }

// The number, in kB, behind "NAME:" at the start of a line.
std::uint64_t kilobytes(std::string_view text, std::string_view name) {
  const std::string wanted = "\n" + std::string(name) + ":";
  const std::size_t at = text.find(wanted);
  if (at == std::string_view::npos) return 0;
  return std::strtoull(text.data() + at + wanted.size(), nullptr, 10) * 1024;
}

template <class Of>
std::uint64_t sum(const std::vector<pid_t>& pids, Of of) {
  std::uint64_t bytes = 0;
  for (const pid_t pid : pids) bytes += of(pid);
  return bytes;
}

}  // namespace

std::uint64_t private_memory(pid_t pid) {
  const std::string text = read_small_file(in_proc(pid, "status"));
  return kilobytes(text, "RssAnon") + kilobytes(text, "RssShmem") + kilobytes(text, "VmSwap");
}

std::uint64_t data_memory(pid_t pid) { return kilobytes(read_small_file(in_proc(pid, "status")), "VmData"); }

std::uint64_t proportional_memory(pid_t pid) {
  const std::string text = read_small_file(in_proc(pid, "smaps_rollup"));
  return kilobytes(text, "Pss_Anon") + kilobytes(text, "Pss_Shmem") + kilobytes(text, "SwapPss");
}

std::uint64_t private_memory(const std::vector<pid_t>& pids) {
  return sum(pids, [](pid_t pid) { return private_memory(pid); });
}

std::uint64_t proportional_memory(const std::vector<pid_t>& pids) {
  return sum(pids, [](pid_t pid) { return proportional_memory(pid); });
}

std::chrono::microseconds processor_time(pid_t pid) {
  clockid_t clock{};
  timespec time{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) return {};
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::seconds(time.tv_sec) +
                                                               std::chrono::nanoseconds(time.tv_nsec));
}

std::uint64_t memory_of_machine() { return kilobytes("\n" + read_small_file("/proc/meminfo"), "MemTotal"); }

bool limit_data_memory(pid_t pid, std::uint64_t bytes) {
  rlimit limit{};
  if (prlimit(pid, RLIMIT_DATA, nullptr, &limit) != 0) return false;
  limit.rlim_cur = bytes == 0 || bytes > limit.rlim_max ? limit.rlim_max : static_cast<rlim_t>(bytes);
  return prlimit(pid, RLIMIT_DATA, &limit, nullptr) == 0;
}

// Where the kernel divides the processors between sessions first, it is the session's that counts.
void set_niceness(pid_t leader, int niceness) {
  (void)setpriority(PRIO_PGRP, static_cast<id_t>(leader), niceness);
  (void)write_small_file(in_proc(leader, "autogroup"), std::to_string(niceness));
}

}  // namespace perdure::os
