// What processes use of memory and processor, read from /proc at the calling moment, and how much they may. A process
// that is gone uses nothing. Functions without state; any thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <vector>

namespace perdure::os {

/// Memory of processes, in bytes: anonymous pages with those that are swapped out, and pages of shared memory.
struct Memory {
  std::uint64_t anonymous = 0, shared = 0;
  [[nodiscard]] std::uint64_t total() const { return anonymous + shared; }
};

/// What each of the processes maps, added up. What several of them map counts several times, so that it is an upper
/// bound; the kernel keeps it, and it is cheap.
Memory mapped_memory(const std::vector<pid_t>& pids);

/// That, and by how much it is too much: by all of each page but the part that is left when it is divided by the number
/// of processes that map it. Nothing for processes that may not be looked into. Takes a millisecond for 500 MB.
struct MeasuredMemory {
  Memory mapped, excess;
  [[nodiscard]] std::uint64_t used() const { return mapped.total() - excess.total(); }
};
MeasuredMemory measured_memory(const std::vector<pid_t>& pids);

/// Private writable memory of a process, mapped or not: what limit_data_memory() counts.
std::uint64_t data_memory(pid_t pid);

/// Processor time used so far, by all threads.
std::chrono::microseconds processor_time(pid_t pid);

/// All the memory of this machine, in bytes.
std::uint64_t memory_of_machine();

/// Lets process `pid` have no more than `bytes` of private writable memory, mapped or not; its threads' stacks count.
/// 0: as much as its hard limit allows. Whether that could be set.
bool limit_data_memory(pid_t pid, std::uint64_t bytes);

/// Makes the processes of the session and group that `leader` leads give way to others: 0 is usual, 19 the most.
void set_niceness(pid_t leader, int niceness);

/// Lets the calling thread run as soon as it can, whoever else wants to: for one that seldom runs and not for long.
/// Where this process may not (CAP_SYS_NICE), as far as it may; false then.
bool hurry_this_thread();

}  // namespace perdure::os
