// The options document of a task, key by key as plugin-api/options.schema.json has it.
#include "store/model/task_options.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "store/model/duration.h"
#include "store/model/json_text.h"
#include "store/model/machine.h"
#include "store/model/option_section.h"
#include "store/model/timetable.h"

namespace perdure::store {
namespace {

namespace json = boost::json;

constexpr JsonLimits kDocumentLimits{1u << 20, 32};
constexpr std::int64_t kMostAttempts = 1000;
constexpr std::int64_t kLeastMaxDuration = 5000;

template <class T, class From>
void set(T& to, const std::optional<From>& from) {
  if (from) to = static_cast<T>(*from);
}

std::optional<Duration> duration(OptionSection& in, std::string_view key, std::int64_t least) {
  const std::optional<std::int64_t> milliseconds = in.integer(key, least, kLongestDuration.count());
  return milliseconds ? std::optional(Duration(*milliseconds)) : std::nullopt;
}

// As machine_text(), or "auto".
std::optional<std::string> machine(OptionSection& in, std::string_view key, bool auto_allowed) {
  const json::value* value = in.find(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_object()) {
    OptionSection size = *in.section(key);
    size.require("cpu");
    size.require("memory");
    const std::optional<double> cpu = size.number("cpu", 0, 1024);
    if (cpu && *cpu == 0) size.refuse("cpu", "more than 0");
    const auto memory = size.integer("memory", static_cast<std::int64_t>(kLeastMachineMemory), INT64_MAX);
    size.close();
    return machine_text({"", cpu.value_or(1), static_cast<std::uint64_t>(memory.value_or(0))});
  }
  if (const json::string* name = value->if_string()) {
    const std::string_view text = *name;
    const auto presets = machine_presets();
    const bool known = std::ranges::find(presets, text, &Machine::name) != presets.end();
    if (known || (auto_allowed && text == "auto")) return std::string(text);
  }
  std::string expected =
      auto_allowed ? "\"auto\", an object of cpu and memory, or one of" : "an object of cpu and memory, or one of";
  for (const Machine& each : machine_presets()) expected += " \"" + each.name + '"';
  in.refuse(key, expected);
  return std::nullopt;
}

// At least five seconds, or 0 for none.
std::optional<Duration> max_duration(OptionSection& in) {
  const json::value* value = in.find("maxDurationMs");
  if (value != nullptr && value->is_int64() && value->get_int64() == 0) return Duration(0);
  return duration(in, "maxDurationMs", kLeastMaxDuration);
}

void read_retry_class(OptionSection& in, std::string_view key, bool& retried, std::optional<std::uint32_t>& attempts) {
  const json::value* value = in.find(key);
  if (value == nullptr) return;
  if (value->is_object()) {
    OptionSection own = *in.section(key);
    own.require("maxAttempts");
    set(attempts, own.integer("maxAttempts", 1, kMostAttempts));
    own.close();
    retried = true;
  } else if (value->is_bool()) {
    retried = value->get_bool();
  } else {
    in.refuse(key, "true, false or an object of maxAttempts");
  }
}

void read_retry(OptionSection in, RetryPolicy& retry) {
  set(retry.max_attempts, in.integer("maxAttempts", 1, kMostAttempts));
  set(retry.factor, in.number("factor", 1, 1000));
  set(retry.min_timeout, duration(in, "minTimeoutMs", 0));
  set(retry.max_timeout, duration(in, "maxTimeoutMs", 0));
  set(retry.randomize, in.boolean("randomize"));
  if (std::optional<OptionSection> on = in.section("on")) {
    read_retry_class(*on, "error", retry.on_error, retry.error_attempts);
    read_retry_class(*on, "crash", retry.on_crash, retry.crash_attempts);
    read_retry_class(*on, "outOfMemory", retry.on_out_of_memory, retry.out_of_memory_attempts);
    read_retry_class(*on, "stalled", retry.on_stalled, retry.stalled_attempts);
    read_retry_class(*on, "timeout", retry.on_timeout, retry.timeout_attempts);
    on->close();
  }
  if (std::optional<OptionSection> out_of_memory = in.section("outOfMemory")) {
    out_of_memory->require("machine");
    set(retry.out_of_memory_machine, machine(*out_of_memory, "machine", true));
    out_of_memory->close();
  }
  in.close();
}

void read_queue(OptionSection in, TaskOptions& options) {
  if (std::optional<std::string> name = in.text("name", 1, 128)) options.queue = QueueName(std::move(*name));
  set(options.concurrency_limit, in.integer("concurrencyLimit", 1, kLargestQueueLimit));
  if (std::optional<OptionSection> rate = in.section("rateLimit")) {
    rate->require("limit");
    rate->require("periodMs");
    const auto limit = rate->integer("limit", 1, INT64_MAX);
    const auto period = duration(*rate, "periodMs", 1);
    rate->close();
    if (limit && period) options.rate_limit = RateLimit{static_cast<std::uint64_t>(*limit), *period};
  }
  in.close();
}

void read_cron(OptionSection in, OptionsReading& reading, TaskOptions& options) {
  ScheduleRule rule;
  in.require("pattern");
  set(rule.pattern, in.text("pattern", 1, 1000));
  set(rule.timezone, in.text("timezone", 1, 100));
  set(rule.window, in.text("window", 0, 100));
  if (const auto catch_up = in.one_of("catchUp", {"none", "latest", "all"})) {
    set(rule.catch_up, parse_catch_up(*catch_up));
  }
  if (const auto overlap = in.one_of("overlap", {"allow", "skip", "queue_one", "cancel_previous"})) {
    set(rule.overlap, parse_overlap(*overlap));
  }
  in.close();
  if (!reading.status) return;
  if (const Result<Timetable> timetable = Timetable::parse(rule); !timetable) {
    reading.status = Status::invalid(reading.subject + ": option cron: " + timetable.status().message());
    return;
  }
  options.cron = std::move(rule);
}

void read_sandbox(OptionSection in, Sandbox& sandbox) {
  set(sandbox.network, in.boolean("network"));
  set(sandbox.exec, in.boolean("exec"));
  in.close();
}

void read_diagnostics(OptionSection in, TaskOptions& options) {
  options.core_of_last_attempt = in.one_of("lastAttempt", {"core"}) == "core";
  in.close();
}

void read_document(OptionSection in, OptionsReading& reading, TaskOptions& options) {
  set(options.description, in.text("description", 0, 1000));
  if (const json::value* schema = in.find("payloadSchema")) {
    if (!schema->is_object() && !schema->is_bool()) in.refuse("payloadSchema", "an object, true or false");
    options.payload_schema = json::serialize(*schema);
  }
  options.latest_version = in.one_of("version", {"locked", "latest"}) == "latest";
  if (std::optional<OptionSection> retry = in.section("retry")) read_retry(std::move(*retry), options.retry);
  if (std::optional<OptionSection> queue = in.section("queue")) read_queue(std::move(*queue), options);
  set(options.machine, machine(in, "machine", false));
  set(options.max_duration, max_duration(in));
  set(options.ttl, duration(in, "ttlMs", 0));
  if (std::optional<OptionSection> cron = in.section("cron")) {
    read_cron(std::move(*cron), reading, options);
  }
  set(options.recycle_after, in.integer("recycleAfter", 1, 1000000));
  options.evict_waits_after = duration(in, "evictWaitsAfterMs", 0);
  if (std::optional<OptionSection> sandbox = in.section("sandbox")) read_sandbox(std::move(*sandbox), options.sandbox);
  if (std::optional<OptionSection> diagnostics = in.section("diagnostics")) {
    read_diagnostics(std::move(*diagnostics), options);
  }
  in.close();
}

}  // namespace

Status read_retry_policy(const json::object& retry, const std::string& subject, RetryPolicy& policy) {
  OptionsReading reading{subject, false, {}};
  read_retry(OptionSection(reading, retry, "retry"), policy);
  return reading.status;
}

Result<TaskOptions> parse_task_options(const TaskId& task, std::string_view json_text, bool newer_minor) {
  TaskOptions options;
  if (json_text.empty()) json_text = "{}";
  options.document = json_text;
  OptionsReading reading{"task \"" + task.text() + '"', newer_minor, {}};
  if (Status acceptable = check_json(json_text, kDocumentLimits, reading.subject + ": the options document");
      !acceptable) {
    return acceptable;
  }
  try {
    json::error_code error;
    const json::value document = json::parse(json::string_view(json_text.data(), json_text.size()), error);
    if (error || !document.is_object()) {
      return Status::invalid(reading.subject + ": the options must be a JSON object such as {\"ttlMs\": 60000}");
    }
    read_document(OptionSection(reading, document.get_object(), {}), reading, options);
  } catch (const std::exception& thrown) {
    return Status::invalid(reading.subject + ": the options cannot be read: " + thrown.what());
  }
  if (!reading.status) return reading.status;
  return options;
}

}  // namespace perdure::store
