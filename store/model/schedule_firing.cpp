#include "store/model/schedule_firing.h"

#include <algorithm>
#include <utility>

namespace perdure::store {
namespace {

constexpr Duration kFarthestBack = std::chrono::hours(24 * 366 * 9);

void set_next(Schedule& schedule, const Timetable& times, Time after) {
  const std::optional<DueTime> next = times.next(after, schedule.id.text());
  schedule.next_due = next ? std::optional(next->nominal) : std::nullopt;
  schedule.next_at = next ? std::optional(next->effective) : std::nullopt;
}

void fire(Firing& firing, Time due) {
  firing.runs.push_back({due, firing.runs.empty() ? firing.schedule.last_due : std::optional(firing.runs.back().due)});
}

// What is due by `now`, beginning with what the schedule says itself: its zone's rules may have changed since then.
std::vector<DueTime> due_by(const Schedule& schedule, const Timetable& times, Time now) {
  std::vector<DueTime> due{{*schedule.next_due, *schedule.next_at}};
  while (due.size() < kMostFiredAtOnce) {
    const std::optional<DueTime> next = times.next(due.back().nominal, schedule.id.text());
    if (!next || next->effective > now) break;
    due.push_back(*next);
  }
  return due;
}

Firing fire_due(const Schedule& schedule, const Timetable& times, Time now, bool last_over) {
  Firing firing{.schedule = schedule, .runs = {}};
  Schedule& after = firing.schedule;
  const DueTime latest = times.latest(*schedule.next_due, now, schedule.id.text())
                             .value_or(DueTime{*schedule.next_due, *schedule.next_at});
  std::vector<DueTime> due{latest};
  if (schedule.rule.catch_up == CatchUp::kAll) due = due_by(schedule, times, now);
  if (schedule.rule.catch_up == CatchUp::kNone && now - latest.effective > kPunctual) due.clear();
  set_next(after, times, due.empty() ? latest.nominal : due.back().nominal);
  if (due.empty()) return firing;

  const Overlap overlap = schedule.rule.overlap;
  if (overlap == Overlap::kAllow) {
    for (const DueTime& each : due) fire(firing, each.nominal);
  } else if (last_over && !schedule.waiting) {
    fire(firing, due.front().nominal);
    set_next(after, times, due.front().nominal);
  } else {
    set_next(after, times, latest.nominal);
    if (overlap == Overlap::kQueueOne && !after.waiting) after.waiting = due.front().nominal;
    if (overlap == Overlap::kCancelPrevious) after.waiting = latest.nominal;
  }
  if (!firing.runs.empty()) after.last_due = firing.runs.back().due;
  return firing;
}

Firing fire_waiting(const Schedule& schedule) {
  Firing firing{.schedule = schedule, .runs = {}};
  fire(firing, *schedule.waiting);
  firing.schedule.last_due = schedule.waiting;
  firing.schedule.waiting.reset();
  return firing;
}

Firing fire_past(const Schedule& schedule, const Timetable& times) {
  Firing firing{.schedule = schedule, .runs = {}, .backfilled = true};
  std::optional<Backfill>& backfill = firing.schedule.backfill;
  std::optional<Time> last = due_before(times, backfill->next);
  while (firing.runs.size() < kMostFiredAtOnce) {
    const Time due = backfill->next;
    firing.runs.push_back({due, last});
    last = due;
    const std::optional<DueTime> next = times.next(due, schedule.id.text());
    if (!next || next->nominal > backfill->until) {
      backfill.reset();
      break;
    }
    backfill->next = next->nominal;
  }
  return firing;
}

}  // namespace

void plan_next(Schedule& schedule, const Timetable& times, Time now) {
  set_next(schedule, times, std::max({now, schedule.last_due.value_or(now), schedule.waiting.value_or(now)}));
}

std::optional<Firing> fire_now(const Schedule& schedule, const Timetable& times, Time now, bool last_over) {
  if (schedule.active && schedule.waiting && last_over) return fire_waiting(schedule);
  if (schedule.active && schedule.next_due && schedule.next_at && *schedule.next_at <= now) {
    return fire_due(schedule, times, now, last_over);
  }
  if (schedule.backfill) return fire_past(schedule, times);
  return std::nullopt;
}

std::optional<Time> due_before(const Timetable& times, Time time) {
  for (Duration back = std::chrono::minutes(1);; back = std::min(2 * back, kFarthestBack)) {
    std::optional<Time> found;
    for (auto due = times.next(time - back, {}); due && due->nominal < time; due = times.next(due->nominal, {})) {
      found = due->nominal;
    }
    if (found || back == kFarthestBack) return found;
  }
}

}  // namespace perdure::store
