// Encoding of values; see records.h.
#include "store/rocks/records.h"

#include <utility>

#include "store/model/transitions.h"
#include "store/rocks/codec.h"
#include "store/rocks/wait_record.h"

namespace perdure::store::rocks {
namespace {

// Which of the optional parts of a Run follow.
enum RunParts : std::uint64_t {
  kStartedAt = 1u << 0,
  kFinishedAt = 1u << 1,
  kReadyAt = 1u << 2,
  kExpiresAt = 1u << 3,
  kFailure = 1u << 4,
  kMaxAttempts = 1u << 5,
  kMaxDuration = 1u << 6,
  kTtl = 1u << 7,
  kIsTest = 1u << 8,
  kMachine = 1u << 9,
  kIdempotencyKey = 1u << 10,
  kIdempotencyShown = 1u << 11,
  kTags = 1u << 12,
  kMetadata = 1u << 13,
  kPayloadType = 1u << 14,
  kOrigin = 1u << 15,
  kAttempt = 1u << 16,
  kAttemptVersion = 1u << 17,     // other than the run's
  kAttemptFailure = 1u << 18,     // other than the run's
  kAttemptRunFailure = 1u << 19,  // the run's
  kAttemptSwitches = 1u << 20,
  kAttemptMachine = 1u << 21,
  kLargerMachine = 1u << 22,  // of a run
  kParent = 1u << 23,         // from here on after the events
  kMetadataChanged = 1u << 24,
  kSchedule = 1u << 25,
  kCalendar = 1u << 26,
  kDebounceKey = 1u << 27,
  kDebounceUntil = 1u << 28,
  kWait = 1u << 29,
  kEvictions = 1u << 30,
  kBatch = 1u << 31,
  kPayloadNotes = std::uint64_t{1} << 32,
};

void put(Encoder& out, const Failure& failure) {
  out.u8(static_cast<std::uint8_t>(failure.kind));
  out.text(failure.name);
  out.text(failure.message);
  out.text(failure.stack);
  out.text(failure.details);
}

Failure take_failure(Decoder& in) {
  Failure failure;
  failure.kind = in.one_of(FailureKind::kTaskError, FailureKind::kHandleErrorError);
  failure.name = in.string();
  failure.message = in.string();
  failure.stack = in.string();
  failure.details = in.string();
  return failure;
}

// A timeline event's name: its RunEvent's number plus one, or kNamed and the text.
constexpr std::uint8_t kNamed = 0;

void put(Encoder& out, const TimelineEvent& event) {
  std::uint8_t code = kNamed;
  for (std::size_t i = 0; i < kRunEventCount && code == kNamed; ++i) {
    if (event.name == event_name(static_cast<RunEvent>(i))) code = static_cast<std::uint8_t>(i + 1);
  }
  out.u8(code);
  if (code == kNamed) out.text(event.name);
  out.u64(event.sequence);
  out.time(event.at);
  out.u8(static_cast<std::uint8_t>(event.status));
  out.u64(event.attempt);
  out.text(event.data);
}

TimelineEvent take_event(Decoder& in) {
  TimelineEvent event;
  const std::uint8_t code = in.u8();
  if (code == kNamed) {
    event.name = in.string();
  } else if (code <= kRunEventCount) {
    event.name = event_name(static_cast<RunEvent>(code - 1));
  } else {
    in.refuse();
  }
  event.sequence = in.u32();
  event.at = in.time();
  event.status = in.one_of(RunStatus::kPendingVersion, RunStatus::kExpired);
  event.attempt = in.u32();
  event.data = in.string();
  return event;
}

void put(Encoder& out, const Attempt& attempt) {
  out.u64(attempt.number);
  out.u8(static_cast<std::uint8_t>(attempt.status));
  out.time(attempt.started_at);
  out.time(attempt.ended_at);
  out.text(attempt.token);
  out.i64(attempt.pid);
  out.duration(attempt.usage.duration);
  out.i64(attempt.usage.cpu.count());
  out.u64(attempt.usage.peak_memory);
}

void take_attempt(Decoder& in, Attempt& attempt) {
  attempt.number = in.u32();
  attempt.status = in.one_of(AttemptStatus::kExecuting, AttemptStatus::kCanceled);
  attempt.started_at = in.time();
  attempt.ended_at = in.maybe_time();
  attempt.token = in.string();
  attempt.pid = static_cast<std::int32_t>(in.i64());
  attempt.usage.duration = in.duration();
  attempt.usage.cpu = std::chrono::microseconds(in.i64());
  attempt.usage.peak_memory = in.u64();
}

bool has_switches(const Usage& usage) { return usage.voluntary_switches > 0 || usage.involuntary_switches > 0; }

void put_switches(Encoder& out, const Usage& usage) {
  out.u64(usage.voluntary_switches);
  out.u64(usage.involuntary_switches);
}

void take_switches(Decoder& in, Usage& usage) {
  usage.voluntary_switches = in.u64();
  usage.involuntary_switches = in.u64();
}

}  // namespace

std::string encode(const RunRecord& record) {
  const Run& run = record.run;
  const RunOptions& options = run.options;
  std::string bytes;
  bytes.reserve(192 + 24 * record.recent.size() + options.metadata.size() + options.idempotency_key.size() +
                run.version.text().size());
  Encoder out(bytes);
  out.u8(kValueVersion);
  std::uint64_t parts = 0;
  auto mark = [&parts](bool there, std::uint64_t part) { parts |= there ? part : 0; };
  mark(run.started_at.has_value(), kStartedAt);
  mark(run.finished_at.has_value(), kFinishedAt);
  mark(run.ready_at.has_value(), kReadyAt);
  mark(run.expires_at.has_value(), kExpiresAt);
  mark(run.failure.has_value(), kFailure);
  mark(options.max_attempts.has_value(), kMaxAttempts);
  mark(options.max_duration.has_value(), kMaxDuration);
  mark(options.ttl.has_value(), kTtl);
  mark(options.is_test, kIsTest);
  mark(!options.machine.empty(), kMachine);
  mark(!options.idempotency_key.empty(), kIdempotencyKey);
  mark(!options.idempotency_shown.empty(), kIdempotencyShown);
  mark(!options.tags.empty(), kTags);
  mark(!options.metadata.empty(), kMetadata);
  mark(!options.payload_type.empty(), kPayloadType);
  mark(!options.payload_notes.empty(), kPayloadNotes);
  mark(!run.origin.empty(), kOrigin);
  mark(!run.parent.empty(), kParent);
  mark(run.metadata_changed, kMetadataChanged);
  mark(!run.schedule.empty(), kSchedule);
  mark(run.calendar, kCalendar);
  mark(!run.debounce_key.empty(), kDebounceKey);
  mark(run.debounce_until.has_value(), kDebounceUntil);
  mark(!run.machine.empty(), kLargerMachine);
  mark(!run.batch.empty(), kBatch);
  mark(record.wait.has_value(), kWait);
  const std::optional<Attempt>& attempt = record.attempt;
  if (attempt) {
    mark(true, kAttempt);
    mark(attempt->version != run.version, kAttemptVersion);
    const bool same = attempt->failure == run.failure;
    mark(attempt->failure && !same, kAttemptFailure);
    mark(attempt->failure && same, kAttemptRunFailure);
    mark(has_switches(attempt->usage), kAttemptSwitches);
    mark(!attempt->machine.empty(), kAttemptMachine);
    mark(attempt->evictions > 0, kEvictions);
  }
  out.u64(parts);
  out.u8(static_cast<std::uint8_t>(run.status));
  out.u64(record.events);
  out.name(run.task);
  out.name(run.queue);
  out.text(run.concurrency_key);
  out.duration(run.priority);
  out.time(run.created_at);
  out.duration(between(run.created_at, run.updated_at));
  out.u64(run.attempts);
  out.u64(run.host_losses);
  out.duration(run.executed);
  out.name(run.version);
  if (parts & kStartedAt) out.duration(between(run.created_at, *run.started_at));
  if (parts & kFinishedAt) out.duration(between(run.created_at, *run.finished_at));
  if (parts & kReadyAt) out.duration(between(run.created_at, *run.ready_at));
  if (parts & kExpiresAt) out.duration(between(run.created_at, *run.expires_at));
  if (parts & kFailure) put(out, *run.failure);
  if (parts & kMaxAttempts) out.u64(*options.max_attempts);
  if (parts & kMaxDuration) out.duration(*options.max_duration);
  if (parts & kTtl) out.duration(*options.ttl);
  if (parts & kMachine) out.text(options.machine);
  if (parts & kIdempotencyKey) out.text(options.idempotency_key);
  if (parts & kIdempotencyShown) out.text(options.idempotency_shown);
  if (parts & kTags) {
    out.u64(options.tags.size());
    for (const std::string& tag : options.tags) out.text(tag);
  }
  if (parts & kMetadata) out.text(options.metadata);
  if (parts & kPayloadType) out.text(options.payload_type);
  if (parts & kOrigin) out.text(run.origin);
  if (parts & kAttempt) put(out, *attempt);
  if (parts & kAttemptVersion) out.name(attempt->version);
  if (parts & kAttemptFailure) put(out, *attempt->failure);
  if (parts & kAttemptSwitches) put_switches(out, attempt->usage);
  if (parts & kAttemptMachine) out.text(attempt->machine);
  if (parts & kLargerMachine) out.text(run.machine);
  out.u64(record.recent.size());
  for (const TimelineEvent& event : record.recent) put(out, event);
  if (parts & kParent) {
    out.name(run.parent);
    out.name(run.root);
    out.u64(run.depth);
  }
  if (parts & kDebounceKey) out.text(run.debounce_key);
  if (parts & kDebounceUntil) out.duration(between(run.created_at, *run.debounce_until));
  if (parts & kSchedule) {
    out.name(run.schedule);
    out.time(run.scheduled_for);
  }
  if (parts & kBatch) out.name(run.batch);
  if (parts & kWait) put_wait(out, *record.wait);
  if (parts & kEvictions) out.u64(attempt->evictions);
  if (parts & kPayloadNotes) out.text(options.payload_notes);
  return bytes;
}

Result<RunRecord> decode_run(PackedId id, std::string_view bytes) {
  Decoder in(bytes);
  if (!has_version(in)) return damaged("run " + unpack(id).text());
  RunRecord record;
  Run& run = record.run;
  RunOptions& options = run.options;
  const std::uint64_t parts = in.u64();
  run.id = unpack(id);
  run.status = in.one_of(RunStatus::kPendingVersion, RunStatus::kExpired);
  record.events = in.u32();
  run.task = in.name<TaskId>();
  run.queue = in.name<QueueName>();
  run.concurrency_key = in.string();
  run.priority = in.duration();
  run.created_at = in.time();
  auto since_creation = [&in, created = run.created_at] { return later(created, in.duration()); };
  run.updated_at = since_creation();
  run.attempts = in.u32();
  run.host_losses = in.u32();
  run.executed = in.duration();
  run.version = in.name<VersionId>();
  if (parts & kStartedAt) run.started_at = since_creation();
  if (parts & kFinishedAt) run.finished_at = since_creation();
  if (parts & kReadyAt) run.ready_at = since_creation();
  if (parts & kExpiresAt) run.expires_at = since_creation();
  if (parts & kFailure) run.failure = take_failure(in);
  if (parts & kMaxAttempts) options.max_attempts = in.u32();
  if (parts & kMaxDuration) options.max_duration = in.duration();
  if (parts & kTtl) options.ttl = in.duration();
  options.is_test = (parts & kIsTest) != 0;
  if (parts & kMachine) options.machine = in.string();
  if (parts & kIdempotencyKey) options.idempotency_key = in.string();
  if (parts & kIdempotencyShown) options.idempotency_shown = in.string();
  if (parts & kTags) {
    const std::size_t tags = in.count();
    for (std::size_t i = 0; i < tags && in.ok(); ++i) options.tags.push_back(in.string());
  }
  if (parts & kMetadata) options.metadata = in.string();
  if (parts & kPayloadType) options.payload_type = in.string();
  if (parts & kOrigin) run.origin = in.string();
  if (parts & kAttempt) {
    Attempt& attempt = record.attempt.emplace();
    attempt.run = run.id;
    take_attempt(in, attempt);
    attempt.version = parts & kAttemptVersion ? in.name<VersionId>() : run.version;
    if (parts & kAttemptFailure) attempt.failure = take_failure(in);
    if (parts & kAttemptRunFailure) attempt.failure = run.failure;
    if (parts & kAttemptSwitches) take_switches(in, attempt.usage);
    if (parts & kAttemptMachine) attempt.machine = in.string();
  }
  if (parts & kLargerMachine) run.machine = in.string();
  const std::size_t count = in.count();
  for (std::size_t i = 0; i < count && in.ok(); ++i) record.recent.push_back(take_event(in));
  if (parts & kParent) {
    run.parent = in.name<RunId>();
    run.root = in.name<RunId>();
    run.depth = in.u32();
  }
  if (parts & kDebounceKey) run.debounce_key = in.string();
  if (parts & kDebounceUntil) run.debounce_until = since_creation();
  if (parts & kSchedule) {
    run.schedule = in.name<ScheduleId>();
    run.scheduled_for = in.maybe_time();
  }
  if (parts & kBatch) run.batch = in.name<BatchId>();
  if (parts & kWait) record.wait = take_wait(in);
  if ((parts & kEvictions) && record.attempt) record.attempt->evictions = in.u32();
  if (parts & kPayloadNotes) options.payload_notes = in.string();
  run.metadata_changed = (parts & kMetadataChanged) != 0;
  run.calendar = (parts & kCalendar) != 0;
  if (!in.ok()) return damaged("run " + unpack(id).text());
  return record;
}

std::string encode(const Attempt& attempt) {
  std::string bytes;
  bytes.reserve(64 + attempt.version.text().size() + attempt.token.size());
  Encoder out(bytes);
  out.u8(kValueVersion);
  put(out, attempt);
  out.name(attempt.version);
  out.flag(attempt.failure.has_value());
  if (attempt.failure) put(out, *attempt.failure);
  put_switches(out, attempt.usage);
  out.text(attempt.machine);
  out.u64(attempt.evictions);
  return bytes;
}

Result<Attempt> decode_attempt(const RunId& run, std::string_view bytes) {
  Decoder in(bytes);
  if (!has_version(in)) return damaged("attempt of run " + run.text());
  Attempt attempt;
  attempt.run = run;
  take_attempt(in, attempt);
  attempt.version = in.name<VersionId>();
  if (in.flag()) attempt.failure = take_failure(in);
  if (in.more()) {  // not in older ones
    take_switches(in, attempt.usage);
    attempt.machine = in.string();
  }
  if (in.more()) attempt.evictions = in.u32();
  if (!in.ok()) return damaged("attempt of run " + run.text());
  return attempt;
}

std::string encode(std::span<const TimelineEvent> events) {
  std::string bytes;
  bytes.reserve(4 + events.size() * 24);
  Encoder out(bytes);
  out.u8(kValueVersion);
  out.u64(events.size());
  for (const TimelineEvent& event : events) put(out, event);
  return bytes;
}

Status decode_events(std::string_view bytes, std::vector<TimelineEvent>& out) {
  Decoder in(bytes);
  if (!has_version(in)) return damaged("timeline");
  const std::size_t count = in.count();
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    TimelineEvent event = take_event(in);
    if (in.ok()) out.push_back(std::move(event));
  }
  return in.ok() ? Status::ok() : damaged("timeline");
}

std::string encode(const std::vector<LogEntry>& entries) {
  std::string bytes;
  Encoder out(bytes);
  out.u8(kValueVersion);
  out.u64(entries.size());
  for (const LogEntry& entry : entries) {
    out.u64(entry.sequence);
    out.time(entry.at);
    out.u64(entry.attempt);
    out.u8(static_cast<std::uint8_t>(entry.level));
    out.u8(static_cast<std::uint8_t>(entry.source));
    out.text(entry.message);
    out.text(entry.fields);
  }
  return bytes;
}

Status decode_logs(std::string_view bytes, std::uint64_t after, std::size_t limit, std::vector<LogEntry>& out) {
  Decoder in(bytes);
  if (!has_version(in)) return damaged("log");
  const std::size_t count = in.count();
  for (std::size_t i = 0; i < count && in.ok() && out.size() < limit; ++i) {
    LogEntry entry;
    entry.sequence = in.u64();
    entry.at = in.time();
    entry.attempt = in.u32();
    entry.level = in.one_of(LogLevel::kTrace, LogLevel::kError);
    entry.source = in.one_of(LogSource::kTask, LogSource::kHost);
    entry.message = in.string();
    entry.fields = in.string();
    if (in.ok() && entry.sequence > after) out.push_back(std::move(entry));
  }
  return in.ok() ? Status::ok() : damaged("log");
}

std::string encode(const Waiting& waiting) {
  std::string bytes;
  Encoder out(bytes);
  out.u8(kValueVersion);
  out.name(waiting.task);
  out.name(waiting.queue);
  out.text(waiting.concurrency_key);
  out.time(waiting.order);
  out.time(waiting.ready_at);
  out.time(waiting.expires_at);
  if (waiting.version) out.name(*waiting.version);
  if (waiting.version && waiting.priority) {
    out.duration(*waiting.priority);
    out.flag(waiting.calendar);
    out.flag(waiting.wait.has_value());
    if (waiting.wait) put_wait(out, *waiting.wait);
  }
  return bytes;
}

Result<Waiting> decode_waiting(std::string_view bytes) {
  Decoder in(bytes);
  if (!has_version(in)) return damaged("queue entry");
  Waiting waiting;
  waiting.task = in.name<TaskId>();
  waiting.queue = in.name<QueueName>();
  waiting.concurrency_key = in.string();
  waiting.order = in.time();
  waiting.ready_at = in.maybe_time();
  waiting.expires_at = in.maybe_time();
  if (in.more()) waiting.version = in.name<VersionId>();
  if (in.more()) waiting.priority = in.duration();
  if (in.more()) waiting.calendar = in.flag();
  if (in.more() && in.flag()) waiting.wait = take_wait(in);
  if (!in.ok()) return damaged("queue entry");
  return waiting;
}

std::string encode(const ClockRecord& record) {
  std::string bytes;
  Encoder out(bytes);
  out.u8(kValueVersion);
  out.text(record.stand.boot);
  out.duration(record.stand.wall);
  out.duration(record.ahead);
  return bytes;
}

Result<ClockRecord> decode_clock(std::string_view bytes) {
  Decoder in(bytes);
  if (!has_version(in)) return damaged("stand of the clock");
  ClockRecord record;
  record.stand.boot = in.string();
  record.stand.wall = in.duration();
  record.ahead = in.duration();
  if (!in.ok()) return damaged("stand of the clock");
  return record;
}

std::string encode(const KeyRecord& record) {
  std::string bytes;
  Encoder out(bytes);
  out.u8(kValueVersion);
  out.time(record.expires_at);
  out.u64(record.run.high);
  out.u64(record.run.low);
  return bytes;
}

Result<KeyRecord> decode_key(std::string_view bytes) {
  Decoder in(bytes);
  if (!has_version(in)) return damaged("idempotency key");
  KeyRecord record;
  record.expires_at = in.time();
  record.run.high = in.u64();
  record.run.low = in.u64();
  if (!in.ok()) return damaged("idempotency key");
  return record;
}

std::string encode(const FinishedCounts& counts) {
  std::string bytes;
  Encoder out(bytes);
  out.u8(kValueVersion);
  out.u64(counts.size());
  for (std::uint64_t count : counts) out.u64(count);
  return bytes;
}

Result<FinishedCounts> decode_finished(std::string_view bytes) {
  Decoder in(bytes);
  if (!has_version(in)) return damaged("counter of finished runs");
  FinishedCounts counts{};
  const std::size_t count = in.count();
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    const std::uint64_t value = in.u64();
    if (i < counts.size()) counts[i] = value;
  }
  if (!in.ok()) return damaged("counter of finished runs");
  return counts;
}

}  // namespace perdure::store::rocks
