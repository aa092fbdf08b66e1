#include "store/model/timestamp.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <optional>

#include "store/model/duration.h"

namespace perdure::store {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// Reads `text` from the left; what does not fit makes it fail for good.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

  // Exactly `digits` digits, a number of [0, most].
  int number(std::size_t digits, int most) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) value = value * 10 + digit();
    if (value > most) ok_ = false;
    return ok_ ? value : 0;
  }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) { ok_ = take(c) && ok_; }
  // One or more digits after the point, in milliseconds.
  Duration fraction() {
    int value = 0;
    std::size_t digits = 0;
    for (; !rest_.empty() && is_digit(rest_.front()); ++digits) {
      const int d = digit();
      if (digits < 3) value = value * 10 + d;
    }
    if (digits == 0) ok_ = false;
    for (; digits < 3; ++digits) value *= 10;
    return Duration(value);
  }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  int digit() {
    if (rest_.empty() || !is_digit(rest_.front())) {
      ok_ = false;
      return 0;
    }
    const int value = rest_.front() - '0';
    rest_.remove_prefix(1);
    return value;
  }

  std::string_view rest_;
  bool ok_ = true;
};

// Z, an offset, or nothing.
Duration zone_offset(Reader& in) {
  if (in.take('Z') || in.take('z') || in.at_end()) return {};
  const bool behind = in.take('-');
  if (!behind) in.expect('+');
  Duration offset = hours(in.number(2, 23));
  in.take(':');
  offset += minutes(in.number(2, 59));
  return behind ? -offset : offset;
}

std::optional<Time> read(std::string_view text) {
  Reader in(text);
  const std::chrono::year year(in.number(4, 9999));
  in.expect('-');
  const std::chrono::month month(static_cast<unsigned>(in.number(2, 12)));
  in.expect('-');
  const std::chrono::day day(static_cast<unsigned>(in.number(2, 31)));
  const std::chrono::year_month_day date(year, month, day);
  if (!in.ok() || !date.ok()) return std::nullopt;
  Time time = std::chrono::sys_days(date);
  if (in.at_end()) return time;
  if (!in.take('T') && !in.take('t')) in.expect(' ');
  time += hours(in.number(2, 23));
  in.expect(':');
  time += minutes(in.number(2, 59));
  if (in.take(':')) {
    time += seconds(in.number(2, 59));
    if (in.take('.')) time += in.fraction();
  }
  time -= zone_offset(in);
  if (!in.ok() || !in.at_end()) return std::nullopt;
  // An offset may lead out of the years that can be written.
  const std::chrono::year_month_day in_utc(std::chrono::floor<std::chrono::days>(time));
  if (in_utc.year() < std::chrono::year(0) || in_utc.year() > std::chrono::year(9999)) return std::nullopt;
  return time;
}

}  // namespace

std::string format_time(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  const int year = static_cast<int>(date.year());
  std::array<char, 64> text{};
  const char* form =
      year < 0 || year > 9999 ? "%+07d-%02u-%02uT%02d:%02d:%02d.%03dZ" : "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ";
  const int size = std::snprintf(text.data(), text.size(), form, year, static_cast<unsigned>(date.month()),
                                 static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                                 static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
                                 static_cast<int>(clock.subseconds().count()));
  return {text.data(), static_cast<std::size_t>(size)};
}

Result<Time> parse_time(std::string_view text) {
  if (const std::optional<Time> time = read(text)) return *time;
  return Status::invalid("\"" + std::string(text.substr(0, 100)) +
                         "\" is no time; write one such as 2030-01-31T12:00:00Z");
}

}  // namespace perdure::store
