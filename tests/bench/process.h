// Starting and ending the programs a benchmark needs. Single-threaded.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace perdure::bench {

/// Ends the benchmark, saying what failed and errno's text.
[[noreturn]] void die(const std::string& what);

struct SpawnOptions {
  int inherited = -1;       // becomes descriptor 3
  std::string output = {};  // a file for stdout and stderr; as ours when empty
  int standard_output = -1;
};

/// Starts arguments[0] with these arguments; every other descriptor of ours is close-on-exec. Dies when it cannot.
pid_t spawn(const std::vector<std::string>& arguments, const SpawnOptions& options = {});

/// What a program printed, first line; dies unless it ended with status 0.
std::string output_of(const std::vector<std::string>& arguments);

/// SIGTERM, then SIGKILL after 20 s; returns when it is gone.
void stop(pid_t pid);

/// A loopback port nobody listens on.
unsigned short free_port();

/// The directory of the running executable.
std::string own_directory();

}  // namespace perdure::bench
