#include "host/api/run_json.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "store/model/cron.h"
#include "store/model/duration.h"
#include "store/model/run_filter.h"

namespace perdure::api {
namespace {

using store::RunStatus;

constexpr std::string_view kEnvironment = R"({"id":"env_local","name":"prod"})";

void put_flags(JsonText& json, RunStatus status) {
  const bool ended = store::is_final(status);
  json.boolean("isQueued",
               status == RunStatus::kQueued || status == RunStatus::kDelayed || status == RunStatus::kPendingVersion);
  json.boolean("isExecuting", status == RunStatus::kExecuting || status == RunStatus::kDequeued);
  json.boolean("isWaiting", status == RunStatus::kWaiting);
  json.boolean("isCompleted", ended);
  json.boolean("isSuccess", status == RunStatus::kCompleted);
  json.boolean("isFailed", ended && status != RunStatus::kCompleted);
  json.boolean("isCancelled", status == RunStatus::kCanceled);
}

void put_tags(JsonText& json, std::vector<std::string> tags) {
  std::ranges::sort(tags);
  json.key("tags").begin_array();
  for (const std::string& tag : tags) json.text(tag);
  json.end_array();
}

std::string message_of(const store::Failure& failure) {
  std::string message = failure.message.empty() ? std::string(store::failure_code(failure.kind)) : failure.message;
  const bool names_signal = failure.kind != store::FailureKind::kCrashed || failure.name.empty() ||
                            message.find(failure.name) != std::string::npos;
  if (!names_signal) message += " (" + failure.name + ")";
  return message;
}

void put_text_if(JsonText& json, std::string_view name, const std::string& text) {
  if (!text.empty()) json.text(name, text);
}
void put_raw_if(JsonText& json, std::string_view name, const std::string& text) {
  if (!text.empty()) json.raw(name, text);
}

// The contract's error, {message, name?, stackTrace?}, with Perdure's code and details.
void put_error(JsonText& json, const store::Failure& failure) {
  json.begin_object().text("code", store::failure_code(failure.kind));
  put_text_if(json, "name", failure.name);
  json.text("message", message_of(failure));
  put_text_if(json, "stackTrace", failure.stack);
  put_raw_if(json, "details", failure.details);
  json.end_object();
}

}  // namespace

void put_summary(JsonText& json, const store::Run& run) {
  const RunStatus status = store::told_status(run);
  json.text("id", run.id.text()).text("taskIdentifier", run.task.text()).text("status", store::status_name(status));
  put_flags(json, status);
  json.boolean("isTest", run.options.is_test).time("createdAt", run.created_at).time("updatedAt", run.updated_at);
  if (run.started_at) json.time("startedAt", *run.started_at);
  if (run.finished_at) json.time("finishedAt", *run.finished_at);
  if (run.ready_at && run.attempts == 0) json.time("delayedUntil", *run.ready_at);
  if (status == RunStatus::kExpired && run.finished_at) json.time("expiredAt", *run.finished_at);
  put_tags(json, run.options.tags);
  json.number("costInCents", 0).number("baseCostInCents", 0).number("durationMs", run.executed.count());
  json.raw("env", kEnvironment);
  put_text_if(json, "version", run.version.text());
  put_text_if(json, "idempotencyKey",
              run.options.idempotency_shown.empty() ? run.options.idempotency_key : run.options.idempotency_shown);
  if (run.options.ttl && *run.options.ttl > store::Duration::zero()) {
    json.text("ttl", store::format_duration(*run.options.ttl));
  }
  put_text_if(json, "batchId", run.batch.text());
  put_raw_if(json, "metadata", run.options.metadata);
}

void put_schedule_of(JsonText& json, const store::Run& run, const store::Result<store::Schedule>& schedule) {
  if (run.schedule.empty()) return;
  json.key("schedule").begin_object().text("id", run.schedule.text());
  std::string pattern, description = "The schedule was deleted";
  if (schedule) {
    put_text_if(json, "externalId", schedule->external_id);
    put_text_if(json, "deduplicationKey", schedule->deduplication_key);
    pattern = schedule->rule.pattern;
    const store::Result<store::CronPattern> parsed = store::CronPattern::parse(pattern);
    description = parsed ? parsed->description() : pattern;
  }
  json.key("generator").begin_object().text("type", "CRON").text("expression", pattern);
  json.text("description", description).end_object();
  if (run.scheduled_for) json.time("timestamp", *run.scheduled_for);
  json.end_object();
}

void put_descent(JsonText& json, const store::Run& run) {
  json.number("depth", run.depth).text("triggerFunction", run.batch.empty() ? "trigger" : "batchTrigger");
}

void put_run(JsonText& json, const store::Run& run, const std::string& related,
             const std::optional<std::string>& payload, const std::optional<std::string>& output) {
  put_summary(json, run);
  put_descent(json, run);
  json.raw("relatedRuns", related);
  json.number("attemptCount", run.attempts);
  if (payload) json.raw("payload", *payload);
  if (output) json.raw("output", *output);
  const bool unsuccessful = store::is_final(run.status) && run.status != RunStatus::kCompleted;
  if (unsuccessful && run.failure) put_error(json.key("error"), *run.failure);
}

void put_details(JsonText& json, const store::Run& run) {
  json.text("queue", run.queue.text());
  put_text_if(json, "concurrencyKey", run.concurrency_key);
  json.number("priorityMs", run.priority.count()).number("hostLosses", run.host_losses);
  if (run.options.max_attempts) json.number("maxAttempts", *run.options.max_attempts);
  if (run.options.max_duration) json.number("maxDurationMs", run.options.max_duration->count());
  put_text_if(json, "machine", run.machine.empty() ? run.options.machine : run.machine);
  put_text_if(json, "payloadType", run.options.payload_type);
  put_text_if(json, "debounceKey", run.debounce_key);
  put_text_if(json, "replayOf", run.origin);
  put_text_if(json, "parentRunId", run.parent.text());
  put_text_if(json, "rootRunId", run.root.text());
  if (run.expires_at) json.time("expiresAt", *run.expires_at);
  if (run.status == RunStatus::kDelayed && run.attempts > 0 && run.ready_at) json.time("retryAt", *run.ready_at);
}

void put_attempt(JsonText& json, const store::Attempt& attempt, const std::optional<store::Usage>& used) {
  const store::Usage& usage = used ? *used : attempt.usage;
  json.begin_object().number("number", attempt.number).text("status", store::attempt_status_name(attempt.status));
  json.time("startedAt", attempt.started_at);
  if (attempt.ended_at) json.time("endedAt", *attempt.ended_at);
  json.number("durationMs", usage.duration.count());
  // Known of attempts that execute, of those that took longer than a moment, and of those whose process died.
  if (usage.peak_memory > 0) {
    json.number("cpuMs", static_cast<double>(usage.cpu.count()) / 1000);
    json.number("peakMemory", usage.peak_memory);
    json.number("voluntarySwitches", usage.voluntary_switches);
    json.number("involuntarySwitches", usage.involuntary_switches);
  }
  put_text_if(json, "machine", attempt.machine);
  put_text_if(json, "version", attempt.version.text());
  if (attempt.pid != 0) json.number("pid", attempt.pid);
  if (attempt.failure) put_error(json.key("error"), *attempt.failure);
  json.end_object();
}

void put_event(JsonText& json, const store::TimelineEvent& event) {
  json.begin_object().number("sequence", event.sequence).time("at", event.at).text("name", event.name);
  json.text("status", store::status_name(event.status));
  if (event.attempt != 0) json.number("attempt", event.attempt);
  put_raw_if(json, "data", event.data);
  json.end_object();
}

void put_log_entry(JsonText& json, const store::LogEntry& entry) {
  json.begin_object().number("sequence", entry.sequence).time("at", entry.at).number("attempt", entry.attempt);
  json.text("level", store::log_level_name(entry.level)).text("source", store::log_source_name(entry.source));
  json.text("message", entry.message);
  put_raw_if(json, "fields", entry.fields);
  json.end_object();
}

}  // namespace perdure::api
