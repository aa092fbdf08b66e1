#include "store/model/posix_rule.h"

#include <algorithm>

namespace perdure::store {
namespace {

namespace chrono = std::chrono;
using chrono::seconds;

// Takes what the text begins with from its front; each gives nothing, and leaves anything, when that is not there.
class Taker {
 public:
  explicit Taker(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] bool next_is(char c) const { return !rest_.empty() && rest_.front() == c; }

  bool take(char c) {
    if (!next_is(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // At least three letters, or <…>.
  bool abbreviation() {
    const auto is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
    std::size_t size = 0;
    if (take('<')) {
      size = rest_.find('>');
      if (size == std::string_view::npos) return false;
      rest_.remove_prefix(size + 1);
      return size >= 1;
    }
    while (size < rest_.size() && is_letter(rest_[size])) ++size;
    rest_.remove_prefix(size);
    return size >= 3;
  }

  std::optional<int> number(int least, int most) {
    if (rest_.empty() || !is_digit(rest_.front())) return std::nullopt;
    int value = 0;
    for (; !rest_.empty() && is_digit(rest_.front()); rest_.remove_prefix(1)) {
      value = value * 10 + (rest_.front() - '0');
      if (value > most) return std::nullopt;
    }
    return value >= least ? std::optional(value) : std::nullopt;
  }

  // [+|-]hh[:mm[:ss]]
  std::optional<seconds> time(int most_hours) {
    const bool negative = take('-');
    if (!negative) take('+');
    const std::optional<int> hours = number(0, most_hours);
    if (!hours) return std::nullopt;
    seconds sum = chrono::hours(*hours);
    for (const int unit : {60, 1}) {
      if (!take(':')) break;
      const std::optional<int> part = number(0, 59);
      if (!part) return std::nullopt;
      sum += seconds(*part * unit);
    }
    return negative ? -sum : sum;
  }

  std::optional<ChangeDay> change() {
    ChangeDay change;
    std::optional<int> day;
    if (take('J')) {
      change.kind = ChangeDay::Kind::kJulian;
      day = number(1, 365);
    } else if (take('M')) {
      change.kind = ChangeDay::Kind::kWeekday;
      const std::optional<int> month = number(1, 12);
      const std::optional<int> week = month && take('.') ? number(1, 5) : std::nullopt;
      day = week && take('.') ? number(0, 6) : std::nullopt;
      change.month = static_cast<unsigned>(month.value_or(1));
      change.week = static_cast<unsigned>(week.value_or(1));
    } else {
      day = number(0, 365);
    }
    if (!day) return std::nullopt;
    change.day = *day;
    if (take('/')) {
      const std::optional<seconds> at = time(167);
      if (!at) return std::nullopt;
      change.time = *at;
    }
    return change;
  }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  std::string_view rest_;
};

constexpr int kMostOffsetHours = 24;

}  // namespace

chrono::local_seconds ChangeDay::in(chrono::year year) const {
  const chrono::local_days first(year / 1 / 1);
  switch (kind) {
    case Kind::kJulian: {
      // Day 60 is 1 March also in leap years.
      const int skipped = year.is_leap() && day >= 60 ? 1 : 0;
      return first + chrono::days(day - 1 + skipped) + time;
    }
    case Kind::kDay:
      return first + chrono::days(day) + time;
    case Kind::kWeekday:
      break;
  }
  const chrono::weekday weekday(static_cast<unsigned>(day));
  const chrono::year_month in_month = year / chrono::month(month);
  const chrono::local_days found =
      week == 5 ? chrono::local_days(in_month / weekday[chrono::last]) : chrono::local_days(in_month / weekday[week]);
  return found + time;
}

std::optional<PosixRule> PosixRule::parse(std::string_view text) {
  Taker in(text);
  PosixRule rule;
  // A rule's offsets count westward.
  const std::optional<seconds> standard = in.abbreviation() ? in.time(kMostOffsetHours) : std::nullopt;
  if (!standard) return std::nullopt;
  rule.standard_ = -*standard;
  if (in.at_end()) return rule;
  Daylight daylight;
  if (!in.abbreviation()) return std::nullopt;
  daylight.offset = rule.standard_ + chrono::hours(1);
  if (!in.next_is(',')) {
    const std::optional<seconds> offset = in.time(kMostOffsetHours);
    if (!offset) return std::nullopt;
    daylight.offset = -*offset;
  }
  const std::optional<ChangeDay> begin = in.take(',') ? in.change() : std::nullopt;
  const std::optional<ChangeDay> end = begin && in.take(',') ? in.change() : std::nullopt;
  if (!end || !in.at_end()) return std::nullopt;
  daylight.begin = *begin;
  daylight.end = *end;
  rule.daylight_ = daylight;
  return rule;
}

std::array<OffsetChange, 2> PosixRule::changes_in(chrono::year year) const {
  const auto utc = [](chrono::local_seconds local, seconds offset) {
    return chrono::sys_seconds((local - offset).time_since_epoch());
  };
  // Clocks show standard time when daylight saving begins, and the other when it ends.
  const OffsetChange begin{utc(daylight_->begin.in(year), standard_), daylight_->offset};
  const OffsetChange end{utc(daylight_->end.in(year), daylight_->offset), standard_};
  std::array<OffsetChange, 2> changes = {begin, end};
  if (end.begin < begin.begin) std::swap(changes[0], changes[1]);
  return changes;
}

}  // namespace perdure::store
