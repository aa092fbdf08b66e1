// What a time zone does after the last change that its file lists: the footer of zone files, a POSIX TZ text such as
// "CET-1CEST,M3.5.0,M10.5.0/3". Values; any thread.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string_view>

namespace perdure::store {

/// From `begin` on, clocks show UTC plus `offset`.
struct OffsetChange {
  std::chrono::sys_seconds begin;
  std::chrono::seconds offset;
};

/// The day and time of a year at which the clocks change.
struct ChangeDay {
  enum class Kind : std::uint8_t { kJulian, kDay, kWeekday };  // Jn (1-365, no 29 February), n (0-365), Mm.w.d
  Kind kind = Kind::kDay;
  int day = 0;  // of kJulian and kDay; of kWeekday the day of the week, 0 Sunday
  unsigned month = 1;
  unsigned week = 1;                // 5: the last one
  std::chrono::seconds time{7200};  // after that day's midnight; -167 h to 167 h

  /// In that year, in local time.
  [[nodiscard]] std::chrono::local_seconds in(std::chrono::year year) const;
};

class PosixRule {
 public:
  /// Nothing when `text` is no such rule.
  static std::optional<PosixRule> parse(std::string_view text);

  /// Without daylight saving: the only offset.
  [[nodiscard]] bool is_fixed() const { return !daylight_; }
  [[nodiscard]] std::chrono::seconds standard() const { return standard_; }
  /// The changes of a year in order of their time; only when not is_fixed(). They are to happen at or near that year.
  [[nodiscard]] std::array<OffsetChange, 2> changes_in(std::chrono::year year) const;

 private:
  struct Daylight {
    std::chrono::seconds offset{};
    ChangeDay begin;
    ChangeDay end;
  };

  std::chrono::seconds standard_{};
  std::optional<Daylight> daylight_;
};

}  // namespace perdure::store
