// See timer_time.h.
#include "store/rocks/timer_time.h"

#include <algorithm>

#include "store/model/delay.h"
#include "store/rocks/codec.h"

namespace perdure::store::rocks {
namespace {

using Move = Time(Time at, Duration by);  // later() or earlier()

void move(Run& run, Move& moved, Duration by) {
  if (by == Duration::zero()) return;
  const TimedParts parts = parts_of_durations(run);
  if (parts.ready) run.ready_at = moved(*run.ready_at, by);
  if (parts.expires) run.expires_at = moved(*run.expires_at, by);
  if (parts.debounce) run.debounce_until = moved(*run.debounce_until, by);
}

void move(Waiting& waiting, RunStatus status, Move& moved, Duration by) {
  const bool has_time = status == RunStatus::kDelayed || status == RunStatus::kWaiting;
  if (has_time && waiting.calendar) return;
  if (waiting.ready_at) waiting.ready_at = moved(*waiting.ready_at, by);
  if (waiting.expires_at) waiting.expires_at = moved(*waiting.expires_at, by);
}

}  // namespace

void to_wall(Run& run, Duration ahead) { move(run, earlier, ahead); }
void to_wall(Waiting& waiting, RunStatus status, Duration ahead) { move(waiting, status, earlier, ahead); }

std::string encode_timed(const RunRecord& record, Duration ahead) {
  if (ahead == Duration::zero()) return encode(record);
  RunRecord stored = record;
  move(stored.run, later, ahead);
  return encode(stored);
}

std::string encode_timed(const Waiting& waiting, RunStatus status, Duration ahead) {
  if (ahead == Duration::zero()) return encode(waiting);
  Waiting stored = waiting;
  move(stored, status, later, ahead);
  return encode(stored);
}

void DueTimes::erase(PackedId run) {
  for (Times* each : {&calendar_, &durations_}) {
    std::erase_if(*each, [run](const auto& entry) { return entry.second == run; });
  }
}

std::optional<Time> DueTimes::next() const {
  std::optional<Time> next;
  if (!calendar_.empty()) next = calendar_.begin()->first;
  if (!durations_.empty()) {
    const Time first = durations_.begin()->first - ahead;
    if (!next || first < *next) next = first;
  }
  return next;
}

std::vector<PackedId> DueTimes::until(Time now) const {
  std::vector<PackedId> due;
  const auto take = [&due](const Times& times, Time end) {
    for (const auto& [at, run] : times) {
      if (at > end) break;
      due.push_back(run);
    }
  };
  take(calendar_, now);
  take(durations_, now + ahead);
  std::sort(due.begin(), due.end());  // a run may be due twice: to begin and to expire
  due.erase(std::unique(due.begin(), due.end()), due.end());
  return due;
}

}  // namespace perdure::store::rocks
