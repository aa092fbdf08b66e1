// A descriptor of another process, taken without its doing: how the zygote reaches into its children. One system call
// each; any thread.
#pragma once

#include <sys/types.h>

namespace perdure::zygote {

/// A duplicate of descriptor `fd` of `process`, an unreaped child; close-on-exec. -1 with errno set where there is no
/// such descriptor, or this system does not let us.
[[nodiscard]] int borrow_descriptor(pid_t process, int fd);

}  // namespace perdure::zygote
