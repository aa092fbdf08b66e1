#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/api/debounce_option.h"
#include "host/api/errors.h"
#include "host/api/trigger_body.h"
#include "store/model/duration.h"
#include "store/model/machine.h"
#include "store/model/nearest.h"

namespace perdure::api {
namespace {

using engine::TriggerRequest;
using store::Duration;

constexpr std::size_t kMostTags = 10;
constexpr std::size_t kLongestName = 128;  // of tags and queues, in characters
constexpr std::size_t kLongestKey = 2048;  // of idempotency and concurrency keys
constexpr std::size_t kLargestMetadata = 256u << 10;
constexpr double kMostAttempts = 1'000'000;
constexpr double kShortestMaxDuration = 5;        // seconds
constexpr double kNoMaxDuration = 2'147'483'647;  // as JavaScript clients say timeout.None
constexpr double kLongestSeconds = 10.0 * 365 * 24 * 3600;

// What is wrong with a value; empty: nothing.
using Fault = std::string;

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string shown(std::string_view value) {
  return value.size() <= 60 ? std::string(value) : std::string(value.substr(0, 57)) + "...";
}

Fault must_be(std::string_view expected, std::string_view value) {
  return "must be " + std::string(expected) + ", not " + shown(value);
}

std::optional<double> number(std::string_view value) {
  double found = 0;
  const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), found);
  if (failed != std::errc() || end != value.data() + value.size()) return std::nullopt;
  return found;
}

Duration seconds(double value) { return Duration(std::llround(value * 1000)); }

// ---- One function per option: reads its value, which is not null, into the request.
// -----------------------------------

Fault read_payload_type(std::string_view value, store::Time, TriggerRequest& request) {
  const auto text = json_string(value);
  if (!text) return must_be("a string", value);
  request.options.payload_type = *text;
  return {};
}

Fault read_queue(std::string_view value, store::Time, TriggerRequest& request) {
  std::optional<std::string> name = json_string(value);
  if (!name) {
    const auto members = json_members(value);
    const auto member = members ? find_member(*members, "name") : std::nullopt;
    if (member) name = json_string(*member);
  }
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
  if (!name || name->empty() || characters(*name) > kLongestName || std::ranges::any_of(*name, is_control)) {
    return must_be("{\"name\": a queue's name of 1 to 128 characters}", value);
  }
  request.queue = store::QueueName(*name);
  const auto members = json_members(value);
  const auto limit = members ? find_member(*members, "concurrencyLimit") : std::nullopt;
  if (!limit || *limit == "null") return {};
  const auto wanted = number(*limit);
  if (!wanted || *wanted < 0 || *wanted > store::kLargestQueueLimit || *wanted != std::floor(*wanted)) {
    return "must have a concurrencyLimit from 0 to " + std::to_string(store::kLargestQueueLimit) + ", not " +
           shown(*limit);
  }
  request.queue_limit = static_cast<std::size_t>(*wanted);
  return {};
}

Fault read_concurrency_key(std::string_view value, store::Time, TriggerRequest& request) {
  std::optional<std::string> text = json_string(value);
  if (!text && number(value)) text = std::string(value);
  if (!text || text->size() > kLongestKey) return must_be("a string or a number of at most 2048 characters", value);
  request.concurrency_key = *text;
  return {};
}

Fault read_idempotency_key(std::string_view value, store::Time, TriggerRequest& request) {
  const auto text = json_string(value);
  if (!text || text->empty() || characters(*text) > kLongestKey) {
    return must_be("a string of 1 to 2048 characters", value);
  }
  request.options.idempotency_key = *text;
  return {};
}

Fault read_idempotency_ttl(std::string_view value, store::Time, TriggerRequest& request) {
  const auto text = json_string(value);  // by contract, what is no such duration is ignored
  if (text) request.idempotency_ttl = store::parse_idempotency_ttl(*text);
  return {};
}

// What the user wrote, before the client hashed it: for display only.
Fault read_idempotency_shown(std::string_view value, store::Time, TriggerRequest& request) {
  const auto members = json_members(value);
  if (!members) return must_be("an object with \"key\" and \"scope\"", value);
  const auto key = find_member(*members, "key");
  if (!key) return {};
  std::vector<std::string_view> parts{*key};
  if (const auto elements = json_elements(*key)) parts = *elements;
  std::string shown_key;
  for (const std::string_view part : parts) {
    const auto text = json_string(part);
    if (!text) return must_be("an object whose \"key\" is a string or a list of strings", value);
    if (!shown_key.empty()) shown_key += '-';
    shown_key += *text;
  }
  if (characters(shown_key) > kLongestKey) return must_be("an object whose \"key\" has at most 2048 characters", value);
  request.options.idempotency_shown = shown_key;
  return {};
}

Fault read_delay(std::string_view value, store::Time now, TriggerRequest& request) {
  const auto text = json_string(value);
  const store::Result<store::Delay> delay = text ? store::parse_delay(*text) : store::Status::invalid("no text");
  if (!delay) return must_be("a duration such as \"1h30m\" or an ISO 8601 time", value);
  if (store::end_of(*delay, now) <= now) return {};
  if (const auto* const length = std::get_if<Duration>(&*delay)) request.delay = *length;
  if (const auto* const until = std::get_if<store::Time>(&*delay)) request.delayed_until = *until;
  return {};
}

Fault read_ttl(std::string_view value, store::Time, TriggerRequest& request) {
  const auto text = json_string(value);
  const auto ttl = store::parse_ttl(text ? *text : std::string(value));
  if (!ttl) return must_be("a duration such as \"10m\" or a whole number of seconds", value);
  request.options.ttl = ttl.value();
  return {};
}

Fault read_tags(std::string_view value, store::Time, TriggerRequest& request) {
  std::vector<std::string_view> parts{value};
  if (const auto elements = json_elements(value)) parts = *elements;
  std::vector<std::string> tags;
  for (const std::string_view part : parts) {
    const auto tag = json_string(part);
    if (!tag || tag->empty() || characters(*tag) > kLongestName) {
      return must_be("a tag or a list of tags, each a string of 1 to 128 characters", value);
    }
    if (std::ranges::find(tags, *tag) == tags.end()) tags.push_back(*tag);
  }
  if (tags.size() > kMostTags) {
    return "must be at most " + std::to_string(kMostTags) + " tags, not " + std::to_string(tags.size());
  }
  request.options.tags = std::move(tags);
  return {};
}

Fault read_max_attempts(std::string_view value, store::Time, TriggerRequest& request) {
  const auto count = number(value);
  if (!count || *count < 1 || *count > kMostAttempts || *count != std::floor(*count)) {
    return must_be("a whole number from 1 to 1000000", value);
  }
  request.options.max_attempts = static_cast<std::uint32_t>(*count);
  return {};
}

Fault read_max_duration(std::string_view value, store::Time, TriggerRequest& request) {
  const auto count = number(value);
  if (value == "\"none\"" || (count && (*count == 0 || *count == kNoMaxDuration))) {
    request.options.max_duration = Duration::zero();
    return {};
  }
  if (!count || *count < kShortestMaxDuration || *count > kLongestSeconds) {
    return must_be("a number of seconds, 5 or more, or 0 for none", value);
  }
  request.options.max_duration = seconds(*count);
  return {};
}

Fault read_metadata(std::string_view value, store::Time, TriggerRequest& request) {
  if (!value.starts_with('{')) return must_be("an object", value);
  if (value.size() > kLargestMetadata) {
    return "must have at most " + std::to_string(kLargestMetadata) + " bytes, not " + std::to_string(value.size());
  }
  request.options.metadata = value;
  return {};
}

Fault read_machine(std::string_view value, store::Time, TriggerRequest& request) {
  const auto name = json_string(value);
  const auto presets = store::machine_presets();
  if (!name || std::ranges::find(presets, *name, &store::Machine::name) == presets.end()) {
    return must_be("micro, small-1x, small-2x, medium-1x, medium-2x, large-1x or large-2x", value);
  }
  request.options.machine = *name;
  return {};
}

Fault read_priority(std::string_view value, store::Time, TriggerRequest& request) {
  const auto count = number(value);
  if (!count || *count < 0 || *count > kLongestSeconds)
    return must_be("a number of seconds from 0 to 315360000", value);
  request.priority = seconds(*count);
  return {};
}

Fault read_test(std::string_view value, store::Time, TriggerRequest& request) {
  if (value != "true" && value != "false") return must_be("true or false", value);
  request.options.is_test = value == "true";
  return {};
}

Fault read_allow_pending(std::string_view value, store::Time, TriggerRequest& request) {
  if (value != "true" && value != "false") return must_be("true or false", value);
  request.allow_pending = value == "true";
  return {};
}

Fault read_parent(std::string_view value, store::Time, TriggerRequest& request) {
  const auto id = json_string(value);
  if (!id || !store::is_run_id(*id)) return must_be("the id of a run", value);
  request.parent = store::RunId(*id);
  return {};
}

// Accepting one of these without doing it would be a lie.
Fault refuse(std::string_view value, store::Time, TriggerRequest&) {
  if (value == "false") return {};
  return "is not supported by this version of Perdure; leave it out";
}

struct Option {
  std::string_view name;
  Fault (*read)(std::string_view value, store::Time now, TriggerRequest& request);
};

// Options not listed, among them region, payloadSize and externalDeploymentId, mean nothing to Perdure and are ignored;
// what looks like a misspelt one is refused.
constexpr std::array kOptions{
    Option{"payloadType", read_payload_type},
    Option{"queue", read_queue},
    Option{"concurrencyKey", read_concurrency_key},
    Option{"idempotencyKey", read_idempotency_key},
    Option{"idempotencyKeyTTL", read_idempotency_ttl},
    Option{"idempotencyKeyOptions", read_idempotency_shown},
    Option{"delay", read_delay},
    Option{"ttl", read_ttl},
    Option{"tags", read_tags},
    Option{"maxAttempts", read_max_attempts},
    Option{"maxDuration", read_max_duration},
    Option{"metadata", read_metadata},
    Option{"machine", read_machine},
    Option{"priority", read_priority},
    Option{"test", read_test},
    Option{"allowPending", read_allow_pending},
    Option{"debounce", read_debounce},
    Option{"concurrency", refuse},
    Option{"parentRunId", read_parent},
    Option{"resumeParentOnCompletion", refuse},
    Option{"lockToVersion", refuse},
    Option{"version", refuse},
};

constexpr std::size_t kMisspelt = 2;  // letters; what is further from any option is another one
constexpr std::array kNames = [] {
  std::array<std::string_view, kOptions.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kOptions[i].name;
  return names;
}();

}  // namespace

bool is_trigger_option(std::string_view name) { return std::ranges::find(kNames, name) != kNames.end(); }

std::string read_trigger_option(const JsonMember& member, store::Time now, TriggerRequest& request) {
  if (member.value == "null") return {};
  const auto* const option = std::ranges::find(kOptions, member.name, &Option::name);
  if (option != kOptions.end()) return option->read(member.value, now, request);
  const std::string_view meant = store::nearest_name(member.name, kNames, kMisspelt);  // of a later client, or misspelt
  return meant.empty() ? Fault() : "is unknown; did you mean " + std::string(meant) + "?";
}

std::optional<Response> read_trigger_options(std::string_view json, store::Time now, TriggerRequest& request) {
  const std::optional<std::vector<JsonMember>> members = json_members(json);
  if (!members) return body_error("\"options\" must be an object");
  for (const JsonMember& member : *members) {
    const Fault fault = read_trigger_option(member, now, request);
    if (!fault.empty()) return option_error(member.name, fault);
  }
  if (request.debounce && (request.delay || request.delayed_until)) {
    return option_error("debounce", "is a delay of its own; leave options.delay out");
  }
  return std::nullopt;
}

}  // namespace perdure::api
