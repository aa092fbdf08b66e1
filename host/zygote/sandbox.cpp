#include "host/zygote/sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace perdure::zygote {
namespace {

Sandbox entered;

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kArchitecture = 0;  // not known to us: no sandbox can be had
#endif

// Numbers from here on are those of the x32 interface, which would pass every comparison.
constexpr std::uint32_t kForeignNumbers = 0x40000000;

// A filter, written from the top. Jumps are relative, so each rule is complete in itself.
class Filter {
 public:
  void load(std::size_t offset) { add(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)); }
  // What was loaded must be `value`, or `verdict`.
  void require(std::uint32_t value, std::uint32_t verdict) {
    add(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
    give(verdict);
  }
  void refuse_from(std::uint32_t value, std::uint32_t verdict) {
    add(BPF_JMP | BPF_JGE | BPF_K, value, 0, 1);
    give(verdict);
  }
  void deny(long call) {
    add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 1);
    give(SECCOMP_RET_ERRNO | EPERM);
  }
  // Denies `call` unless its first argument is `value`. The kernel looks at the lower half of that only, as an int.
  void deny_unless_first(long call, std::uint32_t value) {
    add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 3);
    load(offsetof(seccomp_data, args));
    add(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
    give(SECCOMP_RET_ERRNO | EPERM);
    load(offsetof(seccomp_data, nr));
  }
  void give(std::uint32_t verdict) { add(BPF_RET | BPF_K, verdict); }

  [[nodiscard]] sock_fprog program() { return {static_cast<unsigned short>(size_), steps_.data()}; }

 private:
  void add(int code, std::uint32_t value, int when = 0, int otherwise = 0) {
    steps_[size_++] = {static_cast<std::uint16_t>(code), static_cast<std::uint8_t>(when),
                       static_cast<std::uint8_t>(otherwise), value};
  }
  std::array<sock_filter, 64> steps_{};
  std::size_t size_ = 0;
};

Filter filter_of(const Sandbox& sandbox) {
  Filter filter;
  filter.load(offsetof(seccomp_data, arch));
  filter.require(kArchitecture, SECCOMP_RET_KILL_PROCESS);
  filter.load(offsetof(seccomp_data, nr));
  filter.refuse_from(kForeignNumbers, SECCOMP_RET_KILL_PROCESS);
  // Ways around a filter: making another process do it, or taking what that has.
  for (const long call : {SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_pidfd_getfd}) filter.deny(call);
  if (!sandbox.exec) {
    filter.deny(SYS_execve);
    filter.deny(SYS_execveat);
  }
  if (!sandbox.network) {
    filter.deny_unless_first(SYS_socket, AF_UNIX);
    filter.deny_unless_first(SYS_socketpair, AF_UNIX);
    for (const long call : {SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register}) {
      filter.deny(call);  // what is asked for through a ring passes no filter
    }
  }
  filter.give(SECCOMP_RET_ALLOW);
  return filter;
}

}  // namespace

std::string enter_sandbox(const Sandbox& sandbox) {
  if (sandbox == entered) return {};
  if (entered != Sandbox{}) return "its process is in another task's sandbox already";
  if (kArchitecture == 0) return "sandboxes are not known on this processor's architecture";
  Filter filter = filter_of(sandbox);
  const sock_fprog program = filter.program();
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return std::string("PR_SET_NO_NEW_PRIVS: ") + strerror(errno);
  const long thread = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
  if (thread > 0) return "the thread " + std::to_string(thread) + " of the plugin has a filter of its own";
  if (thread < 0) return std::string("seccomp: ") + strerror(errno);
  entered = sandbox;
  return {};
}

}  // namespace perdure::zygote
