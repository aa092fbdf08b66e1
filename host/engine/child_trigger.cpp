#include "host/engine/child_trigger.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "store/model/json_members.h"
#include "store/model/json_text.h"
#include "store/model/machine.h"
#include "store/model/metadata.h"
#include "store/model/nearest.h"
#include "store/model/tags.h"

namespace perdure::engine {
namespace {

using store::Duration;
using store::Status;

constexpr store::JsonLimits kOptionsLimits{std::size_t{1} << 20, 130};
// One level is the array's, one the item's.
constexpr store::JsonLimits kBatchLimits{std::size_t{32} << 20, store::kPayloadLimits.depth + 2};
constexpr std::size_t kLongestName = 128;  // of queues, in bytes
constexpr std::size_t kLongestKey = 2048;  // of idempotency and concurrency keys
constexpr double kMostAttempts = 1'000'000;
constexpr double kShortestMaxDuration = 5000;  // milliseconds
constexpr double kLongestMilliseconds = 10.0 * 365 * 86400 * 1000;
constexpr double kLatestTime = 4102444800.0 * 1000;  // the year 2100

// What the options say besides what goes straight into the request.
struct Reading {
  TriggerRequest request;
  store::Time now;
  std::string scope = "run";
};
// What is wrong with a value; empty: nothing.
using Fault = std::string;

Fault must_be(std::string_view expected, std::string_view value) {
  const std::string shown = value.size() <= 60 ? std::string(value) : std::string(value.substr(0, 57)) + "...";
  return "must be " + std::string(expected) + ", not " + shown;
}

std::optional<double> number_in(std::string_view value, double least, double most) {
  double found = 0;
  const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), found);
  const bool good = failed == std::errc() && end == value.data() + value.size() && found >= least && found <= most;
  return good ? std::optional(found) : std::nullopt;
}

std::optional<Duration> milliseconds(std::string_view value, double least, double most) {
  const std::optional<double> found = number_in(value, least, most);
  return found ? std::optional(Duration(std::llround(*found))) : std::nullopt;
}

// ---- One function per option: reads its value, which is not null. ----

Fault read_delay(std::string_view value, Reading& to) {
  const auto delay = milliseconds(value, 0, kLongestMilliseconds);
  if (!delay) return must_be("a number of milliseconds, 0 or more", value);
  if (*delay > Duration::zero()) to.request.delay = *delay;
  return {};
}

Fault read_delay_until(std::string_view value, Reading& to) {
  const auto until = milliseconds(value, 0, kLatestTime);
  if (!until) return must_be("a time in milliseconds since the Unix epoch", value);
  if (store::Time(*until) > to.now) to.request.delayed_until = store::Time(*until);
  return {};
}

Fault read_ttl(std::string_view value, Reading& to) {
  to.request.options.ttl = milliseconds(value, 0, kLongestMilliseconds);
  return to.request.options.ttl ? Fault() : must_be("a number of milliseconds, 0 for none", value);
}

Fault read_key(std::string_view value, Reading& to) {
  const auto key = store::json_string(value);
  if (!key || key->empty() || key->size() > kLongestKey) return must_be("a string of 1 to 2048 bytes", value);
  to.request.options.idempotency_shown = *key;
  return {};
}

Fault read_scope(std::string_view value, Reading& to) {
  const auto scope = store::json_string(value);
  if (scope != "run" && scope != "attempt" && scope != "global") return must_be("run, attempt or global", value);
  to.scope = *scope;
  return {};
}

Fault read_key_ttl(std::string_view value, Reading& to) {
  to.request.idempotency_ttl = milliseconds(value, 1, kLongestMilliseconds);
  return to.request.idempotency_ttl ? Fault() : must_be("a number of milliseconds, 1 or more", value);
}

Fault read_queue(std::string_view value, Reading& to) {
  const auto name = store::json_string(value);
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
  if (!name || name->empty() || name->size() > kLongestName || std::ranges::any_of(*name, is_control)) {
    return must_be("a queue's name of 1 to 128 bytes", value);
  }
  to.request.queue = store::QueueName(*name);
  return {};
}

Fault read_queue_limit(std::string_view value, Reading& to) {
  const auto limit = number_in(value, 0, static_cast<double>(store::kLargestQueueLimit));
  if (!limit || *limit != std::floor(*limit)) return must_be("a whole number from 0 to 100000", value);
  to.request.queue_limit = static_cast<std::size_t>(*limit);
  return {};
}

Fault read_concurrency_key(std::string_view value, Reading& to) {
  const auto key = store::json_string(value);
  if (!key || key->size() > kLongestKey) return must_be("a string of at most 2048 bytes", value);
  to.request.concurrency_key = *key;
  return {};
}

Fault read_priority(std::string_view value, Reading& to) {
  const auto seconds = number_in(value, 0, kLongestMilliseconds / 1000);
  if (!seconds) return must_be("a number of seconds, 0 or more", value);
  to.request.priority = Duration(std::llround(*seconds * 1000));
  return {};
}

Fault read_max_attempts(std::string_view value, Reading& to) {
  const auto count = number_in(value, 1, kMostAttempts);
  if (!count || *count != std::floor(*count)) return must_be("a whole number from 1 to 1000000", value);
  to.request.options.max_attempts = static_cast<std::uint32_t>(*count);
  return {};
}

Fault read_max_duration(std::string_view value, Reading& to) {
  to.request.options.max_duration = milliseconds(value, kShortestMaxDuration, kLongestMilliseconds);
  return to.request.options.max_duration ? Fault() : must_be("a number of milliseconds, 5000 or more", value);
}

Fault read_machine(std::string_view value, Reading& to) {
  const auto name = store::json_string(value);
  if (!name || std::ranges::none_of(store::machine_presets(), [&](const auto& each) { return each.name == *name; })) {
    return must_be("micro, small-1x, small-2x, medium-1x, medium-2x, large-1x or large-2x", value);
  }
  to.request.options.machine = *name;
  return {};
}

Fault read_tags(std::string_view value, Reading& to) {
  const auto elements = store::json_elements(value);
  if (!elements) return must_be("an array of tags", value);
  std::vector<std::string> wanted;
  for (const std::string_view element : *elements) {
    const auto tag = store::json_string(element);
    if (!tag) return must_be("an array of strings", value);
    wanted.push_back(*tag);
  }
  store::Result<std::vector<std::string>> tags = store::tags_to_add({}, wanted);
  if (!tags) return "are wrong: " + tags.status().message();
  to.request.options.tags = std::move(*tags);
  return {};
}

Fault read_metadata(std::string_view value, Reading& to) {
  const store::MetadataOperation whole{store::MetadataChange::kReplace, {}, std::string(value)};
  if (const Status checked = store::check_operation(whole); !checked) return "is wrong: " + checked.message();
  to.request.options.metadata = value;
  return {};
}

Fault read_allow_pending(std::string_view value, Reading& to) {
  if (value != "true" && value != "false") return must_be("true or false", value);
  to.request.allow_pending = value == "true";
  return {};
}

Fault read_debounce(std::string_view value, Reading& to) {
  const auto members = store::json_members(value);
  if (!members) return must_be("an object with key and delayMs", value);
  store::Debounce debounce;
  for (const store::JsonMember& member : *members) {
    const auto text = store::json_string(member.value);
    const auto length = milliseconds(member.value, 0, kLongestMilliseconds);
    if (member.name == "key" && text) {
      debounce.key = *text;
    } else if (member.name == "delayMs" && length) {
      debounce.delay = *length;
    } else if (member.name == "maxDelayMs" && length) {
      debounce.max_delay = length;
    } else if (member.name == "mode" && (text == "leading" || text == "trailing")) {
      debounce.trailing = text == "trailing";
    } else {
      return "has a wrong " + member.name + "; it takes key, delayMs, mode (leading or trailing) and maxDelayMs";
    }
  }
  if (const Status checked = store::check_debounce(debounce); !checked) return checked.message();
  to.request.debounce = std::move(debounce);
  return {};
}

Fault read_when(std::string_view value, Reading& to) {
  const auto when = store::json_string(value);
  if (when != "now" && when != "on_success") return must_be("now or on_success", value);
  to.request.on_success = when == "on_success";
  return {};
}

// Accepting one of these without doing it would be a lie.
Fault refuse(std::string_view, Reading&) { return "is not offered by this version of Perdure; leave it out"; }

struct Option {
  std::string_view name;
  Fault (*read)(std::string_view value, Reading& to);
};
constexpr std::array kOptions{
    Option{"delayMs", read_delay},
    Option{"delayUntilMs", read_delay_until},
    Option{"ttlMs", read_ttl},
    Option{"idempotencyKey", read_key},
    Option{"idempotencyKeyScope", read_scope},
    Option{"idempotencyKeyTtlMs", read_key_ttl},
    Option{"queue", read_queue},
    Option{"queueConcurrencyLimit", read_queue_limit},
    Option{"concurrencyKey", read_concurrency_key},
    Option{"priority", read_priority},
    Option{"maxAttempts", read_max_attempts},
    Option{"maxDurationMs", read_max_duration},
    Option{"machine", read_machine},
    Option{"tags", read_tags},
    Option{"metadata", read_metadata},
    Option{"allowPending", read_allow_pending},
    Option{"debounce", read_debounce},
    Option{"version", refuse},
    Option{"when", read_when},
};
constexpr std::size_t kMisspelt = 3;  // letters
constexpr std::array kNames = [] {
  std::array<std::string_view, kOptions.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kOptions[i].name;
  return names;
}();

Status read_options(std::string_view json, Reading& to) {
  const auto members = store::json_members(json);
  if (!members) return Status::invalid("the options of a trigger must be a JSON object");
  for (const store::JsonMember& member : *members) {
    if (member.value == "null") continue;
    const auto* const option = std::ranges::find(kOptions, member.name, &Option::name);
    if (option == kOptions.end()) {
      const std::string_view meant = store::nearest_name(member.name, kNames, kMisspelt);
      return Status::invalid("the trigger option \"" + member.name + "\" is unknown" +
                             (meant.empty() ? std::string() : "; did you mean " + std::string(meant) + "?"));
    }
    if (const Fault fault = option->read(member.value, to); !fault.empty()) {
      return Status::invalid("the trigger option " + member.name + " " + fault);
    }
  }
  return Status::ok();
}

// Keys of the scopes never meet: a key as it is is global.
std::string scoped(const std::string& key, const std::string& scope, const store::RunId& run, std::uint32_t number) {
  if (key.empty() || scope == "global") return key;
  const std::string owner = scope == "run" ? run.text() : run.text() + "#" + std::to_string(number);
  return owner + "/" + key;
}

// What all triggers of an attempt have in common.
store::Result<TriggerRequest> read_child(const std::optional<std::string_view>& task, std::string payload,
                                         const std::optional<std::string_view>& options, const store::Run& parent,
                                         std::uint32_t number, store::Time now) {
  Reading reading{{}, now};
  TriggerRequest& request = reading.request;
  const std::string id = task ? store::json_string(*task).value_or("") : "";
  if (!store::is_task_id(id)) {
    return Status::invalid("a task's id has 1 to 128 of A-Z a-z 0-9 _ . : / -, and \"" + id.substr(0, 128) +
                           "\" is none");
  }
  request.task = store::TaskId(id);
  request.payload = std::move(payload);
  if (options && *options != "null") {
    if (Status read = read_options(*options, reading); !read) return read;
  }
  if (request.debounce && (request.delay || request.delayed_until)) {
    return Status::invalid("a trigger has a delay or a debounce, which is a delay of its own, and not both");
  }
  if (request.debounce && request.on_success) {
    return Status::invalid("a trigger for the case of success has no debounce: nothing is there to be pushed back");
  }
  request.options.idempotency_key = scoped(request.options.idempotency_shown, reading.scope, parent.id, number);
  request.options.payload_type = "application/json";
  request.options.is_test = parent.options.is_test;
  request.parent = parent.id;
  return std::move(request);
}

store::Result<std::uint64_t> read_call(const std::vector<store::JsonMember>& members) {
  const auto call = store::find_member(members, "call");
  const auto ordinal = call ? number_in(*call, 1, 9e15) : std::nullopt;
  if (ordinal) return static_cast<std::uint64_t>(*ordinal);
  return Status::invalid("a trigger says which call of its attempt it is: \"call\", from 1");
}

Status awaits_its_own_success() {
  return Status::invalid("a run that comes with the success of this attempt cannot be waited for by it");
}

// The id that the attempt was told when it asked an earlier host for the same.
Status read_told(std::string_view value, store::RunId& id) {
  id = store::RunId(store::json_string(value).value_or(""));
  return store::is_run_id(id.text()) ? Status::ok() : Status::invalid("\"told\" is the id of a run");
}

Status read_told(std::string_view value, BatchRequest& batch) {
  const auto members = store::json_members(value).value_or(std::vector<store::JsonMember>());
  batch.told = store::BatchId(store::json_string(store::find_member(members, "id").value_or("")).value_or(""));
  const auto runs = store::json_elements(store::find_member(members, "runs").value_or(""));
  if (!store::is_batch_id(batch.told.text()) || !runs || runs->size() != batch.items.size()) {
    return Status::invalid("\"told\" is what the batch was answered with");
  }
  for (std::size_t i = 0; i < runs->size(); ++i) {
    if (Status read = read_told((*runs)[i], batch.items[i].id); !read) return read;
  }
  return Status::ok();
}

}  // namespace

store::Result<TriggerRequest> read_child_trigger(const std::string& json, std::string payload, const store::Run& parent,
                                                 std::uint32_t number, store::Time now) {
  if (Status checked = store::check_json(json, kOptionsLimits, "the trigger"); !checked) return checked;
  if (payload.empty()) payload = "null";
  if (Status checked = store::check_json(payload, store::kPayloadLimits, "the payload"); !checked) return checked;
  const auto members = store::json_members(json).value_or(std::vector<store::JsonMember>());
  const store::Result<std::uint64_t> call = read_call(members);
  if (!call) return call.status();
  store::Result<TriggerRequest> request = read_child(store::find_member(members, "task"), std::move(payload),
                                                     store::find_member(members, "options"), parent, number, now);
  if (!request) return request;
  request->call = *call;
  request->awaited = store::find_member(members, "awaited") == "true";
  if (request->awaited && request->on_success) return awaits_its_own_success();
  if (const auto told = store::find_member(members, "told"); told && request->on_success) {
    if (Status read = read_told(*told, request->id); !read) return read;
  }
  return request;
}

store::Result<BatchRequest> read_child_batch(const std::string& json, const std::string& raw, const store::Run& parent,
                                             std::uint32_t number, store::Time now) {
  if (Status checked = store::check_json(json, kOptionsLimits, "the batch"); !checked) return checked;
  if (Status checked = store::check_json(raw, kBatchLimits, "the items of a batch"); !checked) return checked;
  const auto head = store::json_members(json).value_or(std::vector<store::JsonMember>());
  const store::Result<std::uint64_t> call = read_call(head);
  if (!call) return call.status();
  const auto elements = store::json_elements(raw);
  if (!elements || elements->empty() || elements->size() > store::kMostBatchItems) {
    return Status::invalid("a batch has 1 to " + std::to_string(store::kMostBatchItems) + " items");
  }
  BatchRequest batch;
  batch.whole = true;
  batch.parent = parent.id;
  batch.call = *call;
  batch.items.reserve(elements->size());
  for (const std::string_view element : *elements) {
    const std::string which = "item " + std::to_string(batch.items.size()) + ": ";
    const auto members = store::json_members(element).value_or(std::vector<store::JsonMember>());
    const std::string_view payload = store::find_member(members, "payload").value_or("null");
    if (payload.size() > store::kPayloadLimits.bytes) {
      return Status::invalid(which + "a payload has at most " + std::to_string(store::kPayloadLimits.bytes) + " bytes");
    }
    store::Result<TriggerRequest> item = read_child(store::find_member(members, "task"), std::string(payload),
                                                    store::find_member(members, "options"), parent, number, now);
    if (!item) return Status(item.status().code(), which + item.status().message());
    if (batch.items.empty()) batch.on_success = item->on_success;
    if (item->on_success != batch.on_success) {
      return Status::invalid(which + "the items of a batch have the same \"when\"");
    }
    batch.items.push_back(std::move(*item));
  }
  const bool awaited = store::find_member(head, "awaited") == "true";
  if (awaited && batch.on_success) return awaits_its_own_success();
  for (TriggerRequest& item : batch.items) item.awaited = awaited;
  if (const auto told = store::find_member(head, "told"); told && batch.on_success) {
    if (Status read = read_told(*told, batch); !read) return read;
  }
  return batch;
}

}  // namespace perdure::engine
