// A task's options as its plugin registered them, parsed from the options document (schema:
// plugin-api/options.schema.json) with the task model's defaults filled in. Values; any thread.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "store/model/ids.h"
#include "store/model/queue.h"
#include "store/model/retry.h"
#include "store/model/sandbox.h"
#include "store/model/schedule.h"
#include "store/model/status.h"

namespace perdure::store {

struct TaskOptions {
  std::string description;
  std::string payload_schema;  // JSON text, or empty
  RetryPolicy retry;
  QueueName queue;  // empty: the task's own, "task/<id>"
  std::optional<std::size_t> concurrency_limit;
  std::optional<RateLimit> rate_limit;
  std::string machine;                   // as machine_text(); empty: the host's default
  std::optional<Duration> max_duration;  // at least 5 s; 0: none, whatever the host's default
  std::optional<Duration> ttl;
  std::optional<ScheduleRule> cron;  // of its declarative schedule; a Timetable can be made of it
  std::uint32_t recycle_after = 1;
  std::optional<Duration> evict_waits_after;  // the process may leave during a wait that lasts longer
  Sandbox sandbox;
  bool core_of_last_attempt = false;  // the last permitted one, after an attempt that crashed, leaves a core file
  bool latest_version = false;        // retries start on the version that serves, not on the one the run began on
  std::string document;               // the options as registered, JSON text
};

/// Changes what a `retry` object names of `policy`. kInvalid by path, such as "retry.maxAttempts"; `subject` begins the
/// message.
Status read_retry_policy(const boost::json::object& retry, const std::string& subject, RetryPolicy& policy);

/// Parses the options of `task`. An unknown key, a wrong type or a bad value is kInvalid, naming the path and, for a
/// key, the nearest known one. `newer_minor`: the plugin was built with a newer minor than the host's, so unknown keys
/// are left alone.
Result<TaskOptions> parse_task_options(const TaskId& task, std::string_view json, bool newer_minor);

}  // namespace perdure::store
