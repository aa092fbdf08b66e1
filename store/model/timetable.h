// When a schedule is due: a cron pattern in a time zone, with a window. The one place that joins the three, so that
// engine, API and command line agree on every next time. Values (a zone is shared); any thread.
//
// A pattern's times are times of day where the zone's clocks are. A time that clocks skip fires at the end of the gap,
// at the next time that does exist; several skipped ones and one that is due right then fire once. A time that occurs
// twice, because clocks are set back, fires once, at the first. That holds for every pattern, so */15 pauses for the
// hour that occurs again; who wants steady intervals takes UTC.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/model/cron.h"
#include "store/model/ids.h"
#include "store/model/schedule.h"
#include "store/model/schedule_window.h"
#include "store/model/status.h"
#include "store/model/time_zone.h"
#include "store/model/time_zones.h"

namespace perdure::store {

struct DueTime {
  Time nominal;    // what the pattern says: the `timestamp` of a payload
  Time effective;  // when it fires: later by the schedule's offset in the window
  bool operator==(const DueTime&) const = default;
};

class Timetable {
 public:
  /// kInvalid with the part that is wrong and what is expected; kCorruption when the zone's file is damaged.
  static Result<Timetable> parse(const ScheduleRule& rule, TimeZones& zones = TimeZones::system());

  [[nodiscard]] const CronPattern& pattern() const { return pattern_; }

  /// The first time whose nominal one is later than `after`. Due times never come in another order by their effective
  /// times than by their nominal ones. Nothing only outside of the years 1 to 9999.
  [[nodiscard]] std::optional<DueTime> next(Time after, std::string_view schedule_id) const;

  /// The first `count` nominal times later than `after`.
  [[nodiscard]] std::vector<Time> upcoming(Time after, std::size_t count = 5) const;

  /// The last time whose nominal one is later than `after` and whose effective one is not later than `until`: what was
  /// missed most recently. Does not visit all that lie between.
  [[nodiscard]] std::optional<DueTime> latest(Time after, Time until, std::string_view schedule_id) const;

 private:
  Timetable(CronPattern pattern, std::shared_ptr<const TimeZone> zone, ScheduleWindow window)
      : pattern_(std::move(pattern)), zone_(std::move(zone)), window_(std::move(window)) {}
  [[nodiscard]] std::optional<Time> next_nominal(Time after) const;

  CronPattern pattern_;
  std::shared_ptr<const TimeZone> zone_;
  ScheduleWindow window_;
};

}  // namespace perdure::store
