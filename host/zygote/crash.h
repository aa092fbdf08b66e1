// What a process of ours does when a fatal signal hits it: it says so on its link, lets the host read its stacks, and
// then dies of that very signal, so that the wait status is the truth. Works on a stack of its own, so stack overflow
// is seen too. Everything the handler does is async-signal-safe. Processes that task code forks inherit the handler; it
// lets them die without a word.
#pragma once

#include <atomic>

namespace perdure::zygote {

/// Installs the handlers and the main thread's signal stack. Once per process image, before anything foreign is loaded;
/// children forked later inherit both.
void install_crash_handlers();

/// A stack for the signal handlers of the thread that makes it, while it lives. Threads without one still report
/// crashes other than stack overflow.
class SignalStack {
 public:
  SignalStack();
  ~SignalStack();
  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;

 private:
  void* memory_;
};

/// From now on a crash of this process is told on `link`, where the host takes the backtrace. -1: on none.
void report_crashes_to(int link);

/// Set by whoever reads kResume from the link while a crashed thread waits for it.
extern std::atomic<bool> crash_resumed;

}  // namespace perdure::zygote
