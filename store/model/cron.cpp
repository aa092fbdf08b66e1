#include "store/model/cron.h"

#include <bit>

namespace perdure::store {
namespace {

namespace chrono = std::chrono;

// The longest wait is from 29 February 2096 to that of 2104.
constexpr int kMostMonths = 12 * 9;
constexpr chrono::year kFirstYear{1};
constexpr chrono::year kLastYear{9999};

bool has(std::uint64_t mask, unsigned value) { return (mask >> value & 1) != 0; }

unsigned last_day_of(chrono::year_month month) { return static_cast<unsigned>((month / chrono::last).day()); }

// The days of `month` that fit, as a mask.
std::uint32_t days_of(const CronFields& fields, chrono::year_month month) {
  const unsigned last = last_day_of(month);
  const std::uint32_t all = (~0u >> (31 - last)) & ~1u;  // bits 1 to last
  std::uint32_t days = fields.days & all;
  if (fields.last_day) days |= 1u << last;
  std::uint32_t by_weekday = 0;
  unsigned weekday = chrono::weekday(chrono::local_days(month / 1)).c_encoding();
  for (unsigned day = 1; day <= last; ++day, weekday = (weekday + 1) % 7) {
    const bool fits = has(fields.weekdays, weekday) || (day + 7 > last && has(fields.last_weekdays, weekday));
    if (fits) by_weekday |= 1u << day;
  }
  if (fields.any_weekday) return days;
  return fields.any_day ? by_weekday : days | by_weekday;
}

// The first minute of a day at or after `from` that fits.
std::optional<chrono::minutes> minute_of_day(const CronFields& fields, chrono::minutes from) {
  const auto hour = static_cast<unsigned>(from.count() / 60);
  const auto minute = static_cast<unsigned>(from.count() % 60);
  const std::uint64_t rest = fields.minutes & (~std::uint64_t{0} << minute);
  if (has(fields.hours, hour) && rest != 0) return chrono::hours(hour) + chrono::minutes(std::countr_zero(rest));
  const std::uint32_t later = fields.hours & (~0u << hour << 1);
  if (later == 0) return std::nullopt;
  return chrono::hours(std::countr_zero(later)) + chrono::minutes(std::countr_zero(fields.minutes));
}

// Whether any month has a day that fits: one without a day of the week may ask for 30 February only.
bool possible(const CronFields& fields) {
  if (!fields.any_weekday || fields.last_day) return true;
  for (unsigned month = 1; month <= 12; ++month) {
    constexpr chrono::year kLeapYear{2024};
    if (has(fields.months, month) && days_of(fields, kLeapYear / chrono::month(month)) != 0) return true;
  }
  return false;
}

}  // namespace

Result<CronPattern> CronPattern::parse(std::string_view text) {
  const Result<CronFields> fields = parse_cron_fields(text);
  if (!fields) return fields.status();
  if (!possible(*fields)) {
    return Status::invalid(
        "the cron pattern \"" + std::string(text.substr(0, 60)) +
        "\" would never fire: none of its months has such a day; expected a day that exists, or L for "
        "the last one");
  }
  return CronPattern(std::string(text), *fields);
}

std::optional<LocalTime> CronPattern::next(LocalTime after) const {
  // Compared before the calendar is asked: its years have 16 bits.
  if (after < chrono::local_days(kFirstYear / 1 / 1) || after >= chrono::local_days(kLastYear / 12 / 31)) {
    return std::nullopt;
  }
  const auto day = chrono::floor<chrono::days>(after);
  const chrono::year_month_day date(day);
  chrono::year_month month = date.year() / date.month();
  std::uint32_t days = has(fields_.months, static_cast<unsigned>(date.month())) ? days_of(fields_, month) : 0;
  // What is left of the day, then the first minute of each later one.
  const auto from = chrono::floor<chrono::minutes>(after - day) + chrono::minutes(1);
  if (has(days, static_cast<unsigned>(date.day())) && from < chrono::days(1)) {
    if (const auto minute = minute_of_day(fields_, from)) return day + *minute;
  }
  days &= ~std::uint32_t{0} << static_cast<unsigned>(date.day()) << 1;
  for (int i = 0; i <= kMostMonths; ++i) {
    if (days != 0) {
      const chrono::local_days found(month / static_cast<int>(std::countr_zero(days)));
      return found + *minute_of_day(fields_, chrono::minutes(0));
    }
    month += chrono::months(1);
    if (month.year() > kLastYear) return std::nullopt;
    days = has(fields_.months, static_cast<unsigned>(month.month())) ? days_of(fields_, month) : 0;
  }
  return std::nullopt;
}

}  // namespace perdure::store
