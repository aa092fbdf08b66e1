#include "host/cli/trigger_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "host/cli/json_view.h"
#include "store/model/duration.h"
#include "store/model/json_text.h"
#include "store/model/queue.h"

namespace perdure::cli {

using store::Result;
using store::Status;

Result<std::string> text_of(const std::string& argument, Console& console) {
  if (argument == "-") return std::string(std::istreambuf_iterator<char>(console.in), {});
  if (!argument.starts_with('@')) return argument;
  std::ifstream file(argument.substr(1), std::ios::binary);
  std::error_code ignored;
  if (!file.is_open() || std::filesystem::is_directory(argument.substr(1), ignored)) {
    return Status::invalid("cannot read the file " + argument.substr(1));
  }
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Result<std::string> payload_json(const TriggerOptions& options, Console& console) {
  if (!options.payload) return std::string();
  const auto payload = text_of(*options.payload, console);
  if (!payload) return payload.status();
  if (const Status json = store::check_json(payload.value(), store::kPayloadLimits, "the payload"); !json) {
    return Status::invalid(json.message() + "; give JSON (a string as '\"text\"'), @FILE, or - for standard input");
  }
  return json_string(payload.value());
}

Result<std::string> options_json(const TriggerOptions& options, Console& console) {
  std::string json = "{";
  const auto member = [&](const char* name, const std::string& value) {
    json += (json == "{" ? "\"" : ",\"") + std::string(name) + "\":" + value;
  };
  const auto text = [&](const char* name, const std::string& value) {
    if (!value.empty()) member(name, json_string(value));
  };
  text("delay", options.delay);
  text("ttl", options.ttl);
  text("concurrencyKey", options.concurrency_key);
  text("idempotencyKey", options.idempotency_key);
  text("machine", options.machine);
  if (options.queue_limit) {
    member("queue", R"({"name":)" + json_string(options.queue) + R"(,"concurrencyLimit":)" +
                        std::to_string(*options.queue_limit) + "}");
  } else {
    text("queue", options.queue);
  }
  if (options.priority && std::isnan(*options.priority))
    return Status::invalid("--priority: expected seconds, not nan");
  if (options.priority) member("priority", fmt::format("{}", *options.priority));
  if (!options.debounce_key.empty()) {
    std::string debounce =
        "{\"key\":" + json_string(options.debounce_key) + ",\"delay\":" + json_string(options.debounce_delay);
    if (!options.debounce_mode.empty()) debounce += ",\"mode\":" + json_string(options.debounce_mode);
    if (!options.debounce_max_delay.empty()) debounce += ",\"maxDelay\":" + json_string(options.debounce_max_delay);
    member("debounce", debounce + "}");
  }
  if (options.max_attempts) member("maxAttempts", std::to_string(*options.max_attempts));
  if (!options.max_duration.empty()) {
    const auto duration = options.max_duration == "none" ? store::Result<store::Duration>(store::Duration(0))
                                                         : store::parse_ttl(options.max_duration);
    if (!duration) return Status::invalid("--max-duration: " + duration.status().message());
    member("maxDuration", std::to_string(duration.value().count() / 1000));
  }
  if (!options.metadata.empty()) {
    const auto metadata = text_of(options.metadata, console);
    if (!metadata) return Status::invalid("--metadata: " + metadata.status().message());
    const Status checked = store::check_json(metadata.value(), store::kPayloadLimits, "the metadata");
    if (!checked || !JsonView(metadata.value()).raw().starts_with('{')) {
      return Status::invalid(checked ? "the metadata is not a JSON object; give one, such as '{\"customer\":7}'"
                                     : checked.message());
    }
    member("metadata", metadata.value());
  }
  if (!options.tags.empty()) {
    std::string list = "[";
    for (const std::string& tag : options.tags) list += (list == "[" ? "" : ",") + json_string(tag);
    member("tags", list + "]");
  }
  return json + "}";
}

void add_trigger_options(CLI::App& verb, TriggerOptions& options) {
  verb.add_option("--delay", options.delay, "Start after this long, or at this time: 90s, 1h30m, 2030-01-01T09:00:00Z");
  verb.add_option("--ttl", options.ttl, "Expire unless started within this time: 10m");
  CLI::Option* const queue =
      verb.add_option("--queue", options.queue, "The queue to wait in, instead of the task's own");
  verb.add_option("--queue-limit", options.queue_limit, "The limit of that queue from now on, where no plugin has one")
      ->needs(queue)
      ->check(CLI::Range(std::size_t{0}, store::kLargestQueueLimit));
  verb.add_option("--concurrency-key", options.concurrency_key, "Which copy of the queue: one for each key");
  verb.add_option("--priority", options.priority, "Seconds of head start in the queue")
      ->check(CLI::Range(0.0, 315'360'000.0));  // ten years, which the host takes at the most
  verb.add_option("--idempotency-key", options.idempotency_key, "At most one run of the task for this key");
  verb.add_option("--tag", options.tags, "A tag; repeat for more, at most 10")->allow_extra_args(false);
  verb.add_option("--metadata", options.metadata, "A JSON object, @FILE, or -");
  verb.add_option("--machine", options.machine, "The machine preset, such as small-2x");
  verb.add_option("--max-attempts", options.max_attempts, "Attempts in total, instead of the task's");
  verb.add_option("--max-duration", options.max_duration, "Longest execution of an attempt: 5m, or none");
}

void add_debounce_options(CLI::App& verb, TriggerOptions& options) {
  CLI::Option* const key = verb.add_option("--debounce", options.debounce_key,
                                           "Make one run of all triggers under this key that come close together");
  CLI::Option* const delay = verb.add_option("--debounce-delay", options.debounce_delay,
                                             "… which starts this long after the latest: 5s, at least 1s");
  key->needs(delay);
  delay->needs(key);
  verb.add_option("--debounce-mode", options.debounce_mode, "… and is what the first asked for (leading) or the latest")
      ->check(CLI::IsMember({"leading", "trailing"}))
      ->needs(key);
  verb.add_option("--debounce-max-delay", options.debounce_max_delay, "… but starts this long after the first at most")
      ->needs(key);
}

}  // namespace perdure::cli
