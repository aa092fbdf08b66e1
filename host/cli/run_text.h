// Runs in words: what the verbs that show runs have in common. Pure, but for the local time zone; any thread.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>

#include "host/cli/console.h"
#include "host/cli/json_view.h"

namespace perdure::cli {

/// Whether a run in this status changes no more.
bool is_final(std::string_view status);
/// The colour a status is shown in.
Style style_of(std::string_view status);

/// An ISO time of the host's as "2026-11-23 17:20:31", local; empty for nothing.
std::string local_time(const JsonView& iso);
/// The same with milliseconds and without the date.
std::string local_clock(const JsonView& iso);
/// "340ms", "1.2s", "2m03s", "1h05m", "3d02h".
std::string short_duration(long long milliseconds);

/// Writes one log entry of a run as a line for people.
void print_log_entry(std::ostream& out, bool color, const JsonView& entry);

/// "FixtureError: boom": an error's name and message.
std::string error_line(const JsonView& error);

/// Writes why a run failed, to `out`: name, message, and the stack below it, at most `frames` lines of it.
void print_error(std::ostream& out, bool color, const JsonView& error, std::size_t frames = SIZE_MAX);

}  // namespace perdure::cli
