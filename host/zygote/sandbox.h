// What a task may not do because its options say so, enforced by the kernel: a seccomp filter that is installed before
// the task runs, holds for every thread and descendant, and cannot be taken away. What is refused fails with EPERM; a
// system call of another architecture ends the process with SIGSYS.
#pragma once

#include <string>

namespace perdure::zygote {

/// All true: no sandbox.
struct Sandbox {
  bool network = true;  // sockets of other kinds than AF_UNIX
  bool exec = true;     // executing programs

  bool operator==(const Sandbox&) const = default;
};

/// Restricts this process to `sandbox`, for good; costs nothing when it restricts nothing. Empty, or a sentence that
/// says why it could not be done. Asking again for the same is fine; a process that is restricted otherwise refuses.
std::string enter_sandbox(const Sandbox& sandbox);

}  // namespace perdure::zygote
