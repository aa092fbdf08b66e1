#include "store/model/timetable.h"

#include <algorithm>

namespace perdure::store {

namespace chrono = std::chrono;

Result<Timetable> Timetable::parse(const ScheduleRule& rule, TimeZones& zones) {
  Result<CronPattern> pattern = CronPattern::parse(rule.pattern);
  if (!pattern) return pattern.status();
  Result<std::shared_ptr<const TimeZone>> zone = zones.find(rule.timezone);
  if (!zone) return zone.status();
  Result<ScheduleWindow> window = ScheduleWindow::parse(rule.window);
  if (!window) return window.status();
  return Timetable(std::move(pattern).value(), std::move(zone).value(), std::move(window).value());
}

std::optional<Time> Timetable::next_nominal(Time after) const {
  // What fires later than `after` is what clocks have not shown until then.
  const std::optional<LocalTime> local = pattern_.next(zone_->shown_until(chrono::floor<chrono::seconds>(after)));
  if (!local) return std::nullopt;
  return Time(zone_->first_at(*local));
}

std::optional<DueTime> Timetable::next(Time after, std::string_view schedule_id) const {
  const std::optional<Time> nominal = next_nominal(after);
  if (!nominal) return std::nullopt;
  const std::optional<Time> following = next_nominal(*nominal);
  return DueTime{*nominal, *nominal + window_.offset(schedule_id, following.value_or(*nominal) - *nominal)};
}

std::vector<Time> Timetable::upcoming(Time after, std::size_t count) const {
  std::vector<Time> times;
  while (times.size() < count) {
    const std::optional<Time> next = next_nominal(after);
    if (!next) break;
    times.push_back(*next);
    after = *next;
  }
  return times;
}

std::optional<DueTime> Timetable::latest(Time after, Time until, std::string_view schedule_id) const {
  // Looks back further and further until something is due by then, then goes forward from there.
  for (Duration back = chrono::hours(1);; back *= 2) {
    const bool all = back >= until - after;
    std::optional<DueTime> found;
    for (std::optional<DueTime> due = next(all ? after : until - back, schedule_id); due && due->effective <= until;
         due = next(due->nominal, schedule_id)) {
      found = due;
    }
    if (found || all) return found;
  }
}

}  // namespace perdure::store
