// A time zone: what clocks in a place show at an instant, and when they show a given time. Made from a zone file of the
// system (TZif, RFC 8536, all versions), the rule in its footer included, so that the years after its last listed
// change are right too. Who calls it: timetables of schedules. Immutable; any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "store/model/cron.h"
#include "store/model/posix_rule.h"
#include "store/model/status.h"

namespace perdure::store {

class TimeZone {
 public:
  /// UTC, without any file.
  static TimeZone utc() { return {"UTC", {}, std::chrono::seconds(0), std::nullopt}; }

  /// A zone file's content. Whatever the bytes are, kCorruption says what is wrong with them; nothing is trusted.
  /// Files that count leap seconds ("right/…") are refused: the rest of the world does not.
  static Result<TimeZone> read(std::string name, std::span<const std::byte> file);

  [[nodiscard]] const std::string& name() const { return name_; }

  /// What clocks show at `time` less UTC. Years -9999 to 9999; the nearest of them for other times.
  [[nodiscard]] std::chrono::seconds offset_at(std::chrono::sys_seconds time) const;

  /// The latest time that clocks have shown until `time`, itself included. Other than what they show then only while
  /// they show again what they showed before, after they were set back.
  [[nodiscard]] LocalTime shown_until(std::chrono::sys_seconds time) const;

  /// The first instant at which clocks show `local` or a later time: for a time that is skipped the end of the gap, for
  /// one that occurs twice the first. Never decreases with `local`.
  [[nodiscard]] std::chrono::sys_seconds first_at(LocalTime local) const;

 private:
  TimeZone(std::string name, std::vector<OffsetChange> changes, std::chrono::seconds first,
           std::optional<PosixRule> rule)
      : name_(std::move(name)), changes_(std::move(changes)), first_(first), rule_(rule) {}

  // A stretch of time with one offset.
  struct Period {
    std::chrono::seconds offset;
    std::optional<std::chrono::sys_seconds> begin;  // nothing: since ever
    std::optional<std::chrono::sys_seconds> end;    // nothing: for ever
  };
  [[nodiscard]] Period period_at(std::chrono::sys_seconds time) const;
  [[nodiscard]] Period period_by_rule(std::chrono::sys_seconds time) const;

  std::string name_;
  std::vector<OffsetChange> changes_;  // strictly ascending
  std::chrono::seconds first_;         // before all changes
  std::optional<PosixRule> rule_;      // after the last change; nothing: the last offset goes on
};

}  // namespace perdure::store
