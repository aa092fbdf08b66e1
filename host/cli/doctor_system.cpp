// What the system gives a host: memory control, limits, and looking into crashed processes.
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "host/cli/descriptor_shares.h"
#include "host/cli/doctor.h"
#include "host/cli/executables.h"
#include "host/os/process.h"
#include "host/os/small_file.h"
#include "host/process/backtrace.h"
#include "host/process/cgroup_pool.h"
#include "host/process/memory_control.h"
#include "store/model/machine.h"

namespace perdure::cli {
namespace {

using process::MemoryControl;

constexpr std::uint64_t kProcessesOfHost = 64;
constexpr int kTries = 20;
constexpr std::chrono::milliseconds kBetweenTries{10};

std::uint64_t limit_of(__rlimit_resource which) {
  rlimit limit{};
  if (getrlimit(which, &limit) != 0 || limit.rlim_max == RLIM_INFINITY) return UINT64_MAX;
  return limit.rlim_max;  // the host raises its own to that
}

std::string in_words(std::uint64_t limit) {
  return limit == UINT64_MAX ? "any number of" : "up to " + std::to_string(limit);
}

}  // namespace

void examine_memory(const config::Config& config, Findings& findings) {
  const auto tell = [&](Grade grade, std::string found, std::string advice = {}) {
    findings.push_back({"memory limits", grade, std::move(found), std::move(advice)});
  };
  const MemoryControl control = process::memory_control_named(config.limits.memory_control);
  std::string why;
  const auto pool = process::CgroupPool::open(why);
  const std::string advice = std::string(geteuid() == 0 ? "run the host" : "run the host as root, or") +
                             " in a cgroup of its own that it may write to (systemd: Delegate=yes in its unit)";
  switch (control) {
    case MemoryControl::kOff:
      tell(Grade::kWarning, "off, by memory_control in [limits]: an attempt may use all the memory there is",
           "set it to \"auto\"");
      break;
    case MemoryControl::kWatchdog:
      tell(Grade::kGood, "by a watchdog, as memory_control in [limits] asks");
      break;
    case MemoryControl::kCgroup:
    case MemoryControl::kAuto:
      if (pool) {
        tell(Grade::kGood, "by cgroups (version " + std::to_string(static_cast<int>(pool->version())) + ")");
      } else if (control == MemoryControl::kAuto) {
        tell(Grade::kWarning, "by a watchdog, because " + why, advice);
      } else {
        tell(Grade::kBad, "memory_control in [limits] is \"cgroup\", but " + why, advice);
      }
  }
  const auto machine = store::parse_machine(config.defaults.machine);
  const std::uint64_t each = machine ? machine->memory : 0;
  const std::uint64_t room = each > 0 ? config.host.memory / each : config.host.concurrency;
  const std::string found = store::memory_in_words(config.host.memory) + " for all attempts, which is " +
                            std::to_string(room) + " on the usual machine, " + config.defaults.machine;
  if (room == 0) {
    findings.push_back(
        {"memory", Grade::kBad, found, "give the host more (memory in [host]) or tasks a smaller machine"});
  } else if (room < config.host.concurrency) {
    findings.push_back({"memory", Grade::kWarning,
                        found + "; up to " + std::to_string(config.host.concurrency) + " may execute",
                        "a smaller machine in [defaults] lets more of them execute at once"});
  } else {
    findings.push_back({"memory", Grade::kGood, found, ""});
  }
}

void examine_limits(const config::Config& config, Findings& findings) {
  const std::uint64_t descriptors = limit_of(RLIMIT_NOFILE);
  const std::uint64_t wanted = least_descriptors(config.host.concurrency);
  if (descriptors < wanted) {
    findings.push_back({"descriptors", Grade::kBad,
                        in_words(descriptors) + " open descriptors; " + std::to_string(wanted) + " may be needed",
                        "raise the hard limit (ulimit -Hn, systemd: LimitNOFILE) or lower concurrency in [host]"});
  } else {
    const DescriptorShares shares = share_descriptors(descriptors, config.host.concurrency);
    findings.push_back({"descriptors", Grade::kGood,
                        in_words(descriptors) + " open descriptors, for " + std::to_string(shares.connections) +
                            " connections and " + std::to_string(shares.processes) +
                            " attempts with a process, waiting ones among them",
                        ""});
  }
  // Root is not bound by the limit.
  const std::uint64_t processes = geteuid() == 0 ? UINT64_MAX : limit_of(RLIMIT_NPROC);
  const std::uint64_t needed = kProcessesOfHost + 4 * config.host.concurrency;
  if (processes < needed) {
    findings.push_back({"processes", Grade::kBad,
                        in_words(processes) + " processes of this user; " + std::to_string(needed) + " may be needed",
                        "raise the hard limit (ulimit -Hu, systemd: LimitNPROC) or lower concurrency in [host]"});
  } else {
    findings.push_back({"processes", Grade::kGood, in_words(processes) + " processes", ""});
  }
}

void examine_processes(Findings& findings) {
  for (const auto& executable : {zygote_executable(), own_executable()}) {
    if (!executable)
      findings.push_back({"executables", Grade::kBad, executable.status().message(), "install Perdure whole"});
  }
  // Tried, since several things can forbid it: on a process of ours, as a crashed attempt is.
  const os::Command sleeper{.path = "/bin/sleep", .arguments = {"60"}, .environment = {}, .descriptors = {}};
  const pid_t pid = os::spawn(sleeper);
  std::string why = "no process could be started";
  // A program that has just been started has nothing mapped for a moment.
  bool taken = false;
  for (int tries = 0; pid > 0 && !taken && tries < kTries; tries++) {
    if (tries > 0) std::this_thread::sleep_for(kBetweenTries);
    taken = process::take_backtrace(pid, pid, why).has_value();
  }
  if (pid > 0) {
    (void)kill(pid, SIGKILL);
    os::reap(pid);
  }
  if (taken) {
    findings.push_back({"backtraces", Grade::kGood, "can be taken of crashed attempts", ""});
    return;
  }
  std::string scope = os::read_small_file("/proc/sys/kernel/yama/ptrace_scope");
  std::erase(scope, '\n');
  if (!scope.empty() && scope != "0" && scope != "1") why += "; kernel.yama.ptrace_scope is " + scope;
  findings.push_back({"backtraces", Grade::kWarning, "cannot be taken of crashed attempts: " + why,
                      "allow ptrace to the host (in a container: --cap-add SYS_PTRACE)"});
}

}  // namespace perdure::cli
