#include "store/model/time_zone.h"

#include <algorithm>

namespace perdure::store {
namespace {

namespace chrono = std::chrono;
using chrono::seconds;
using chrono::sys_seconds;

// No clock is further from UTC, by zone file or rule; so times that are further apart are never mixed up.
constexpr chrono::hours kMostOffset(26);

sys_seconds within_calendar(sys_seconds time) {
  constexpr sys_seconds kFirst = chrono::sys_days(chrono::year(-9999) / 1 / 1);
  constexpr sys_seconds kLast = chrono::sys_days(chrono::year(9999) / 12 / 31);
  return std::clamp(time, kFirst, kLast);
}

LocalTime shown(sys_seconds time, seconds offset) { return LocalTime((time + offset).time_since_epoch()); }

}  // namespace

TimeZone::Period TimeZone::period_by_rule(sys_seconds time) const {
  if (rule_->is_fixed()) return {rule_->standard(), std::nullopt, std::nullopt};
  // A rule may put a change a week into the next year or the last one, hence two years to each side.
  const chrono::year year = chrono::year_month_day(chrono::floor<chrono::days>(time)).year();
  std::array<OffsetChange, 10> changes{};
  for (int i = 0; i < 5; ++i) {
    std::ranges::copy(rule_->changes_in(year + chrono::years(i - 2)), changes.begin() + 2 * i);
  }
  // Stable: daylight saving that ends when the next year's begins has no end.
  std::ranges::stable_sort(changes, {}, &OffsetChange::begin);
  const auto next = std::ranges::upper_bound(changes, time, {}, &OffsetChange::begin);
  return {std::prev(next)->offset, std::prev(next)->begin, next->begin};
}

TimeZone::Period TimeZone::period_at(sys_seconds time) const {
  const auto next = std::ranges::upper_bound(changes_, time, {}, &OffsetChange::begin);
  if (next == changes_.end() && rule_) {
    Period period = period_by_rule(time);
    if (!changes_.empty()) period.begin = std::max(period.begin.value_or(sys_seconds::min()), changes_.back().begin);
    return period;
  }
  Period period{first_, std::nullopt, std::nullopt};
  if (next != changes_.end()) period.end = next->begin;
  if (next != changes_.begin()) {
    period.offset = std::prev(next)->offset;
    period.begin = std::prev(next)->begin;
  }
  return period;
}

seconds TimeZone::offset_at(sys_seconds time) const { return period_at(within_calendar(time)).offset; }

LocalTime TimeZone::shown_until(sys_seconds time) const {
  time = within_calendar(time);
  Period period = period_at(time);
  LocalTime latest = shown(time, period.offset);
  while (period.begin && *period.begin > time - 2 * kMostOffset) {
    const sys_seconds last = *period.begin - seconds(1);
    period = period_at(last);
    latest = std::max(latest, shown(last, period.offset));
  }
  return latest;
}

sys_seconds TimeZone::first_at(LocalTime local) const {
  const sys_seconds as_utc = within_calendar(sys_seconds(local.time_since_epoch()));
  sys_seconds from = as_utc - kMostOffset;
  for (Period period = period_at(from);; period = period_at(from)) {
    const sys_seconds found = std::max(from, as_utc - period.offset);
    if (!period.end || found < *period.end) return found;
    from = *period.end;
  }
}

}  // namespace perdure::store
