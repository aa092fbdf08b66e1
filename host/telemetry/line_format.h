// How a log line looks: for people, or as a JSON object. Used by the logger's sink only; one at a time.
#pragma once

#include <spdlog/formatter.h>

#include <memory>
#include <string>
#include <string_view>

#include "host/telemetry/log.h"

namespace perdure::telemetry {

/// "17:20:31.123 info  message  run=run_… attempt=2 task=hello". spdlog's terminal sink colours the level.
std::unique_ptr<spdlog::formatter> text_format();

/// {"at":"2026-11-23T17:20:31.123Z","level":"info","message":"…","run":"run_…","attempt":2,"task":"hello"}.
std::unique_ptr<spdlog::formatter> json_format();

/// The fields of the line that this thread is logging, or null.
const Fields* current_fields();

/// Appends `text` as a JSON string, quotes included; what is not UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

}  // namespace perdure::telemetry
