// When something repeats, as a cron pattern of five fields: minute, hour, day of the month, month, day of the week. It
// speaks of the times that a clock on a wall shows and knows no time zone; timetable.h joins the two. Who calls it:
// schedules and the check of a task's options. Values; any thread.
//
// Each field is `*` (or `?`), or a list by commas of numbers, ranges (1-5) and either with a step (*/15, 8-18/2; 5/15
// is 5-59/15). Months and days of the week have names in any case (JAN, MON); Sunday is 0, 7 or SUN. `L` is the last
// day of the month, 5L or FRIL its last Friday. When neither of the two day fields is `*` or `?`, a day that fits
// either of them is enough, as in every cron since Vixie's; any other text restricts, `*/2` too. Macros: @hourly,
// @daily, @midnight,
// @weekly (Sunday), @monthly, @yearly, @annually.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "store/model/status.h"

namespace perdure::store {

/// A reading of a clock on a wall: the same text may be two instants in a time zone, or none.
using LocalTime = std::chrono::local_seconds;

/// What the fields of a pattern allow: bit n of a mask is the value n.
struct CronFields {
  std::uint64_t minutes = 0;        // 0-59
  std::uint32_t hours = 0;          // 0-23
  std::uint32_t days = 0;           // 1-31
  std::uint32_t months = 0;         // 1-12
  std::uint32_t weekdays = 0;       // 0-6, Sunday is 0
  std::uint32_t last_weekdays = 0;  // the same, only the last of it in a month
  bool last_day = false;            // L among the days of the month
  bool any_day = false;             // the field is * or ?
  bool any_weekday = false;
  bool operator==(const CronFields&) const = default;
};

class CronPattern {
 public:
  /// kInvalid with the field, its text and what is expected there; also when no month has such a day (30 February), so
  /// that a pattern that was parsed always has a next time. At most 1,000 characters.
  static Result<CronPattern> parse(std::string_view text);

  /// The pattern as it was written.
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const CronFields& fields() const { return fields_; }

  /// The first matching minute later than `after`, which may have seconds. Goes from month to month, at most nine years
  /// of them (29 February has no longer gap); nothing only outside of the years 1 to 9999.
  [[nodiscard]] std::optional<LocalTime> next(LocalTime after) const;

  /// English for people: "Every 5 minutes", "At 09:30 on Monday to Friday".
  [[nodiscard]] std::string description() const;

 private:
  CronPattern(std::string text, const CronFields& fields) : text_(std::move(text)), fields_(fields) {}

  std::string text_;
  CronFields fields_;
};

/// The fields of a pattern without asking whether any day fits; kInvalid as parse() has it.
Result<CronFields> parse_cron_fields(std::string_view text);

}  // namespace perdure::store
