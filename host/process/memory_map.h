// What a process has mapped, as /proc/PID/maps tells it, and which of it is worth keeping when it crashed. Functions
// without state; any thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace perdure::process {

struct Mapping {
  std::uint64_t start = 0, end = 0;  // addresses
  std::uint64_t offset = 0;          // of the start, in its file
  bool readable = false, writable = false, executable = false, shared = false;
  std::string path;  // a file's, "[stack]" and the like, or empty
  [[nodiscard]] std::uint64_t size() const { return end - start; }
  [[nodiscard]] bool of_file() const { return path.starts_with('/'); }
};

/// The mappings of `pid`, in the order of their addresses; none when it cannot be read.
std::vector<Mapping> mappings_of(pid_t pid);

/// A range of pages with contents of their own, which no file has.
struct PageRun {
  std::uint64_t start = 0, end = 0;
};
/// Those of `mapping`, as far as `pagemap` (of /proc/PID/pagemap) tells. Pages that were never touched are zero and
/// left out, as are those of files as long as they are the file's; of a mapping of a file that was written to all are
/// told.
std::vector<PageRun> own_pages(const Mapping& mapping, int pagemap);

}  // namespace perdure::process
