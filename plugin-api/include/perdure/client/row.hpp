// A run as live subscriptions have it, columns of text, as a Run. Pure functions; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <perdure/client/members.hpp>
#include <perdure/client/run.hpp>

namespace perdure::client::detail {

/// The names that statuses have elsewhere.
inline std::string status_of(const std::string& raw) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kOthers{
      {{"PENDING", "QUEUED"},
       {"WAITING_FOR_DEPLOY", "PENDING_VERSION"},
       {"RETRYING_AFTER_FAILURE", "EXECUTING"},
       {"WAITING_TO_RESUME", "WAITING"},
       {"PAUSED", "WAITING"},
       {"COMPLETED_SUCCESSFULLY", "COMPLETED"},
       {"COMPLETED_WITH_ERRORS", "FAILED"}}};
  for (const auto& [wire, name] : kOthers) {
    if (raw == wire) return std::string(name);
  }
  return raw == "INTERRUPTED" ? "FAILED" : raw;
}

/// {"a","b\"c"}, or a JSON array.
inline std::vector<std::string> column_list(const json::object& row, std::string_view name) {
  const json::value* const value = member(row, name);
  if (value == nullptr) return {};
  if (value->is_array()) return read_member<std::vector<std::string>>(*value, name);
  const auto text = read_member<std::string>(*value, name);
  if (!text.starts_with('{') || !text.ends_with('}')) throw JsonError(std::string(name) + " must be a list in braces");
  std::vector<std::string> list;
  std::string each;
  bool quoted = false, some = false;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\' && i + 2 < text.size()) {
      each += text[++i];
    } else if (c == '"') {
      quoted = !quoted;
      some = true;
    } else if (c == ',' && !quoted) {
      list.push_back(std::exchange(each, {}));
      some = false;
    } else {
      each += c;
      some = true;
    }
  }
  if (some || !list.empty()) list.push_back(each);
  return list;
}

/// A packet: text beside the column that says what kind. Nothing for one that is stored elsewhere.
inline std::optional<json::value> column_packet(const json::object& row, std::string_view name) {
  const auto text = optional<std::string>(row, name);
  if (!text) return std::nullopt;
  const std::string type = optional<std::string>(row, std::string(name) + "Type").value_or("application/json");
  if (type == "text/plain") return json::value(*text);
  if (type == "application/store") return std::nullopt;
  json::value value = perdure::detail::parse(*text);
  if (type != "application/super+json") return value;
  const json::object* const document = value.if_object();
  const json::value* const inner = document != nullptr ? document->if_contains("json") : nullptr;
  return inner != nullptr ? *inner : json::value(nullptr);
}

/// A column that is JSON text, or the JSON itself.
inline json::value column_json(const json::object& row, std::string_view name) {
  const json::value* const value = member(row, name);
  if (value == nullptr) return nullptr;
  return value->is_string() ? perdure::detail::parse(std::string_view(value->get_string())) : *value;
}

inline std::optional<RunError> column_error(const json::object& row, const Run& run) {
  const json::value value = column_json(row, "error");
  const json::object* const object = value.if_object();
  if (object == nullptr) return std::nullopt;
  RunError error = error_of(*object, run.status, run.id);  // by name, or by code
  if (error.message.empty()) error.message = optional<std::string>(*object, "raw").value_or(error.name);
  return error;
}

/// Times have no Z there; they are UTC all the same. Throws JsonError.
inline Run read_row(const json::object& row) {
  Run run;
  run.id = required<std::string>(row, "friendlyId");
  run.task = required<std::string>(row, "taskIdentifier");
  run.status = status_of(required<std::string>(row, "status"));
  run.created_at = required_time(row, "createdAt");
  run.updated_at = required_time(row, "updatedAt");
  run.started_at = optional_time(row, "startedAt");
  run.finished_at = optional_time(row, "completedAt");
  run.delayed_until = optional_time(row, "delayUntil");
  run.tags = column_list(row, "runTags");
  const json::value metadata = column_json(row, "metadata");
  if (metadata.is_object()) run.metadata = metadata.get_object();
  if (const json::value* const test = member(row, "isTest")) {
    run.is_test = test->is_bool() ? test->get_bool() : read_member<std::string>(*test, "isTest") == "t";
  }
  const json::value used = column_json(row, "usageDurationMs");
  if (!used.is_null()) run.executed = milliseconds(read_member<std::int64_t>(used, "usageDurationMs"));
  run.idempotency_key = optional<std::string>(row, "idempotencyKey").value_or("");
  run.payload = column_packet(row, "payload");
  run.output = column_packet(row, "output");
  run.error = column_error(row, run);
  if (run.finished() && !run.completed() && !run.error) {
    run.error = RunError{run.status, "the run ended as " + run.status, run.status, run.id, {}};
  }
  run.all = row;
  return run;
}

}  // namespace perdure::client::detail
