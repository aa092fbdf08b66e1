// The state machine of a run. Read a row as: when this happens to a run in the column's status, it is in that one next;
// `no` where it cannot happen. Changing the table changes the diagram in store/README.md, which a test compares.
#include "store/model/transitions.h"

namespace perdure::store {
namespace {

using Cell = std::uint8_t;  // a RunStatus, or `no`; 0 would be a pair that nobody has listed
constexpr Cell no = 255;

constexpr Cell cell(RunStatus status) { return static_cast<Cell>(status); }
constexpr Cell held = cell(RunStatus::kPendingVersion);
constexpr Cell dely = cell(RunStatus::kDelayed);
constexpr Cell queu = cell(RunStatus::kQueued);
constexpr Cell dequ = cell(RunStatus::kDequeued);
constexpr Cell exec = cell(RunStatus::kExecuting);
constexpr Cell wait = cell(RunStatus::kWaiting);
constexpr Cell done = cell(RunStatus::kCompleted);
constexpr Cell fail = cell(RunStatus::kFailed);
constexpr Cell crsh = cell(RunStatus::kCrashed);
constexpr Cell tout = cell(RunStatus::kTimedOut);
constexpr Cell syst = cell(RunStatus::kSystemFailure);
constexpr Cell cncl = cell(RunStatus::kCanceled);
constexpr Cell expd = cell(RunStatus::kExpired);

struct Row {
  RunEvent event;
  std::string_view name;
  std::array<Cell, kRunStatusCount> next;
};

// An attempt that waits is a blocked process. It can die, and when it is told to stop it ends from there.
// clang-format off
constexpr std::array<Row, kRunEventCount> kTable = {{
    //                                               ┌──────── unfinished ────────────┐  ┌─────────── final ────────────┐
    //                                               held  dely  queu  dequ  exec  wait  done fail crsh tout syst cncl expd
    {RunEvent::kHeld,           "held",            {{no,   no,   held, no,   no,   no,   no,  no,  no,  no,  no,  no,  no}}},
    {RunEvent::kReleased,       "released",        {{queu, no,   no,   no,   no,   no,   no,  no,  no,  no,  no,  no,  no}}},
    {RunEvent::kDue,            "due",             {{no,   queu, no,   no,   no,   no,   no,  no,  no,  no,  no,  no,  no}}},
    {RunEvent::kClaimed,        "claimed",         {{no,   no,   dequ, no,   no,   no,   no,  no,  no,  no,  no,  no,  no}}},
    {RunEvent::kAttemptStarted, "attempt_started", {{no,   no,   no,   exec, no,   no,   no,  no,  no,  no,  no,  no,  no}}},
    {RunEvent::kSucceeded,      "succeeded",       {{no,   no,   no,   no,   done, done, no,  no,  no,  no,  no,  no,  no}}},
    {RunEvent::kRetryNow,       "retry_now",       {{no,   no,   no,   queu, queu, queu, no,  no,  no,  no,  no,  no,  no}}},
    {RunEvent::kRetryLater,     "retry_later",     {{no,   no,   no,   dely, dely, dely, no,  no,  no,  no,  no,  no,  no}}},
    {RunEvent::kFailed,         "failed",          {{no,   no,   no,   no,   fail, fail, no,  no,  no,  no,  no,  no,  no}}},
    {RunEvent::kCrashed,        "crashed",         {{no,   no,   no,   crsh, crsh, crsh, no,  no,  no,  no,  no,  no,  no}}},
    {RunEvent::kTimedOut,       "timed_out",       {{no,   no,   no,   no,   tout, tout, no,  no,  no,  no,  no,  no,  no}}},
    {RunEvent::kGaveUp,         "gave_up",         {{no,   no,   no,   syst, syst, syst, no,  no,  no,  no,  no,  no,  no}}},
    {RunEvent::kHostLost,       "host_lost",       {{no,   no,   no,   queu, queu, queu, no,  no,  no,  no,  no,  no,  no}}},
    {RunEvent::kWaitBegan,      "wait_began",      {{no,   no,   no,   no,   wait, no,   no,  no,  no,  no,  no,  no,  no}}},
    {RunEvent::kResumed,        "resumed",         {{no,   no,   no,   no,   no,   exec, no,  no,  no,  no,  no,  no,  no}}},
    {RunEvent::kCanceled,       "canceled",        {{cncl, cncl, cncl, cncl, cncl, cncl, no,  no,  no,  no,  no,  no,  no}}},
    {RunEvent::kExpired,        "expired",         {{expd, expd, expd, no,   no,   no,   no,  no,  no,  no,  no,  no,  no}}},
}};
// clang-format on

constexpr bool every_pair_is_listed_in_order() {
  for (std::size_t event = 0; event < kTable.size(); ++event) {
    if (kTable[event].event != static_cast<RunEvent>(event)) return false;
    for (const Cell each : kTable[event].next) {
      if (each == 0 || (each > kRunStatusCount && each != no)) return false;
    }
  }
  return true;
}
static_assert(every_pair_is_listed_in_order());

}  // namespace

std::string_view event_name(RunEvent event) {
  const auto row = static_cast<std::size_t>(event);
  return row < kTable.size() ? kTable[row].name : "unknown";
}

std::optional<RunStatus> transition(RunStatus status, RunEvent event) {
  const auto row = static_cast<std::size_t>(event);
  const auto column = static_cast<std::size_t>(status) - 1;
  if (row >= kTable.size() || column >= kRunStatusCount) return std::nullopt;
  const Cell next = kTable[row].next[column];
  if (next == no) return std::nullopt;
  return static_cast<RunStatus>(next);
}

}  // namespace perdure::store
