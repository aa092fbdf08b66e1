#include "host/os/process_memory.h"

#include <sched.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
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

Memory mapped_in(std::string_view status) {
  return {kilobytes(status, "RssAnon") + kilobytes(status, "VmSwap"), kilobytes(status, "RssShmem")};
}

std::uint64_t less(std::uint64_t all, std::uint64_t part) { return all > part ? all - part : 0; }

}  // namespace

Memory mapped_memory(const std::vector<pid_t>& pids) {
  Memory all;
  for (const pid_t pid : pids) {
    const Memory one = mapped_in(read_small_file(in_proc(pid, "status")));
    all.anonymous += one.anonymous;
    all.shared += one.shared;
  }
  return all;
}

// Of anonymous pages both numbers are of one look at the process, however fast it takes more meanwhile.
MeasuredMemory measured_memory(const std::vector<pid_t>& pids) {
  MeasuredMemory all;
  for (const pid_t pid : pids) {
    const Memory mapped = mapped_in(read_small_file(in_proc(pid, "status")));
    all.mapped.anonymous += mapped.anonymous;
    all.mapped.shared += mapped.shared;
    const std::string rollup = read_small_file(in_proc(pid, "smaps_rollup"));
    if (rollup.empty()) continue;
    const std::uint64_t excess = less(kilobytes(rollup, "Anonymous"), kilobytes(rollup, "Pss_Anon")) +
                                 less(kilobytes(rollup, "Swap"), kilobytes(rollup, "SwapPss"));
    all.excess.anonymous += std::min(excess, mapped.anonymous);
    all.excess.shared += less(mapped.shared, kilobytes(rollup, "Pss_Shmem"));
  }
  return all;
}

std::uint64_t data_memory(pid_t pid) { return kilobytes(read_small_file(in_proc(pid, "status")), "VmData"); }

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

bool hurry_this_thread() {
  const sched_param least{.sched_priority = sched_get_priority_min(SCHED_RR)};
  if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &least) == 0) return true;
  (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), -10);
  return false;
}

}  // namespace perdure::os
