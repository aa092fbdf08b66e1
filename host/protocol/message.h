// The words that host, zygote and attempt exchange: message kinds and, for each, who sends it, what its parts mean and
// what answers it. Carried as frames (frame.h). The numbers are wire format: append only; a peer of another build says
// kProtocolVersion in its first message.
//
// Links: `control` joins the host and one zygote; `attempt` joins the host and one child process.
// Every frame has: kind, arg (u32), id (u64), json (a small JSON text, may be empty), raw (bytes, e.g. a payload).
#pragma once

#include <chrono>
#include <cstdint>

namespace perdure::protocol {

inline constexpr std::uint32_t kProtocolVersion = 2;
/// The oldest that a host of this build speaks with zygotes that outlived a host of another build.
inline constexpr std::uint32_t kOldestProtocol = 2;
/// arg of the kStart that a zygote sends for the plugin's self test.
inline constexpr std::uint32_t kSelfTest = 0xffff'ffff;
/// The minor of the plugin interface that this build offers; perdure-zygote asserts that it is plugin.h's.
inline constexpr std::uint32_t kAbiMinor = 3;

enum class Kind : std::uint16_t {
  // ---- control: host -> zygote ----
  kFork = 1,  // start a child for attempt link `id`; fds: the child's end of the attempt socket, stdout, stderr; then,
              //   if it may outlive the host, the host's ends of these
  kSpares = 2,  // keep `arg` children forked ahead from now on; one that exits is replaced
  kSignal = 3,  // send signal `arg` to child `id` and every descendant of it (process group and tree)
  kQuit = 4,    // kill all children, then leave
  kTaken = 5,   // spare `id` has been given a run: replace it now rather than when it exits (optional: send it once the
                //   run is on its way)
  kKeep = 8,  // keep the children that execute attempts when the host is gone, for `arg` seconds, and wait for the next
              //   host; fds: the roster (roster.h), and the directory in which a socket named by the zygote's pid is
              //   where that one finds it

  // ---- control: zygote -> host ----
  // kLoaded and kRefused also come first from a child that executes without a zygote, over its attempt link.
  kLoaded = 16,  // the plugin is loaded; json: manifest {"protocol","plugin","version","abi_minor","isolation",
  //   "isolation_reason"?,"warnings":[…],"hooks":[{"global":bool,"hooks":[…]}],"tasks":[{"id","options":{…},"hooks":["on_start",…]}]};
  //   task order = index
  kRefused = 17,  // it cannot be; json: {"reason": one sentence, "details"?: text}; the zygote then exits
  kStarted = 18,  // child `id` runs as pid `arg`
  kSpare = 19,    // a child was forked ahead: its link id is `id` (bit 63 set), its pid `arg`; fds: the host's ends of
                  //   its attempt socket, stdout, stderr
  kExited = 20,   // child `id` (pid `arg`) is dead and so is every descendant of it; raw: ExitReport
  kForkFailed = 21,  // kFork `id` could not be done; json: {"error"}
  kTesting = 22,     // the plugin has registered and its self test begins; kLoaded or kRefused follows
  kBeside = 23,      // the plugin has registered, and of those whose global hooks are to stand around its tasks number
                     //   `arg`, from 1, is loaded next; what goes wrong from here on is that one's fault

  kOrphans = 24,  // first, to a host that takes over: `id` children follow; arg: kProtocolVersion; json:
                  //   {"temporary"}; fds: the roster
  kOrphan = 25,   // each of them: its link id is `id`, its pid `arg`; fds: the host's ends of its attempt socket,
                  //   stdout, stderr. kExited follows for those that have ended

  // ---- attempt: host -> child ----
  kStart = 32,    // run this; id: how many attempts the child has been given with it; arg: task index, or kSelfTest;
                  // json: StartInfo
                  // (below); raw: payload
  kConfirm = 33,  // the outcome is recorded: leave, or, when arg is 1 (recycling), wait for the next kStart
  kCancel = 34,   // set the cancel flag; arg: 1 canceled, 2 timed out, 3 the host stops; json: {"reason"}, or empty
  kResume = 35,   // the backtrace of a crashed child has been taken: die
  kAdopted =
      40,       // another host has taken over, which knows nothing of what was said to the one before it; id: a number
                //   that no host before has used
  kReply = 36,  // to request `id`; arg: a perdure_status; json/raw: the answer

  // ---- attempt: child -> host ----
  kOutcome = 48,  // exactly one for each kStart; id: that of the kStart; arg: Outcome; json: error
                  // {"name","message","stack"?,"details"?,"retry_at"?}
  //   (ms since the epoch) unless kSuccess; raw: output JSON text on kSuccess; json {"too_large":bytes} and no
  //   raw for a kSuccess whose output is over the output limit and was not sent
  kLog = 49,  // arg: level 0-4; id: ms since the epoch; json: fields or empty; raw: message
  kHeartbeat = 50,
  kCrash = 51,    // sent from the signal handler, which then waits for kResume (at most 10 s); raw: CrashReport
  kRequest = 52,  // asks the host something; id: request id, ascending in the process; arg: RequestKind; json/raw: by
                  //   kind; answered by kReply, in whatever order. Only while an attempt executes
  kSpan = 53,     // a hook begins (arg 0) or has ended (arg 1); id: its number, never used twice by one process; json:
                  //   {"hook","scope":"task"|"plugin"|"global"} and at its end "startedAt":ms since the epoch,
                  //   "durationUs":n,"error":{…as in kOutcome…}?,"ignored":true? (the error does no harm)
  kResend = 60,  // the answer to kAdopted `id`: every request without an answer, and an outcome that was not confirmed,
                 // follow
                 //   once more
  kUsage = 54,   // before its kOutcome, by an attempt that took longer than kMoment; raw: UsageReport
};

/// arg of kRequest. Numbers are spoken between builds: append only.
enum class RequestKind : std::uint32_t {
  kJudge = 1,     // the attempt ends so: what becomes of the run? json: {"outcome":arg of kOutcome,"said":its json?},
                  //   raw as kOutcome's. Once more after catch_error, with what that made of it: "replaced":error?,
                  //   "decision":any?, or "failed":its own error. Reply: {"ended":"success"|"failure"|"timed_out"|
                  //   "canceled","final":bool,"retryAtMs":ms|null,"retry":policy,"error":error?}. From then on the last
                  //   judgement counts, whatever kOutcome says and however the process ends
                  //   Sent again to another host, though it was answered: "toldRetryAtMs":ms|null, as it was
  kMetadata = 2,  // changes an entry of a run's metadata
  kTags = 3,      // adds tags to the run
  kStream = 4,    // appends to a stream of the run
  kTrigger = 5,   // triggers a run; a durable call
  kRecall = 6,  // what an earlier attempt has recorded of a step: {"call":n,"name":text}; raw of the reply: its result.
                //   kNotFound: nothing
  kRecord =
      7,      // a step's result, a durable call: {"call":n,"name":text,"durationUs":n}; raw: JSON. Answered once it is
              //   durable
  kWait = 8,  // the run waits, a durable call: {"call":n,"name":text,"mode":"all"|"any"?,"for":[{"ms":n} | {"until":ms
              //   since the epoch} | {"run":id} | {"token":id}],"single":true?,"tell":true?}. Answered when it is
              //   over, with `tell` also when it begins (kBegun, of one that is not over at once). raw: of a single
              //   one the output, or with kChildFailed, kTimedOut the error; else an array, in order, of
              //   {"ok":true,"runId"?,"output"} | {"ok":false,"runId"?,"error"} | null (of any: it was not the first)
  kTokenCreate = 20,    // makes a waitpoint token, a durable call: {"call":n,"options":{…}?}; raw of the reply:
                        //   {"id","url"}. Answered once it is durable
  kTokenComplete = 21,  // completes one, a durable call: {"call":n,"token":id}; raw: JSON. Answered once it is durable
  kBatch = 30,  // triggers runs together, all or none; a durable call: {"call":n,"awaited":true?}; raw: array of
                //   {"task":id,"payload":any?,"options":{…}?}. Reply: raw {"id":batch,"runs":[ids in order]}
};
inline constexpr std::uint32_t kLastRequestKind = static_cast<std::uint32_t>(RequestKind::kBatch);

/// "call" of a durable call: which one it is of its caller, from 1, and above that bit who the caller is. All attempts
/// of a run number theirs alike, so that a later one finds what an earlier one did.
inline constexpr int kCallerShift = 48;
/// Whose durable calls are numbered together: those of the task and the middleware around it, and those of each hook.
/// Numbers are stored: append only.
enum class Caller : std::uint8_t {
  kRun = 0,
  kOnStartAttempt = 1,
  kOnStart = 2,
  kInit = 3,
  kCleanup = 4,
  kCatchError = 5,
  kOnSuccess = 6,
  kOnFailure = 7,
  kOnComplete = 8,
  kOnCancel = 9,
  kOnWait = 10,
  kOnResume = 11,
};
inline constexpr std::size_t kCallers = static_cast<std::size_t>(Caller::kOnResume) + 1;

/// arg of kReply: those of perdure_status (plugin.h) that a host answers with, and some of its own.
enum class ReplyStatus : std::uint32_t {
  kOk = 0,
  kFailed = 1,
  kSuspended = 5,  // of a wait: the process is to leave, its run waits on without it
  kTimedOut = 6,
  kChildFailed = 7,
  kNotFound = 8,
  kInvalid = 9,
  kMismatch = 64,  // an earlier attempt has made another call there; json: the error that the attempt ends with, raw:
                   // why, for people
  kBegun = 65,     // the wait has begun; another answer follows
};

/// arg of kOutcome.
enum class Outcome : std::uint32_t { kSuccess = 0, kFailed = 1, kAborted = 2, kOutOfMemory = 3, kCanceled = 4 };

/// Most attempts end sooner; what costs something is done for the others only.
inline constexpr std::chrono::milliseconds kMoment{20};

/// raw of kUsage, host byte order (both ends are one machine): of the process since it began, with those of its
/// children that it has waited for.
struct UsageReport {
  std::uint64_t cpu_microseconds;  // user + system
  std::uint64_t peak_memory;       // bytes, the largest ru_maxrss
  std::uint64_t voluntary_switches, involuntary_switches;
};

/// raw of kExited.
struct ExitReport {
  std::int32_t wait_status;  // as waitpid(2) gives it
  std::uint32_t flags;
  static constexpr std::uint32_t kLeftFiles = 1;  // in its temporary directory, which is in the host's `left` now
  UsageReport usage;
};

/// raw of kCrash.
struct CrashReport {
  std::int32_t signal;
  std::int32_t code;      // si_code
  std::int32_t pid, tid;  // of the crashing thread
  std::uint64_t address;  // si_addr
  std::uint64_t context;  // address of the handler's ucontext_t in the child
};

// json of kStart: {"run":"run_…","attempt":n,"heartbeat_ms":30000,"output_limit":bytes,"log_limit":bytes,
//   "memory_limit":bytes (absent: none),"network":false?,"exec":false? (what the task's sandbox denies),
//   "only":["catch_error"|"on_cancel"|"on_failure"|"on_complete"]? (these hooks instead of the task, in this order),
//   "error":{"name","message","stack"?,"details"?}? and "reason":text? (what they are told),
//   "replay":n? (how often a process of this attempt has left during a wait), "resumed":n? (the call that was waited
//   in), "recycle":bool,"context":{… what the plugin sees as attempt->context …},"config":{… [plugins.NAME] …},
//   "configs":{NAME:{…}}? (of other plugins, whose global hooks stand around the task),
//   "environment":{NAME:text}? (variables for as long as the attempt lasts)}

/// Limits a receiver enforces; more is a protocol error.
inline constexpr std::size_t kMaxJson = std::size_t{4} << 20;
inline constexpr std::size_t kMaxRaw = std::size_t{64} << 20;
inline constexpr std::size_t kMaxRequestRaw = std::size_t{4} << 20;  // of a request; kJudge's may be an output
inline constexpr std::size_t kMaxBatchRaw = std::size_t{32} << 20;   // … of kBatch
inline constexpr std::size_t kMaxOpenHooks = 64;                     // of one attempt
inline constexpr std::uint32_t kMaxJudgements = 2;
inline constexpr std::size_t kMaxOpenRequests = 64;                 // of one attempt, not answered yet
inline constexpr std::size_t kInlineLimit = std::size_t{64} << 10;  // larger frames travel as a sealed memfd

}  // namespace perdure::protocol
