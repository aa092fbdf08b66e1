#include "host/zygote/crash.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

#include "host/protocol/frame.h"
#include "host/zygote/load_watch.h"

namespace perdure::zygote {

std::atomic<bool> crash_resumed{false};

namespace {

constexpr int kFatalSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP};
constexpr std::size_t kSignalStack = std::size_t{64}
                                     << 10;   // room for the largest register sets; touched only when used
constexpr std::int64_t kPatienceMs = 10'000;  // for the host to take the backtrace
constexpr int kSliceMs = 50;                  // another thread may receive the answer

std::atomic<int> crash_link{-1};
std::atomic<pid_t> watched_pid{0};
std::atomic<pid_t> crashed_thread{0};

pid_t thread_id() { return static_cast<pid_t>(syscall(SYS_gettid)); }

std::int64_t now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

// True once the host has answered, or never will.
bool answered(int link) {
  protocol::Header header{};
  const ssize_t got = recv(link, &header, sizeof header, MSG_DONTWAIT);
  if (got == 0) return true;
  if (got < 0) return errno != EAGAIN && errno != EINTR;
  return got == sizeof header && header.kind == static_cast<std::uint16_t>(protocol::Kind::kResume);
}

void wait_for_resume(int link) {
  const std::int64_t deadline = now_ms() + kPatienceMs;
  while (now_ms() < deadline && !crash_resumed.load()) {
    pollfd readable{link, POLLIN, 0};
    if (poll(&readable, 1, kSliceMs) > 0 && answered(link)) return;
  }
}

void report_crash(int signal, const siginfo_t& info, const void* context) {
  const int link = crash_link.load();
  if (link < 0 || getpid() != watched_pid.load()) return;
  const pid_t self = thread_id();
  pid_t nobody = 0;
  if (!crashed_thread.compare_exchange_strong(nobody, self)) {
    if (nobody != self) wait_for_resume(link);  // the first thread's crash is the one that counts; it ends the process
    return;
  }
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
  protocol::CrashReport report{};
  report.signal = signal;
  report.code = info.si_code;
  report.pid = getpid();
  report.tid = self;
  report.address = reinterpret_cast<std::uint64_t>(info.si_addr);
  report.context = reinterpret_cast<std::uint64_t>(context);
  protocol::Outgoing frame;
  frame.kind = protocol::Kind::kCrash;
  frame.raw = {reinterpret_cast<const char*>(&report), sizeof report};
  if (protocol::send(link, frame, true) == protocol::SendResult::kSent) wait_for_resume(link);
}

void on_fatal_signal(int signal, siginfo_t* info, void* context) {
  report_load_crash(signal);
  report_crash(signal, *info, context);
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  sigaction(signal, &standard, nullptr);
  // Pending until the handler returns, then deadly; a fault that repeats itself at the return is the same signal.
  syscall(SYS_tgkill, getpid(), thread_id(), signal);
}

}  // namespace

SignalStack::SignalStack()
    : memory_(mmap(nullptr, kSignalStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {
  if (memory_ == MAP_FAILED) return;
  stack_t alternate{};
  alternate.ss_sp = memory_;
  alternate.ss_size = kSignalStack;
  sigaltstack(&alternate, nullptr);
}

SignalStack::~SignalStack() {
  if (memory_ == MAP_FAILED) return;
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  sigaltstack(&none, nullptr);
  munmap(memory_, kSignalStack);
}

void install_crash_handlers() {
  static const SignalStack stack;  // the main thread's; gone only when exit() has run everything else
  struct sigaction action {};
  action.sa_sigaction = on_fatal_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigfillset(&action.sa_mask);
  for (const int signal : kFatalSignals) sigaction(signal, &action, nullptr);
}

void report_crashes_to(int link) {
  watched_pid.store(getpid());
  crash_link.store(link);
}

}  // namespace perdure::zygote
