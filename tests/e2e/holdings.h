// What a process holds at a moment: memory, descriptors and descendants, read from /proc. For tests that compare a host
// before and after.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <map>
#include <string>

namespace perdure::e2e {

struct Holdings {
  long memory = 0;  // kB, resident
  std::size_t descriptors = 0;
  std::map<std::string, std::size_t> descendants;  // how many processes below it have each name, however far below
  /// Descendants of that name.
  [[nodiscard]] std::size_t named(const std::string& name) const;
};

/// What `process` holds now; empty when it is gone.
Holdings holdings(pid_t process);

}  // namespace perdure::e2e
