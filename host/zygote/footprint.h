// What a process holds besides memory: threads, descriptors, children. Compared before and after loading a plugin, it
// tells whether forking the process would copy something that cannot be copied. Reads /proc; single-threaded use.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace perdure::zygote {

struct Footprint {
  std::vector<pid_t> threads;
  std::vector<int> descriptors;
  std::vector<pid_t> children;
};

/// The calling process as it is now.
Footprint footprint();

/// What `after` has that `before` had not, in words that complete "because it ..."; empty when there is nothing.
std::string new_since(const Footprint& before, const Footprint& after);

}  // namespace perdure::zygote
