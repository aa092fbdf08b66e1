// The options that a run is created with, as the verbs that create runs have them: trigger and replay. One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/cli/console.h"
#include "store/model/status.h"

namespace CLI {
class App;
}

namespace perdure::cli {

struct TriggerOptions {
  std::string delay, ttl, queue, concurrency_key, idempotency_key, metadata, machine, max_duration;
  std::string debounce_key, debounce_delay, debounce_mode, debounce_max_delay;
  std::optional<std::string> payload;
  std::optional<double> priority;
  std::optional<unsigned> max_attempts;
  std::optional<std::size_t> queue_limit;
  std::vector<std::string> tags;
};

/// Adds them to a verb, all but the payload.
void add_trigger_options(CLI::App& verb, TriggerOptions& options);

/// Adds those of a debounce.
void add_debounce_options(CLI::App& verb, TriggerOptions& options);

/// The text that an argument stands for: itself, the file that "@FILE" names, or standard input for "-". kInvalid: the
/// file cannot be read.
store::Result<std::string> text_of(const std::string& argument, Console& console);

/// The payload as a JSON string that holds it; empty when none was given. kInvalid: the command line is wrong.
store::Result<std::string> payload_json(const TriggerOptions& options, Console& console);

/// What was given as members of a JSON object, such as {"delay":"1h","tags":["a"]}. kInvalid: the command line is
/// wrong.
store::Result<std::string> options_json(const TriggerOptions& options, Console& console);

}  // namespace perdure::cli
