// The interface between the engine and whatever executes attempts: real child processes (supervisor.h), or simulated
// ones in tests. The engine starts attempts and is told, exactly once each, how they ended.
// Threads: everything here is called on the core thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/process/hook_set.h"
#include "host/process/hook_span.h"
#include "host/protocol/message.h"
#include "store/model/failure.h"
#include "store/model/machine.h"
#include "store/model/run.h"
#include "store/model/sandbox.h"

namespace perdure::process {

/// Names one started attempt to its launcher; the engine's choice, never reused while the launcher lives.
using AttemptHandle = std::uint64_t;

/// What a child does instead of its task: it calls these hooks, for a run that has nobody else to call them, in the
/// order catch_error, on_cancel, on_failure, on_complete. Without middleware; those after catch_error only when the run
/// is over then.
struct HooksOnly {
  HookSet hooks;
  std::string error;   // JSON object {"name","message","stack"?,"details"?}: what the hooks are told of
  std::string reason;  // on_cancel's
};

struct AttemptSpec {
  AttemptHandle handle = 0;
  store::RunId run;
  std::uint32_t number = 1;
  std::string token;  // the attempt's fence, by which a next host knows it again
  store::TaskId task;
  store::VersionId version;  // a version that the supervisor has loaded
  std::string payload;       // JSON text
  std::string context;       // JSON object: what the plugin sees as attempt->context
  std::string config;        // JSON object: the plugin's [plugins.NAME] table; may be empty
  std::vector<std::pair<std::string, std::string>> configs;  // those of others whose global hooks stand around it
  std::string environment;  // JSON object of strings: variables for its environment; empty: none
  std::optional<store::Duration> max_duration;
  std::uint32_t recycle_after = 1;  // attempts one child may serve
  store::Sandbox sandbox;           // a child that serves it serves none with another one
  store::Machine machine;           // whose memory is the limit of all its processes together; 0: no limit
  bool keep_core = false;           // when it crashes
  std::uint32_t replay = 0;         // how often a process of this attempt has left during a wait
  std::uint64_t resumed_call = 0;   // the durable call in which the last one waited; 0: none did
  std::optional<HooksOnly> only;    // absent: the task itself
};

/// How an attempt ended: told once.
struct AttemptResult {
  std::optional<store::Failure> failure;  // absent: success
  std::string output;                     // JSON text, checked; on success
  std::optional<store::Time> retry_at;    // the task asked for this time
  store::Usage usage;                     // duration always; cpu and memory where known by then
  bool died = false;                      // its process is gone, and ended without telling this
  /// The outcome is the one that the observer has judged: what stands here counts for nothing, and a failure is how the
  /// process ended in spite of it.
  bool judged = false;
};

/// How an attempt is about to end, and what its catch_error made of that.
struct Provisional {
  AttemptResult result;
  std::optional<store::Failure> replaced;  // another error instead
  std::optional<store::Failure> failed;    // catch_error itself failed
  std::string decision;                    // JSON, not checked; empty: none
  std::optional<store::Time> told_retry;   // the time of the retry as a host before this one had said it to hooks
};
/// What becomes of the run.
struct Judgement {
  bool is_final = true;
  std::optional<store::Time> retry_at;
  std::string retry;                      // the policy, a JSON object
  std::optional<store::Failure> failure;  // as it would be recorded; absent: success
};

/// Something that an executing attempt asks its host.
struct AttemptRequest {
  std::uint64_t id = 0;  // never used twice by one process
  protocol::RequestKind kind{};
  std::string json;  // not checked yet
  std::string raw;
};
struct AttemptReply {
  protocol::ReplyStatus status = protocol::ReplyStatus::kOk;
  std::string json;
  std::string raw;
};

/// An attempt that outlived the host which had started it.
struct Survivor {
  std::uint64_t id = 0;  // the launcher's name for it
  store::RunId run;
  std::uint32_t number = 1;
  std::string token;
  bool only_hooks = false;   // its process only calls hooks
  std::uint32_t replay = 0;  // as in its AttemptSpec
};

enum class StopReason : std::uint8_t { kCanceled, kTimedOut, kShutdown };

class AttemptObserver {
 public:
  virtual ~AttemptObserver() = default;
  /// The child process exists and has been given the payload.
  virtual void on_started(AttemptHandle attempt, std::int32_t pid) = 0;
  /// A log line of the task, or a captured line of its stdout or stderr.
  virtual void on_log(AttemptHandle attempt, store::LogEntry entry) = 0;
  /// A request of the attempt, to be answered by Launcher::reply, at once or later.
  virtual void on_request(AttemptHandle attempt, AttemptRequest request) = 0;
  /// A hook of the attempt was executed, or the process ended in it.
  virtual void on_hook(AttemptHandle attempt, HookSpan span) = 0;
  /// The attempt is about to end so; hooks are to be told what becomes of the run. Answered at once, and remembered:
  /// the last judgement is the attempt's outcome, and its on_result has `judged` set.
  virtual Judgement judge(AttemptHandle attempt, Provisional end) = 0;
  /// The attempt's end; nothing but on_released follows. The child of a successful or failed attempt waits for
  /// confirm(); one that died does not.
  virtual void on_result(AttemptHandle attempt, AttemptResult result) = 0;
  /// Nothing of the attempt executes any more (or its child serves others now): its slot is free. Last call, always
  /// after on_result.
  virtual void on_released(AttemptHandle attempt) = 0;
};

class Launcher {
 public:
  virtual ~Launcher() = default;
  /// Starts an attempt. What goes wrong is told through the observer (HOST_LOST when no process could be had).
  virtual void start(AttemptSpec spec, AttemptObserver& observer) = 0;
  /// The result is recorded durably: the child may leave. Exactly once after each on_result.
  virtual void confirm(AttemptHandle attempt) = 0;
  /// Answers a request of an attempt. Does nothing when it was answered or the attempt is over.
  virtual void reply(AttemptHandle attempt, std::uint64_t request, AttemptReply reply) = 0;
  /// The attempt's run waits from now on, or goes on: meanwhile its max_duration stands still, and what its hooks may
  /// take.
  virtual void wait(AttemptHandle attempt, bool waits) = 0;
  /// Ends an attempt: cancel flag, grace (30 s canceled, 5 s timed out), SIGTERM, 2 s, SIGKILL, with every descendant.
  /// Its on_result then carries kCanceled or kMaxDurationExceeded, or the result it still reached. An attempt whose
  /// outcome is judged is left to its last hooks, unless the host stops. `words`: why, for on_cancel; may be empty.
  virtual void stop(AttemptHandle attempt, StopReason reason, const std::string& words = {}) = 0;

  // ---- attempts of the host before this one; before the first start() ----
  /// Those that are there and were not adopted. What they say waits.
  virtual std::vector<Survivor> survivors() { return {}; }
  /// Goes on with one of them, which has executed for so long, as if it had been started here as `spec` says; what it
  /// has said meanwhile, its end included, is told from the event loop on. What `spec` says of its start is not done
  /// again.
  virtual void adopt(std::uint64_t /*survivor*/, AttemptSpec /*spec*/, store::Duration /*executed*/,
                     AttemptObserver& /*observer*/) {}
  /// Kills the others; `gone` is called once nothing of them executes any more. Once.
  virtual void end_survivors(std::function<void()> gone) { gone(); }
};

}  // namespace perdure::process
