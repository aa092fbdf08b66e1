// Which directories decide where a path leads: every name that the kernel looks up on the way, symbolic links followed.
// True for the calling moment only. Functions without state; any thread.
#pragma once

#include <string>
#include <vector>

namespace perdure::os {

struct Lookup {
  std::string directory;  // without symbolic links; "/" or without a slash at its end
  std::string name;       // what is looked up in it
  bool last = false;      // nothing comes after it: this is the file itself or, before the next last one, a link to it
};

struct PathWalk {
  std::vector<Lookup> lookups;  // in order
  std::string end;              // where the path leads; empty when it leads nowhere: see error
  int error = 0;                // errno of the last lookup: ENOENT, ELOOP, EACCES, ENOTDIR ...
};

/// Follows `path`, from the working directory if it is relative.
PathWalk walk_path(const std::string& path);

}  // namespace perdure::os
