// Instants as ISO 8601 text, the way the HTTP API and the command line write them. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

#include "store/model/ids.h"
#include "store/model/status.h"

namespace perdure::store {

/// "2024-02-29T12:34:56.789Z": UTC, milliseconds always shown; years beyond four digits with a sign and six.
std::string format_time(Time time);

/// Reads what format_time() writes and its usual variants: a date alone (midnight), seconds and their fraction left
/// out, more digits of a fraction (cut off), an offset such as +02:00 or +0200 instead of Z, none for UTC. Years
/// 0000-9999, in UTC too.
Result<Time> parse_time(std::string_view text);

}  // namespace perdure::store
