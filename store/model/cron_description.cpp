// A cron pattern in English: "At 09:30 on Monday to Friday". Made from what the fields allow, so that patterns that
// mean the same read the same.
#include <array>
#include <bit>
#include <functional>
#include <vector>

#include "store/model/cron.h"

namespace perdure::store {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"January",   "February", "March",    "April",
                                                      "May",       "June",     "July",     "August",
                                                      "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> kWeekdays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};
constexpr std::size_t kMostTimes = 6;  // that are listed as times of day

using Naming = std::function<std::string(int)>;

std::vector<int> values_of(std::uint64_t mask) {
  std::vector<int> values;
  for (; mask != 0; mask &= mask - 1) values.push_back(std::countr_zero(mask));
  return values;
}

std::string two_digits(int value) { return (value < 10 ? "0" : "") + std::to_string(value); }
std::string time_text(int hour, int minute) { return two_digits(hour) + ':' + two_digits(minute); }

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += i + 1 == parts.size() ? " and " : ", ";
    text += parts[i];
  }
  return text;
}

// "1, 3 to 5 and 7": neighbours, from three on, as ranges.
std::string ranges(const std::vector<int>& values, const Naming& name) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < values.size();) {
    std::size_t end = i;
    while (end + 1 < values.size() && values[end + 1] == values[end] + 1) ++end;
    if (end - i >= 2) {
      parts.push_back(name(values[i]) + " to " + name(values[end]));
      i = end + 1;
    } else {
      parts.push_back(name(values[i++]));
    }
  }
  return joined(parts);
}

// The step by which the values go from 0 on until the next one would be `size` or more; 0 when they do not.
int step_of(const std::vector<int>& values, int size) {
  if (values.size() < 2 || values[0] != 0) return 0;
  const int step = values[1];
  for (std::size_t i = 1; i < values.size(); ++i) {
    if (values[i] - values[i - 1] != step) return 0;
  }
  const bool even = size % step == 0;  // else the last pause is shorter, and two values are better named
  return values.back() + step >= size && (even || values.size() > 2) ? step : 0;
}

std::string number_text(int value) { return std::to_string(value); }
std::string month_text(int value) { return std::string(kMonths[static_cast<std::size_t>(value - 1)]); }
std::string weekday_text(int value) { return std::string(kWeekdays[static_cast<std::size_t>(value)]); }

std::string minutes_text(const std::vector<int>& minutes) {
  if (minutes.size() == 60) return "Every minute";
  if (const int step = step_of(minutes, 60)) {
    return "Every " + std::to_string(step) + " minutes" + (60 % step == 0 ? "" : " within the hour");
  }
  return "At " + ranges(minutes, number_text) + (minutes == std::vector{1} ? " minute" : " minutes") + " past the hour";
}

std::string hours_text(const std::vector<int>& hours) {
  if (hours.back() - hours.front() + 1 == static_cast<int>(hours.size())) {
    return " from " + time_text(hours.front(), 0) + " to " + time_text(hours.back(), 59);
  }
  return " in the hours " + ranges(hours, number_text);
}

std::string time_of_day(const CronFields& fields) {
  const std::vector<int> minutes = values_of(fields.minutes);
  const std::vector<int> hours = values_of(fields.hours);
  if (hours.size() == 24) {
    return minutes == std::vector{0} ? "Every hour" : minutes_text(minutes);
  }
  if (minutes == std::vector{0}) {
    if (const int step = step_of(hours, 24)) {
      return "Every " + std::to_string(step) + " hours" + (24 % step == 0 ? "" : " within the day");
    }
  }
  if (minutes.size() * hours.size() <= kMostTimes) {
    std::vector<std::string> times;
    for (const int hour : hours) {
      for (const int minute : minutes) times.push_back(time_text(hour, minute));
    }
    return "At " + joined(times);
  }
  return minutes_text(minutes) + hours_text(hours);
}

std::string days_text(const CronFields& fields) {
  std::vector<std::string> parts;
  const std::vector<int> days = values_of(fields.days);
  if (!days.empty()) parts.push_back((days.size() == 1 ? "day " : "days ") + ranges(days, number_text));
  if (fields.last_day) parts.emplace_back("the last day");
  return joined(parts) + " of the month";
}

std::string weekdays_text(const CronFields& fields) {
  std::vector<std::string> parts;
  // Sunday goes last, so that a weekend is "Saturday and Sunday".
  std::vector<int> weekdays = values_of(fields.weekdays >> 1 << 1);
  std::vector<std::string> named;
  if (!weekdays.empty()) named.push_back(ranges(weekdays, weekday_text));
  if ((fields.weekdays & 1) != 0) named.emplace_back(kWeekdays[0]);
  if (fields.weekdays == 0x7f) named = {"every day of the week"};
  if (!named.empty()) parts.push_back(joined(named));
  if (fields.last_weekdays != 0) {
    parts.push_back("the last " + ranges(values_of(fields.last_weekdays), weekday_text) + " of the month");
  }
  return joined(parts);
}

}  // namespace

std::string CronPattern::description() const {
  std::string text = time_of_day(fields_);
  if (!fields_.any_day) text += " on " + days_text(fields_);
  if (!fields_.any_weekday) text += (fields_.any_day ? " on " : " or on ") + weekdays_text(fields_);
  if (fields_.any_day && fields_.any_weekday && text.starts_with("At ") && text.find(" past ") == std::string::npos) {
    text += " every day";
  }
  const std::vector<int> months = values_of(fields_.months);
  if (months.size() < 12) text += " in " + ranges(months, month_text);
  return text;
}

}  // namespace perdure::store
