// The values of the store and how they are written: a version byte, then the fields in the order of their structs (see
// codec.h). A newer version adds fields at the end and keeps the byte; a change that older code must not read raises
// it. Decoding answers kCorruption for whatever is not such a value. Pure functions; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/model/clock_stand.h"
#include "store/model/run.h"
#include "store/model/status.h"
#include "store/model/waitpoint.h"
#include "store/rocks/keys.h"

namespace perdure::store::rocks {

/// A run with its newest attempt and its newest timeline events: one value, so that a transition writes one key. Older
/// attempts and events have moved to families of their own by then.
struct RunRecord {
  Run run;
  std::optional<Attempt> attempt;     // number run.attempts; nothing before the first
  std::uint32_t events = 0;           // sequence of the newest event
  std::vector<TimelineEvent> recent;  // the last of them, up to `events`
  std::optional<Wait> wait;           // WAITING
  bool operator==(const RunRecord&) const = default;
};

/// What hot state needs of an unfinished run, so that opening reads no run.
struct Waiting {
  TaskId task;
  QueueName queue;
  std::string concurrency_key;
  Time order{};                    // place within its queue: lower first
  std::optional<Time> ready_at;    // DELAYED
  std::optional<Time> expires_at;  // set while the run has not started
  // Which version the run is locked to; an empty one: to none. Nothing: written before this was kept, only the run
  // itself says it.
  std::optional<VersionId> version;
  std::optional<Duration> priority;  // of the run; nothing: as above
  bool calendar = false;             // ready_at is a time of the calendar
  std::optional<Wait> wait;          // WAITING; ready_at is its time
  bool operator==(const Waiting&) const = default;
};

/// How the clock stood when it was last set, and what that makes of timer time (timer_time.h).
struct ClockRecord {
  ClockStand stand;
  Duration ahead{};
  bool operator==(const ClockRecord&) const = default;
};

/// What an idempotency key, a request id or a debounce key stands for.
struct KeyRecord {
  PackedId run;
  Time expires_at{};  // in timer time
  bool operator==(const KeyRecord&) const = default;
};

/// Finished runs by status, kCompleted first.
using FinishedCounts = std::array<std::uint64_t, static_cast<std::size_t>(RunStatus::kExpired) -
                                                     static_cast<std::size_t>(RunStatus::kCompleted) + 1>;

std::string encode(const RunRecord& record);
std::string encode(const Attempt& attempt);  // its run is in the key
std::string encode(std::span<const TimelineEvent> events);
std::string encode(const std::vector<LogEntry>& entries);
std::string encode(const Waiting& waiting);
std::string encode(const ClockRecord& record);
std::string encode(const KeyRecord& record);
std::string encode(const FinishedCounts& counts);

Result<RunRecord> decode_run(PackedId id, std::string_view bytes);
Result<Attempt> decode_attempt(const RunId& run, std::string_view bytes);
/// Appends the events to `out`.
Status decode_events(std::string_view bytes, std::vector<TimelineEvent>& out);
/// Appends the entries with a sequence above `after` to `out`, until it holds `limit`.
Status decode_logs(std::string_view bytes, std::uint64_t after, std::size_t limit, std::vector<LogEntry>& out);
Result<Waiting> decode_waiting(std::string_view bytes);
Result<ClockRecord> decode_clock(std::string_view bytes);
Result<KeyRecord> decode_key(std::string_view bytes);
Result<FinishedCounts> decode_finished(std::string_view bytes);

}  // namespace perdure::store::rocks
