// Schedules in words: what the verbs about schedules have in common. Pure, but for the system's time zones; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/cli/console.h"
#include "host/cli/json_view.h"

namespace perdure::cli {

/// A due time as the host tells it.
struct Upcoming {
  std::string due, fires_at;  // ISO
};
std::vector<Upcoming> upcoming_of(const JsonView& document);

/// An ISO time as clocks in `timezone` show it, "2026-11-23 09:30", with the day of the week; in UTC when this machine
/// does not know the zone. Empty for nothing.
std::string time_in_zone(std::string_view iso, const std::string& timezone);

/// Writes due times as a table.
void print_upcoming(const std::vector<Upcoming>& times, const std::string& timezone, Console& console);

/// Writes one schedule: its pattern in words, its options, what fired last, what is next.
void print_schedule(const JsonView& schedule, Console& console);

}  // namespace perdure::cli
