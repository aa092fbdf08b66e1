// A schedule: what triggers a task again and again at the times of a pattern. Plain structs, what the store keeps; when
// a rule is due is the matter of cron and time zones, and the engine's to ask: the store is told times as values.
//
// A *due time* is one that the pattern names (the nominal minute). A schedule *fires* for it when its run is created,
// which happens at most once for each due time, whoever dies meanwhile. Values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/model/ids.h"

namespace perdure::store {

/// Numbers are stored: append only.
enum class ScheduleType : std::uint8_t {
  kDeclarative = 1,  // the task has it; kept as the task says at every load
  kImperative = 2,   // somebody made it: API, command line
};
/// What becomes of due times that passed while nothing could fire: the host was down, or nobody offered the task.
enum class CatchUp : std::uint8_t {
  kNone = 1,    // nothing
  kLatest = 2,  // the latest of them fires
  kAll = 3,     // every one fires, oldest first
};
/// What becomes of a due time while the last run of the schedule is unfinished.
enum class Overlap : std::uint8_t {
  kAllow = 1,           // it fires
  kSkip = 2,            // nothing
  kQueueOne = 3,        // it fires once that run is over; while one waits so, others are skipped
  kCancelPrevious = 4,  // that run is canceled, and it fires once that is over; a later one takes its place
};

std::string_view schedule_type_name(ScheduleType type);  // "DECLARATIVE", "IMPERATIVE"
std::string_view catch_up_name(CatchUp catch_up);        // "none", "latest", "all"
std::string_view overlap_name(Overlap overlap);          // "allow", "skip", "queue_one", "cancel_previous"
std::optional<CatchUp> parse_catch_up(std::string_view name);
std::optional<Overlap> parse_overlap(std::string_view name);

/// When a schedule is due, and what happens then.
struct ScheduleRule {
  std::string pattern = {};      // five fields, or a macro such as "@daily"
  std::string timezone = "UTC";  // IANA name
  std::string window = {};       // "30m", "50%": how far from its due time it may fire; empty: not at all
  CatchUp catch_up = CatchUp::kLatest;
  Overlap overlap = Overlap::kAllow;
  bool operator==(const ScheduleRule&) const = default;
};

/// Past due times that were asked for and have not all fired.
struct Backfill {
  Time next{};   // the next due time to fire
  Time until{};  // the last moment that counts
  bool operator==(const Backfill&) const = default;
};

struct Schedule {
  ScheduleId id;
  ScheduleType type = ScheduleType::kImperative;
  TaskId task;
  ScheduleRule rule;
  bool active = true;             // an inactive one is never due
  std::string deduplication_key;  // of all schedules at most one has it; empty: none
  std::string external_id;        // the user's word for whom it is, handed to the task; may be empty
  std::string declared_by;        // kDeclarative: the plugin's name
  Time created_at{};
  Time updated_at{};               // when it was changed by somebody, not when it fired
  std::optional<Time> next_due{};  // kept for inactive ones, too; nothing: never again
  std::optional<Time> next_at{};   // when it fires for that: the same, or later by its place in the window
  std::optional<Time> last_due{};  // the latest due time that fired, backfilled ones apart
  RunId last_run;                  // … and its run; empty: none yet
  std::optional<Time> waiting{};   // the due time that waits for the last run to be over
  std::optional<Backfill> backfill{};
  std::uint64_t revision = 0;  // counts the store's changes of it; 0: not stored yet
  bool operator==(const Schedule&) const = default;
};

}  // namespace perdure::store
