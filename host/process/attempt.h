// An attempt that was started and is not yet released: what the engine asked for, who is told, and what is known so
// far. Plain state; its child's link (child.h) works on it. Core thread only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/process/deadlines.h"
#include "host/process/launcher.h"
#include "host/protocol/message.h"

namespace perdure::process {

class Child;
class Version;

/// How far ending an attempt against its will has come.
enum class EndingStep : std::uint8_t { kNone, kAsked, kTerminated, kKilled };

struct Attempt {
  AttemptSpec spec;
  AttemptObserver* observer = nullptr;
  Version* version = nullptr;
  Child* child = nullptr;              // null while no process serves it
  std::uint32_t task_index = 0;        // of its task in the manifest
  Instant asked_at{};                  // start() was called
  Instant started_at{};                // a process had it; later by what its run has waited
  std::optional<Instant> waits_since;  // its run waits

  bool told = false;  // on_result was called

  EndingStep ending = EndingStep::kNone;
  std::optional<store::Failure> verdict;  // why it is being ended; what its end is recorded as
  std::chrono::milliseconds grace{};      // between being asked to end and SIGTERM
  bool success_counts = false;            // … unless it still succeeds

  std::optional<protocol::CrashReport> crash;
  std::string backtrace;
  std::string core;  // what became of its core file, a JSON object; empty: none was wanted

  std::vector<std::uint64_t> requests;         // not answered yet
  std::optional<protocol::UsageReport> usage;  // of its process so far, once that says so

  /// A hook that executes now.
  struct OpenHook {
    std::uint64_t number = 0;  // the child's
    HookSpan span;
    Instant began{};
    Instant due{};                    // never: Instant::max()
    std::optional<Instant> due_then;  // … since its run waits: by the time when that began
  };
  std::vector<OpenHook> hooks;
  std::size_t hooks_told = 0;
  std::uint32_t judgements = 0;  // over 0: the outcome is the observer's

  std::uint64_t logged = 0;    // bytes told by the task's own log
  std::uint64_t captured = 0;  // bytes told from stdout and stderr
  bool log_cut = false;
  bool capture_cut = false;
};

}  // namespace perdure::process
