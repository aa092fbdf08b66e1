// A run as its host tells of it. A value.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <perdure/client/errors.hpp>
#include <perdure/client/members.hpp>
#include <perdure/wait.hpp>

namespace perdure::client {

struct Run {
  std::string id;
  std::string task;
  std::string status;  // "QUEUED", "DELAYED", "EXECUTING", "WAITING", "COMPLETED", "FAILED", "CRASHED", "CANCELED" …
  Instant created_at{};
  Instant updated_at{};
  std::optional<Instant> started_at{};
  std::optional<Instant> finished_at{};
  std::optional<Instant> delayed_until{};
  std::vector<std::string> tags{};
  json::object metadata{};
  bool is_test = false;
  milliseconds executed{};  // by its attempts together
  std::string version{};    // of its plugin; empty before it begins
  std::string batch_id{};
  std::string idempotency_key{};
  // Lists have none of these.
  int attempts = 0;
  std::optional<json::value> payload{};
  std::optional<json::value> output{};  // of a run that completed
  std::optional<RunError> error{};      // of one that ended otherwise
  json::object all{};                   // everything that was told

  bool finished() const noexcept { return finished_at.has_value(); }
  bool completed() const noexcept { return status == "COMPLETED"; }

  /// JsonError when it is no such value.
  template <class T>
  T payload_as() const {
    return detail::value_as<T>(payload.value_or(nullptr));
  }
  /// How it ended, of a run that is finished. AnswerInvalid when it completed with something else than an Out.
  template <class Out = json::value>
  RunResult<Out> result() const {
    if (!completed()) return RunResult<Out>(error.value_or(RunError{status, words_of_end(), status, id, {}}));
    try {
      return RunResult<Out>(detail::value_as<Out>(output.value_or(nullptr)));
    } catch (const JsonError& e) {
      throw AnswerInvalid("the output of run " + id + " is not of the type that was asked for: " + e.what());
    }
  }

 private:
  std::string words_of_end() const { return finished() ? "the run ended as " + status : "the run has not ended"; }
};

namespace detail {

/// Its error {"code", "name"?, "message", …}.
inline RunError error_of(const json::object& error, const std::string& status, const std::string& id) {
  RunError out;
  out.name = optional<std::string>(error, "name").value_or("");
  if (out.name.empty()) out.name = optional<std::string>(error, "code").value_or(status);
  out.message = optional<std::string>(error, "message").value_or("");
  out.status = status;
  out.run_id = id;
  out.all = error;
  return out;
}

/// Reads the form of GET /api/v3/runs/{id} and its relatives. Throws JsonError.
inline Run read_run(json::object object) {
  Run run;
  run.id = required<std::string>(object, "id");
  run.task = required<std::string>(object, "taskIdentifier");
  run.status = required<std::string>(object, "status");
  run.created_at = required_time(object, "createdAt");
  run.updated_at = required_time(object, "updatedAt");
  run.started_at = optional_time(object, "startedAt");
  run.finished_at = optional_time(object, "finishedAt");
  run.delayed_until = optional_time(object, "delayedUntil");
  run.tags = optional<std::vector<std::string>>(object, "tags").value_or(run.tags);
  run.metadata = optional<json::object>(object, "metadata").value_or(run.metadata);
  run.is_test = optional<bool>(object, "isTest").value_or(false);
  run.executed = milliseconds(static_cast<std::int64_t>(optional<double>(object, "durationMs").value_or(0)));
  run.version = optional<std::string>(object, "version").value_or("");
  run.batch_id = optional<std::string>(object, "batchId").value_or("");
  run.idempotency_key = optional<std::string>(object, "idempotencyKey").value_or("");
  run.attempts = optional<int>(object, "attemptCount").value_or(0);
  if (const json::value* const payload = object.if_contains("payload")) run.payload = *payload;
  if (const json::value* const output = object.if_contains("output")) run.output = *output;
  if (const auto error = optional<json::object>(object, "error")) run.error = error_of(*error, run.status, run.id);
  if (run.finished() && !run.completed() && !run.error) {
    run.error = RunError{run.status, "the run ended as " + run.status, run.status, run.id, {}};
  }
  run.all = std::move(object);
  return run;
}

}  // namespace detail
}  // namespace perdure::client
