// A task's options as the JSON document that registration takes. Writes only what the author gave. Used while a plugin
// registers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <perdure/json_write.hpp>
#include <perdure/options.hpp>
#include <perdure/schema.hpp>

namespace perdure::detail {

/// A JSON object being written; members that have no value are left out, empty objects too when they are members.
class ObjectText {
 public:
  template <class T>
  ObjectText& add(std::string_view key, const T& value) {
    return raw(key, to_json(value));
  }
  template <class T>
  ObjectText& add(std::string_view key, const std::optional<T>& value) {
    if (value) add(key, *value);
    return *this;
  }
  ObjectText& add(std::string_view key, milliseconds value) { return add(key, value.count()); }
  ObjectText& add(std::string_view key, const ObjectText& inner) {
    return inner.empty() ? *this : raw(key, inner.text());
  }
  ObjectText& add(std::string_view key, Machine machine) {
    if (!machine.preset.empty()) return add(key, machine.preset);
    if (machine.memory != 0) add(key, ObjectText().add("cpu", machine.cpu).add("memory", machine.memory));
    return *this;
  }
  ObjectText& add(std::string_view key, Retried retried) {
    if (retried.max_attempts != 0) return add(key, ObjectText().add("maxAttempts", retried.max_attempts));
    return add(key, retried.retried);
  }
  /// Only when `given`.
  template <class T>
  ObjectText& add_if(bool given, std::string_view key, const T& value) {
    return given ? add(key, value) : *this;
  }
  ObjectText& raw(std::string_view key, std::string_view json) {
    text_ += text_.empty() ? '{' : ',';
    append_text(text_, key);
    text_ += ':';
    text_ += json;
    return *this;
  }

  bool empty() const { return text_.empty(); }
  std::string text() const { return text_.empty() ? "{}" : text_ + '}'; }

 private:
  std::string text_;
};

inline ObjectText retry_json(const Retry& retry) {
  ObjectText on;
  on.add("error", retry.on.error)
      .add("crash", retry.on.crash)
      .add("outOfMemory", retry.on.out_of_memory)
      .add("stalled", retry.on.stalled)
      .add("timeout", retry.on.timeout);
  ObjectText out;
  out.add("maxAttempts", retry.max_attempts)
      .add("factor", retry.factor)
      .add("minTimeoutMs", retry.min_timeout)
      .add("maxTimeoutMs", retry.max_timeout)
      .add("randomize", retry.randomize)
      .add("on", on)
      .add("outOfMemory", ObjectText().add("machine", retry.out_of_memory.machine));
  return out;
}

inline ObjectText queue_json(const Queue& queue) {
  ObjectText rate;
  if (queue.rate_limit.limit != 0) rate.add("limit", queue.rate_limit.limit).add("periodMs", queue.rate_limit.period);
  ObjectText out;
  out.add_if(!queue.name.empty(), "name", queue.name)
      .add_if(queue.concurrency_limit != 0, "concurrencyLimit", queue.concurrency_limit)
      .add("rateLimit", rate);
  return out;
}

inline ObjectText cron_json(const Cron& cron) {
  constexpr std::string_view kCatchUp[] = {"", "none", "latest", "all"};
  constexpr std::string_view kOverlap[] = {"", "allow", "skip", "queue_one", "cancel_previous"};
  ObjectText out;
  out.add_if(!cron.pattern.empty(), "pattern", cron.pattern)
      .add_if(!cron.timezone.empty(), "timezone", cron.timezone)
      .add_if(!cron.window.empty(), "window", cron.window)
      .add_if(cron.catch_up != CatchUp::kDefault, "catchUp", kCatchUp[static_cast<std::size_t>(cron.catch_up)])
      .add_if(cron.overlap != Overlap::kDefault, "overlap", kOverlap[static_cast<std::size_t>(cron.overlap)]);
  return out;
}

inline ObjectText sandbox_json(const Sandbox& sandbox) {
  ObjectText out;
  out.add_if(!sandbox.network, "network", false).add_if(!sandbox.exec, "exec", false);
  return out;
}

inline ObjectText diagnostics_json(const Diagnostics& diagnostics) {
  ObjectText out;
  out.add_if(diagnostics.last_attempt == LastAttempt::kCore, "lastAttempt", std::string_view("core"));
  return out;
}

/// The options document of `task`, a perdure::Task.
template <class T>
std::string options_json(const T& task) {
  ObjectText out;
  out.add_if(!task.description.empty(), "description", task.description)
      .add_if(task.version == Version::kLatest, "version", std::string_view("latest"))
      .add("queue", queue_json(task.queue))
      .add("retry", retry_json(task.retry))
      .add("machine", task.machine)
      .add("maxDurationMs", task.max_duration)
      .add("ttlMs", task.ttl)
      .add("cron", cron_json(task.cron))
      .add_if(task.recycle_after != 0, "recycleAfter", task.recycle_after)
      .add("evictWaitsAfterMs", task.evict_waits_after)
      .add("sandbox", sandbox_json(task.sandbox))
      .add("diagnostics", diagnostics_json(task.diagnostics));
  std::string schema(task.payload_schema);
  if (schema.empty()) schema = schema_of<typename T::Input>();
  if (!schema.empty()) out.raw("payloadSchema", schema);
  return out.text();
}

/// Refuses while compiling what the host would refuse when it loads the plugin.
template <const auto& task>
constexpr void check_options() {
  static_assert(task.run != nullptr, "a perdure::Task needs .run");
  static_assert(task.retry.max_attempts.value_or(1) >= 1, ".retry.max_attempts counts the first attempt: at least 1");
  static_assert(task.retry.factor.value_or(1) >= 1, ".retry.factor must be at least 1");
  static_assert(task.retry.min_timeout.value_or(milliseconds(0)) >= milliseconds(0) &&
                    task.retry.max_timeout.value_or(milliseconds(0)) >= milliseconds(0),
                ".retry timeouts cannot be negative");
  static_assert(
      task.max_duration.value_or(milliseconds(5000)) >= milliseconds(5000) || task.max_duration == milliseconds(0),
      ".max_duration must be at least 5 s, or 0 for none");
  static_assert(task.ttl.value_or(milliseconds(0)) >= milliseconds(0), ".ttl cannot be negative");
  static_assert(task.queue.concurrency_limit >= 0, ".queue.concurrency_limit cannot be negative");
  static_assert(task.queue.rate_limit.limit == 0 || task.queue.rate_limit.period > milliseconds(0),
                ".queue.rate_limit needs a period");
  static_assert(task.recycle_after >= 0, ".recycle_after cannot be negative");
  static_assert(task.machine.preset != "auto", "\"auto\" is for .retry.out_of_memory.machine");
}

}  // namespace perdure::detail
