#include "host/process/stopped_process.h"

#include <errno.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace perdure::process {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kMaxThreads = 4096;  // a process with more makes them faster than they can be stopped

std::vector<pid_t> threads_of(pid_t pid) {
  std::vector<pid_t> tids;
  std::error_code error;
  std::filesystem::directory_iterator it("/proc/" + std::to_string(pid) + "/task", error);
  for (const std::filesystem::directory_iterator end; !error && it != end; it.increment(error)) {
    tids.push_back(static_cast<pid_t>(std::stol(it->path().filename().string())));
  }
  std::ranges::sort(tids);
  return tids;
}

// A line of /proc/PID/status, such as "TracerPid"; empty when there is none.
std::string status_of(pid_t pid, const std::string& name) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with(name + ":")) continue;
    const auto value = line.find_first_not_of(" \t", name.size() + 1);
    return value == std::string::npos ? std::string() : line.substr(value);
  }
  return {};
}

bool has_ended(pid_t pid, pid_t parent) {
  const std::string state = status_of(pid, "State");
  return state.empty() || state[0] == 'Z' || state[0] == 'X' || status_of(pid, "PPid") != std::to_string(parent);
}

std::string refused(pid_t pid) {
  if (const std::string tracer = status_of(pid, "TracerPid"); !tracer.empty() && tracer != "0") {
    return "The attempt's process is looked at by another process already, such as a debugger: process " + tracer + '.';
  }
  std::string scope;
  std::ifstream("/proc/sys/kernel/yama/ptrace_scope") >> scope;
  const std::string because = scope.empty() || scope == "0" ? "" : " (kernel.yama.ptrace_scope is " + scope + ")";
  return "The system does not allow this host to look into the attempt's process" + because +
         "; give perdure the capability CAP_SYS_PTRACE" +
         (because.empty() ? "." : ", or set kernel.yama.ptrace_scope to 0.");
}

}  // namespace

StoppedProcess::~StoppedProcess() { release(); }

StoppedProcess::Seizing StoppedProcess::seize(pid_t tid, steady_clock::time_point deadline) {
  if (ptrace(PTRACE_SEIZE, tid, nullptr, nullptr) != 0) return errno == ESRCH ? Seizing::kGone : Seizing::kRefused;
  seized_.push_back({tid, 0});
  if (ptrace(PTRACE_INTERRUPT, tid, nullptr, nullptr) != 0) return Seizing::kGone;
  for (;;) {
    int status = 0;
    const pid_t got = waitpid(tid, &status, __WALL | WNOHANG);
    if (got == tid && WIFSTOPPED(status)) {
      // Either the interruption's own stop, or a signal came first: then that is what it goes on with.
      if (status >> 16 == 0) seized_.back().signal = WSTOPSIG(status);
      threads_.push_back(tid);
      return Seizing::kSeized;
    }
    if (got == tid || (got < 0 && errno != EINTR)) {
      seized_.pop_back();
      return Seizing::kGone;
    }
    if (steady_clock::now() > deadline) {
      unstoppable_.push_back(tid);
      return Seizing::kSeized;
    }
    const timespec moment{0, 100'000};
    nanosleep(&moment, nullptr);
  }
}

bool StoppedProcess::stop(pid_t pid, pid_t parent, std::chrono::milliseconds patience, std::string& why) {
  const auto deadline = steady_clock::now() + patience;
  const auto known = [this](pid_t tid) { return std::ranges::find(seized_, tid, &Seized::tid) != seized_.end(); };
  // Threads that are made while others are being stopped are there at the next look.
  for (bool more = true; more && seized_.size() < kMaxThreads;) {
    more = false;
    for (const pid_t tid : threads_of(pid)) {
      if (known(tid)) continue;
      switch (seize(tid, deadline)) {
        case Seizing::kSeized:
          more = true;
          break;
        case Seizing::kGone:
          break;
        case Seizing::kRefused:
          if (has_ended(tid, parent) && tid != pid) break;
          why = has_ended(pid, parent) ? kEndedMeanwhile : refused(pid);
          release();
          return false;
      }
    }
  }
  if (!threads_.empty() && !has_ended(pid, parent)) return true;
  why = has_ended(pid, parent) ? kEndedMeanwhile
                               : "The attempt's process waits in the kernel and cannot be interrupted now; ask again.";
  release();
  return false;
}

void StoppedProcess::release() {
  for (const Seized& each : seized_) {
    ptrace(PTRACE_DETACH, each.tid, nullptr, reinterpret_cast<void*>(static_cast<std::uintptr_t>(each.signal)));
  }
  seized_.clear();
  threads_.clear();
  unstoppable_.clear();
}

}  // namespace perdure::process
