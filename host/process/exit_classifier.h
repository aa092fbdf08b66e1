// How an attempt's process ended, in the words of the task model: from a wait status to a Failure with a sentence that
// a person understands. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "host/process/memory_control.h"
#include "host/protocol/message.h"
#include "store/model/failure.h"
#include "store/model/machine.h"

namespace perdure::process {

/// The failure of an attempt whose process ended with `wait_status` (as waitpid(2) gives it) and without an outcome.
/// `crash` is what the process said about its signal, `backtrace` the symbolized stack, `core` a JSON object about its
/// core file; all may be missing.
store::Failure classify_exit(int wait_status, const std::optional<protocol::CrashReport>& crash, std::string backtrace,
                             const std::string& core = {});

/// The failures that the host decides on before the process has ended.
store::Failure protocol_error(const std::string& what);
store::Failure stalled(std::int64_t silent_ms);
store::Failure max_duration_exceeded(std::int64_t limit_ms);
/// What is known of an attempt that used too much memory.
struct MemoryVerdict {
  store::Machine machine;
  std::uint64_t peak = 0;  // bytes, of all its processes together
  MemoryMechanism mechanism = MemoryMechanism::kNone;
  std::uint64_t kills = 0;  // processes that the kernel had to kill; 0: the host found that it was too much
};
store::Failure out_of_memory(const MemoryVerdict& verdict);
/// The details of an out-of-memory failure that the task reported itself: a JSON object.
std::string memory_facts(const store::Machine& machine, std::uint64_t peak);
store::Failure canceled();
store::Failure hook_timeout(std::string_view hook, std::int64_t limit_ms);
store::Failure host_lost(const std::string& why);

}  // namespace perdure::process
