// A run and what belongs to it, as plain structs: what the store keeps, the engine decides on and the API shows.
// Values without behaviour; the rules are in transitions.h and retry.h. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/model/failure.h"
#include "store/model/ids.h"

namespace perdure::store {

/// Order and numbers are stored: append only.
enum class RunStatus : std::uint8_t {
  kPendingVersion = 1,  // no loaded plugin offers the task
  kDelayed = 2,         // not ready before `ready_at`: a trigger's delay, or a retry's backoff
  kQueued = 3,
  kDequeued = 4,  // claimed, the attempt not yet executing
  kExecuting = 5,
  kWaiting = 6,
  kCompleted = 7,
  kFailed = 8,
  kCrashed = 9,
  kTimedOut = 10,
  kSystemFailure = 11,
  kCanceled = 12,
  kExpired = 13,
};

std::string_view status_name(RunStatus status);  // "PENDING_VERSION", ...
std::optional<RunStatus> parse_status(std::string_view name);
constexpr bool is_final(RunStatus s) { return s >= RunStatus::kCompleted; }

/// What the trigger asked for; absent means: as the task says.
struct RunOptions {
  std::optional<std::uint32_t> max_attempts;
  std::optional<Duration> max_duration;  // 0: none, whatever the task says
  std::optional<Duration> ttl;
  std::string machine;            // preset name, or empty
  std::string idempotency_key;    // as given by the client (possibly hashed); empty: none
  std::string idempotency_shown;  // what the user wrote, for display; may be empty
  std::vector<std::string> tags;  // at most 10, each 1-128 characters
  std::string metadata;           // JSON object text, or empty; as triggered: see Run::metadata_changed
  std::string payload_type;       // the packet type it was triggered with, e.g. "application/json"
  std::string payload_notes;      // of superjson: its "meta", which says what in the payload is a date and the like
  bool is_test = false;
  bool operator==(const RunOptions&) const = default;
};

struct Run {
  RunId id;
  TaskId task;
  RunStatus status = RunStatus::kQueued;
  QueueName queue;
  std::string concurrency_key;
  Duration priority{};  // head start in the queue
  Time created_at{};
  Time updated_at{};
  std::optional<Time> started_at;   // first attempt began
  std::optional<Time> finished_at;  // became final
  std::optional<Time> ready_at;     // DELAYED: becomes QUEUED then; WAITING: its wait's time, where it has one
  bool calendar = false;            // ready_at is a time of the calendar, not the end of a duration: see delay.h
  std::optional<Time> expires_at;   // not started by then: EXPIRED
  std::uint32_t attempts = 0;       // attempts begun; the newest one's number
  std::uint32_t host_losses = 0;    // of these, ended by HOST_LOST; not counted against max_attempts
  Duration executed{};              // sum of the ended attempts' durations
  VersionId version;                // locked at the first attempt; empty before
  RunOptions options;
  std::optional<Failure> failure;      // of the newest failed attempt; cleared by success
  std::string origin;                  // id of the run this replays, or empty
  RunId parent;                        // whose attempt triggered this one; empty: none did
  RunId root;                          // the first of its line; empty: this one
  std::uint32_t depth = 0;             // how many are above it
  bool metadata_changed = false;       // since it was triggered: Store::metadata() has it
  std::string debounce_key;            // under which it takes later triggers in while it is DELAYED: see debounce.h
  std::optional<Time> debounce_until;  // … which delay it no longer than this
  std::string machine;  // of its attempts from now on, since one ran out of memory; empty: as its options say
  ScheduleId schedule;  // that made it; empty: none did
  std::optional<Time> scheduled_for;  // the schedule's due time that it is for
  BatchId batch;                      // with which it was triggered; empty: alone
  bool operator==(const Run&) const = default;
};

/// What an attempt used: the duration of every one, the rest of those that took longer than a moment or whose process
/// died.
struct Usage {
  Duration duration{};
  std::chrono::microseconds cpu{};
  std::uint64_t peak_memory = 0;  // bytes
  std::uint64_t voluntary_switches = 0, involuntary_switches = 0;
  bool operator==(const Usage&) const = default;
};
/// What two processes used, one after the other.
Usage operator+(const Usage& a, const Usage& b);

enum class AttemptStatus : std::uint8_t { kExecuting = 1, kSucceeded = 2, kFailed = 3, kLost = 4, kCanceled = 5 };
std::string_view attempt_status_name(AttemptStatus status);

struct Attempt {
  RunId run;
  std::uint32_t number = 1;  // from 1, dense
  AttemptStatus status = AttemptStatus::kExecuting;
  Time started_at{};
  std::optional<Time> ended_at;
  VersionId version;
  std::string token;     // the fence: who may record this attempt's outcome
  std::int32_t pid = 0;  // 0 while unknown
  std::optional<Failure> failure;
  Usage usage;
  std::string machine;          // on which it executes, as machine_text(); empty: not known
  std::uint32_t evictions = 0;  // how often its process has left during a wait; another one went on after each
  bool operator==(const Attempt&) const = default;
};

/// One line of a run's timeline. `sequence` counts from 1 without gaps within the run.
struct TimelineEvent {
  std::uint32_t sequence = 0;
  Time at{};
  std::string name;                       // the RunEvent's name, e.g. "attempt_started", or "hook" or "step"; the
                                          // first is "triggered"
  RunStatus status = RunStatus::kQueued;  // the run's status after it
  std::uint32_t attempt = 0;              // 0: none
  std::string data;                       // JSON object or empty
  bool operator==(const TimelineEvent&) const = default;
};

enum class LogLevel : std::uint8_t { kTrace, kDebug, kInfo, kWarn, kError };
enum class LogSource : std::uint8_t { kTask = 1, kStdout = 2, kStderr = 3, kHost = 4 };
std::string_view log_level_name(LogLevel level);
std::string_view log_source_name(LogSource source);

struct LogEntry {
  std::uint64_t sequence = 0;  // given by the store, ascending within the run
  Time at{};
  std::uint32_t attempt = 0;
  LogLevel level = LogLevel::kInfo;
  LogSource source = LogSource::kTask;
  std::string message;
  std::string fields;  // JSON object or empty
  bool operator==(const LogEntry&) const = default;
};

}  // namespace perdure::store
