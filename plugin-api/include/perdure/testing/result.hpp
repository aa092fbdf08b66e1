// What became of an attempt, for a test to look at: its outcome, and everything it told the host. A value.
#pragma once

#include <perdure/plugin.h>

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <perdure/errors.hpp>
#include <perdure/json.hpp>
#include <perdure/json_read.hpp>
#include <perdure/json_write.hpp>
#include <perdure/testing/options.hpp>

namespace perdure::testing {

/// A line of the attempt's log.
struct LogLine {
  perdure_level level = PERDURE_INFO;  // PERDURE_TRACE to PERDURE_ERROR
  std::string message;
  json::object fields;
};

/// Why an attempt failed.
struct Failure {
  std::string name;     // "std::out_of_range", "CardDeclined", "TASK_PAYLOAD_INVALID", ...
  std::string message;  // for people
  json::value details;  // null when there are none
  std::string stack;    // when the task gave one
};

/// A run that the attempt triggered.
struct Triggered {
  std::string run_id;  // child_1, child_2, ...
  std::string task;
  json::value payload;
  json::object options;
  bool waited = false;
};

struct Result {
  perdure_status status = PERDURE_OK;  // as the task function, or the middleware around it, returned it
  std::string output_text = "null";    // JSON, byte for byte, when it succeeded
  Failure failure;                     // when it did not; the same as error()
  bool retried = false;  // it failed and another attempt follows: by the task's policy and its catch_error
  /// When that attempt starts: the time the task or its catch_error chose, or the policy's without its random part.
  std::optional<Instant> retry_at;

  std::vector<LogLine> logs;         // in order
  std::vector<Step> steps;           // durable calls, in order; give them to the next attempt as Options::recorded
  std::vector<Triggered> children;   // triggered by this attempt; those of earlier ones are among the steps only
  std::vector<std::string> hooks;    // the hooks that were called, in order: "init", "cleanup", ...
  std::vector<std::string> ignored;  // errors of hooks that do no harm: "on_start: std::runtime_error: boom"
  json::object metadata;             // of the run, afterwards
  json::object parent_metadata, root_metadata;                           // of Options::has_parent
  std::vector<std::string> tags;                                         // of the run, afterwards
  std::map<std::string, std::vector<std::string>, std::less<>> streams;  // chunks by name
  std::map<std::string, json::value, std::less<>> tokens;                // completed by the attempt
  int heartbeats = 0;
  Instant now{};  // the time at the end: waits have moved it on

  bool succeeded() const noexcept { return status == PERDURE_OK; }
  /// Failed for good, whatever the policy says.
  bool aborted() const noexcept { return status == PERDURE_ABORTED; }
  bool cancelled() const noexcept { return status == PERDURE_CANCELLED; }
  bool out_of_memory() const noexcept { return status == PERDURE_OUT_OF_MEMORY; }
  /// Left memory in a wait (Options::evict_waits): run it again with `steps` as recorded.
  bool suspended() const noexcept { return status == PERDURE_SUSPENDED; }

  /// The output as a value. Throws std::logic_error with describe() when there is none, JsonError when it is no T.
  template <class T = json::value>
  T output() const {
    if (!succeeded()) throw std::logic_error("the attempt has no output: it " + describe());
    return from_json<T>(output_text);
  }
  /// Why it did not succeed; empty names and texts when it did.
  const Failure& error() const noexcept { return failure; }

  /// The first log line whose message contains `part`, or null.
  const LogLine* find_log(std::string_view part) const {
    for (const LogLine& line : logs) {
      if (line.message.find(part) != std::string::npos) return &line;
    }
    return nullptr;
  }

  /// One line for the message of a failed test.
  std::string describe() const {
    if (succeeded()) return "succeeded with " + output_text;
    const char* how = aborted()         ? "aborted"
                      : cancelled()     ? "was cancelled"
                      : out_of_memory() ? "was out of memory"
                      : suspended()     ? "was suspended"
                                        : "failed";
    if (failure.name.empty()) return how;
    return how + (": " + failure.name) + ": " + failure.message +
           (failure.details.is_null() ? "" : " " + to_json(failure.details));
  }
};

}  // namespace perdure::testing
