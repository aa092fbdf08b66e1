// Another process, stopped to be looked at: every one of its threads is seized and interrupted by ptrace, and goes on
// where it was when this is gone, also when the looking process dies. What the process had to do with signals, or with
// being stopped already, stays as it was. One thread; only this one may look.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace perdure::process {

/// What stop() says of a process that has ended.
inline constexpr const char* kEndedMeanwhile = "The attempt has ended meanwhile.";

class StoppedProcess {
 public:
  StoppedProcess() = default;
  ~StoppedProcess();
  StoppedProcess(const StoppedProcess&) = delete;
  StoppedProcess& operator=(const StoppedProcess&) = delete;

  /// Stops `pid`, which must be a child of `parent`. False, with `why` as a sentence for people, when it cannot be
  /// looked at: it has ended meanwhile, or this process may not. A thread that does not stop within `patience`, because
  /// it waits in the kernel for what cannot be interrupted, is left out.
  [[nodiscard]] bool stop(pid_t pid, pid_t parent, std::chrono::milliseconds patience, std::string& why);

  /// The threads that stopped, the first one first.
  [[nodiscard]] const std::vector<pid_t>& threads() const { return threads_; }
  /// Those that did not in time.
  [[nodiscard]] const std::vector<pid_t>& unstoppable() const { return unstoppable_; }

  /// Lets it go on.
  void release();

 private:
  struct Seized {
    pid_t tid;
    int signal;  // that was on its way to the thread when it stopped; 0: none
  };
  enum class Seizing { kSeized, kGone, kRefused };
  Seizing seize(pid_t tid, std::chrono::steady_clock::time_point deadline);

  std::vector<Seized> seized_;
  std::vector<pid_t> threads_;
  std::vector<pid_t> unstoppable_;
};

}  // namespace perdure::process
