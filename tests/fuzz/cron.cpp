// Target: cron patterns and the windows of schedules. Input: a pattern, a window, an instant in decimal seconds, each
// on a line of its own.
#include "store/model/cron.h"

#include <charconv>
#include <string>

#include "store/model/schedule_window.h"
#include "tests/fuzz/claim.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/targets.h"

namespace perdure::fuzz {
namespace {

constexpr std::int64_t kYear1 = -62'135'596'800;
constexpr std::int64_t kYear9999 = 253'402'300'799;

bool has(std::uint64_t mask, std::uint64_t value) { return (mask >> value & 1) != 0; }

// Whether the fields allow this minute, by the rule in cron.h.
bool allows(const store::CronFields& fields, store::LocalTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::year_month_day_last last{date.year() / date.month() / std::chrono::last};
  const auto minute = std::chrono::floor<std::chrono::minutes>(time - day).count();
  const auto weekday = std::chrono::weekday(day).c_encoding();
  const auto number = static_cast<unsigned>(date.day());
  const bool by_day = has(fields.days, number) || (fields.last_day && date.day() == last.day());
  const bool last_week = number + 7 > static_cast<unsigned>(last.day());
  const bool by_weekday = has(fields.weekdays, weekday) || (last_week && has(fields.last_weekdays, weekday));
  const bool on_day = fields.any_day && fields.any_weekday ? true
                      : fields.any_day                     ? by_weekday
                      : fields.any_weekday                 ? by_day
                                                           : by_day || by_weekday;
  return on_day && has(fields.months, static_cast<unsigned>(date.month())) &&
         has(fields.hours, static_cast<std::uint64_t>(minute / 60)) &&
         has(fields.minutes, static_cast<std::uint64_t>(minute % 60));
}

void try_window(std::string_view text, std::string_view id, store::Duration interval) {
  const store::Result<store::ScheduleWindow> window = store::ScheduleWindow::parse(text);
  if (!window) return;
  claim(window->text() == text, "a window keeps its text");
  const store::Duration offset = window->offset(id, interval);
  claim(offset >= store::Duration::zero(), "an offset in a window is not negative");
  claim(offset == window->offset(id, interval), "a schedule has one place in its window");
}

}  // namespace

void cron(std::string_view bytes) {
  Input input(bytes);
  const std::string_view text = input.line();
  const std::string_view window = input.line();
  const std::string_view digits = input.line();
  std::int64_t second = 1'700'000'000;
  std::from_chars(digits.data(), digits.data() + digits.size(), second);
  try_window(window, text, std::chrono::seconds(second > 0 && second < kYear9999 ? second : 60));

  const store::Result<store::CronPattern> pattern = store::CronPattern::parse(text);
  if (!pattern) {
    claim(pattern.status().code() == store::Code::kInvalid, "what is no pattern is refused as kInvalid");
    claim(!pattern.status().message().empty(), "a refusal says why");
    return;
  }
  claim(pattern->text() == text, "a pattern keeps its text");
  claim(!pattern->description().empty(), "a pattern has a description");
  const store::Result<store::CronFields> fields = store::parse_cron_fields(text);
  claim(fields && *fields == pattern->fields(), "the fields of a pattern are those that are parsed alone");

  store::LocalTime after{std::chrono::seconds(second)};
  const bool within = second > kYear1 && second < kYear9999;
  for (int i = 0; i < 4; ++i) {
    const std::optional<store::LocalTime> next = pattern->next(after);
    if (!next) {
      const bool near_end = second > kYear9999 - std::int64_t{10} * 366 * 86400;
      claim(!within || near_end || i > 0, "a pattern has a next time within the years 1 to 9999");
      return;
    }
    claim(*next > after, "the next time is later");
    claim(next->time_since_epoch().count() % 60 == 0, "the next time is a whole minute");
    claim(allows(pattern->fields(), *next), "the fields allow the next time");
    after = *next;
  }
}

}  // namespace perdure::fuzz
