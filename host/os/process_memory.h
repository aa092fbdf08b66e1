// What processes use of memory and processor, read from /proc at the calling moment, and how much they may. A process
// that is gone uses nothing. Functions without state; any thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <vector>

namespace perdure::os {

/// The memory that a process has of its own: anonymous and shared-memory pages, and what is swapped out of them. Those
/// that other processes map as well count in full, so that it is an upper bound; it is kept by the kernel, and cheap.
std::uint64_t private_memory(pid_t pid);
/// The same with each page divided by the number of processes that map it. Takes a millisecond for 500 MB.
std::uint64_t proportional_memory(pid_t pid);

/// Sums over processes.
std::uint64_t private_memory(const std::vector<pid_t>& pids);
std::uint64_t proportional_memory(const std::vector<pid_t>& pids);

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

}  // namespace perdure::os
