// Emptying a directory that something untrusted has filled: of any depth and breadth, with a bounded number of
// descriptors and no recursion, and without following a symbolic link. Functions without state; any thread.
#pragma once

#include <functional>

namespace perdure::os {

/// Removes everything in the directory open as `directory`, which stays. `go_on` is asked before each entry; once it
/// says no, the rest stays. False when something is left: it could not be removed, or is being written still.
[[nodiscard]] bool clear_directory(int directory, const std::function<bool()>& go_on);

}  // namespace perdure::os
