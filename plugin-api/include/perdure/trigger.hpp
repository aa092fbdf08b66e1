// What a task may say about a run that it triggers. Values, written as designated initializers; what is left out means:
// as the triggered task says.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include <perdure/errors.hpp>
#include <perdure/json.hpp>
#include <perdure/json_write.hpp>
#include <perdure/options.hpp>

namespace perdure {

template <class In, class Out>
struct Task;

/// Among whose triggers an idempotency key makes at most one run.
enum class KeyScope : std::uint8_t {
  kRun,      // of the run that triggers, whichever attempt
  kAttempt,  // of this attempt
  kGlobal,   // of everybody who triggers the task
};

/// When a triggered run comes to be.
enum class When : std::uint8_t {
  kNow,
  kOnSuccess,  // with the success of this attempt, in one step: an attempt that fails or dies leaves nothing of it
};

/// Which of several triggers a debounced run is made of.
enum class DebounceMode : std::uint8_t {
  kLeading,   // the first
  kTrailing,  // the latest: its payload, metadata, tags, machine and limits
};

/// Triggers of a task under one key that come close together make one run.
struct Debounce {
  std::string key;
  milliseconds delay{};  // from the latest of them until the run starts; at least 1 s
  DebounceMode mode = DebounceMode::kLeading;
  std::optional<milliseconds> max_delay{};  // from the first of them at most
};

struct TriggerOptions {
  std::optional<milliseconds> delay{};
  std::optional<Instant> delay_until{};
  std::optional<Debounce> debounce{};  // instead of a delay
  std::optional<milliseconds> ttl{};   // not started within it: expired; 0 removes the task's
  std::string idempotency_key{};
  KeyScope idempotency_scope = KeyScope::kRun;
  std::optional<milliseconds> idempotency_ttl{};  // 30 days
  std::string queue{};
  std::optional<int> queue_concurrency_limit{};  // of that queue from now on, where no plugin declares one
  std::string concurrency_key{};
  std::optional<std::chrono::seconds> priority{};  // of head start in the queue
  std::optional<int> max_attempts{};
  std::optional<milliseconds> max_duration{};  // at least 5 s
  std::string machine{};                       // a preset's name
  std::vector<std::string> tags{};
  json::object metadata{};
  bool allow_pending = false;  // accept a task that no loaded plugin offers
  When when = When::kNow;      // kOnSuccess: its id is told at once; an idempotency key may still find another run then
};

/// A run that was triggered.
struct RunHandle {
  std::string id;
};

namespace detail {

template <class T>
std::string payload_json(const T& payload) {
  if constexpr (std::is_same_v<T, RawJson>) {
    return payload.text;
  } else {
    return to_json(payload);
  }
}

/// The options as perdure_trigger wants them; empty when nothing was said.
inline std::string trigger_json(const TriggerOptions& options) {
  json::object out;
  const auto put_ms = [&out](const char* name, const std::optional<milliseconds>& value) {
    if (value) out[name] = value->count();
  };
  const auto put_text = [&out](const char* name, const std::string& value) {
    if (!value.empty()) out[name] = value;
  };
  put_ms("delayMs", options.delay);
  if (options.delay_until) out["delayUntilMs"] = options.delay_until->time_since_epoch().count();
  if (options.debounce) {
    json::object debounce{{"key", options.debounce->key}, {"delayMs", options.debounce->delay.count()}};
    if (options.debounce->mode == DebounceMode::kTrailing) debounce["mode"] = "trailing";
    if (options.debounce->max_delay) debounce["maxDelayMs"] = options.debounce->max_delay->count();
    out["debounce"] = std::move(debounce);
  }
  put_ms("ttlMs", options.ttl);
  put_text("idempotencyKey", options.idempotency_key);
  if (options.idempotency_scope == KeyScope::kAttempt) out["idempotencyKeyScope"] = "attempt";
  if (options.idempotency_scope == KeyScope::kGlobal) out["idempotencyKeyScope"] = "global";
  put_ms("idempotencyKeyTtlMs", options.idempotency_ttl);
  put_text("queue", options.queue);
  if (options.queue_concurrency_limit) out["queueConcurrencyLimit"] = *options.queue_concurrency_limit;
  put_text("concurrencyKey", options.concurrency_key);
  if (options.priority) out["priority"] = options.priority->count();
  if (options.max_attempts) out["maxAttempts"] = *options.max_attempts;
  put_ms("maxDurationMs", options.max_duration);
  put_text("machine", options.machine);
  for (const std::string& tag : options.tags) {
    if (!out.contains("tags")) out["tags"] = json::array();
    out["tags"].get_array().emplace_back(tag);
  }
  if (!options.metadata.empty()) out["metadata"] = options.metadata;
  if (options.allow_pending) out["allowPending"] = true;
  if (options.when == When::kOnSuccess) out["when"] = "on_success";
  return out.empty() ? std::string() : to_json(out);
}

}  // namespace detail
}  // namespace perdure
