#include "host/process/exit_classifier.h"

#include <signal.h>
#include <sys/wait.h>

#include <charconv>

#include "host/os/signal_name.h"
#include "host/process/json_slices.h"

namespace perdure::process {
namespace {

using store::Failure;
using store::FailureKind;

std::string hex(std::uint64_t value) {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, value, 16).ptr;
  return "0x" + std::string(digits, end);
}

std::string seconds(std::int64_t ms) {
  std::string text = std::to_string(ms / 1000);
  if (ms % 1000 != 0) {
    std::string fraction = std::to_string(1000 + ms % 1000).substr(1);
    fraction.resize(fraction.find_last_not_of('0') + 1);
    text += '.' + fraction;
  }
  return text + " s";
}

// What the signal means, for people; `address` is empty when the process did not say.
std::string explained(int signal, const std::string& address) {
  const std::string at = address.empty() ? "" : " at address " + address;
  switch (signal) {
    case SIGSEGV:
      return "invalid memory access" + at;
    case SIGBUS:
      return "memory that cannot be served was accessed" + at;
    case SIGFPE:
      return "arithmetic error, such as an integer division by zero";
    case SIGILL:
      return "illegal instruction" + at;
    case SIGABRT:
      return "abort was called, for example by std::terminate, a failed assertion or a corrupted heap";
    case SIGSYS:
      return "forbidden system call";
    case SIGTRAP:
      return "breakpoint or trap instruction";
    case SIGKILL:
      return "killed from outside; the kernel does this when memory runs out";
    case SIGPIPE:
      return "written to a pipe or socket that nobody reads";
    case SIGXCPU:
      return "limit of processor time reached";
    case SIGXFSZ:
      return "limit of file size reached";
    default:
      return "sent by the task itself or from outside";
  }
}

Failure crashed(int signal, const std::optional<protocol::CrashReport>& crash, std::string backtrace,
                const std::string& core) {
  Failure failure;
  failure.kind = FailureKind::kCrashed;
  failure.name = os::signal_name(signal);
  failure.details = "{\"signal\":" + std::to_string(signal);
  // A positive code: the kernel raised it for a fault, and the address is the fault's.
  const bool fault = crash && crash->signal == signal && crash->code > 0;
  const std::string address = fault ? hex(crash->address) : "";
  if (crash && crash->signal == signal) failure.details += ",\"code\":" + std::to_string(crash->code);
  if (fault) failure.details += ",\"address\":\"" + address + '"';
  if (signal == SIGXCPU) failure.details += ",\"rlimit\":\"RLIMIT_CPU\"";
  if (signal == SIGXFSZ) failure.details += ",\"rlimit\":\"RLIMIT_FSIZE\"";
  if (!core.empty()) failure.details += ",\"core\":" + core;
  failure.details += '}';
  failure.message = "The attempt's process was ended by " + failure.name + " (" + explained(signal, address) + ")";
  failure.stack = std::move(backtrace);
  return failure;
}

Failure decided(FailureKind kind, std::string name, std::string message, std::string details = {}) {
  Failure failure;
  failure.kind = kind;
  failure.name = std::move(name);
  failure.message = std::move(message);
  failure.details = std::move(details);
  return failure;
}

}  // namespace

Failure classify_exit(int wait_status, const std::optional<protocol::CrashReport>& crash, std::string backtrace,
                      const std::string& core) {
  if (WIFSIGNALED(wait_status)) return crashed(WTERMSIG(wait_status), crash, std::move(backtrace), core);
  const std::string code = std::to_string(WEXITSTATUS(wait_status));
  return decided(FailureKind::kExitedWithoutResult, "ExitedWithoutResult",
                 "The attempt's process exited with code " + code +
                     " before the task returned; return a result or an error instead of calling exit",
                 "{\"exit_code\":" + code + '}');
}

Failure protocol_error(const std::string& what) {
  return decided(FailureKind::kProtocolError, "ProtocolError",
                 "The attempt's process sent the host something it cannot accept and was ended: " + what);
}

Failure stalled(std::int64_t silent_ms) {
  return decided(FailureKind::kStalled, "Stalled",
                 "The attempt's process gave no sign of life for " + seconds(silent_ms) + " and was ended",
                 "{\"silent_ms\":" + std::to_string(silent_ms) + '}');
}

Failure max_duration_exceeded(std::int64_t limit_ms) {
  return decided(FailureKind::kMaxDurationExceeded, "MaxDurationExceeded",
                 "The attempt took longer than its maximum duration of " + seconds(limit_ms) + " and was ended",
                 "{\"max_duration_ms\":" + std::to_string(limit_ms) + '}');
}

namespace {
std::string memory_details(std::uint64_t limit, std::uint64_t peak, std::string_view mechanism) {
  std::string json = "{";
  if (limit > 0) json += "\"limit\":" + std::to_string(limit) + ",";
  if (peak > 0) json += "\"peak\":" + std::to_string(peak) + ",";
  return json + "\"mechanism\":\"" + std::string(mechanism) + "\"";
}
}  // namespace

Failure out_of_memory(const MemoryVerdict& verdict) {
  const std::string by = verdict.kills > 0 ? "the kernel, which counts its cgroup," : "the host";
  std::string details = memory_details(verdict.machine.memory, verdict.peak, mechanism_name(verdict.mechanism));
  if (verdict.kills > 0) details += ",\"oom_kills\":" + std::to_string(verdict.kills);
  return decided(FailureKind::kOutOfMemory, "OutOfMemory",
                 "The attempt's processes together used more memory than their machine has, " +
                     store::machine_in_words(verdict.machine) + ", and were ended by " + by + " at " +
                     store::memory_in_words(verdict.peak) + "; let the task use less or give it a larger machine",
                 details + '}');
}

std::string memory_facts(const store::Machine& machine, std::uint64_t peak) {
  return memory_details(machine.memory, peak, "allocation") + '}';
}

Failure canceled() {
  return decided(FailureKind::kCanceled, "Canceled", "The run was canceled while this attempt executed");
}

Failure hook_timeout(std::string_view hook, std::int64_t limit_ms) {
  return decided(FailureKind::kTaskError, "HOOK_TIMEOUT",
                 "The hook " + std::string(hook) + " did not return within " + seconds(limit_ms) +
                     ", and the attempt's process was ended",
                 "{\"hook\":\"" + std::string(hook) + "\",\"limit_ms\":" + std::to_string(limit_ms) + '}');
}

Failure host_lost(const std::string& why) { return decided(FailureKind::kHostLost, "HostLost", why); }

}  // namespace perdure::process
