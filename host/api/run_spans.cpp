#include "host/api/run_spans.h"

#include <algorithm>

#include "host/api/json_members.h"

namespace perdure::api {
namespace {

using store::AttemptStatus;
using store::RunStatus;

std::string id_of(const store::RunId& run) { return run.text().substr(run.text().find('_') + 1); }

Span span_of(const store::Run& run) {
  Span span{.id = id_of(run.id), .parent = {}, .message = run.task.text(), .start = run.created_at};
  span.partial = !store::is_final(run.status);
  span.duration = run.finished_at.value_or(run.updated_at) - run.created_at;
  span.canceled = run.status == RunStatus::kCanceled;
  span.error = !span.partial && !span.canceled && run.status != RunStatus::kCompleted;
  return span;
}

Span span_of(const store::Run& run, const store::Attempt& attempt) {
  const std::string number = std::to_string(attempt.number);
  Span span{.id = id_of(run.id) + "-" + number, .parent = id_of(run.id), .message = "Attempt " + number};
  span.start = attempt.started_at;
  span.partial = attempt.status == AttemptStatus::kExecuting;
  span.duration = attempt.ended_at ? *attempt.ended_at - attempt.started_at : attempt.usage.duration;
  span.attempt = attempt.number;
  span.canceled = attempt.status == AttemptStatus::kCanceled;
  span.error = attempt.status == AttemptStatus::kFailed || attempt.status == AttemptStatus::kLost;
  return span;
}

// "attempt_started" -> "attempt started", with what its data names: "step fetch".
std::string words_of(const store::TimelineEvent& event) {
  std::string words = event.name;
  std::ranges::replace(words, '_', ' ');
  const auto members = json_members(event.data);
  const auto name = members ? find_member(*members, "name") : std::nullopt;
  if (const auto text = name ? json_string(*name) : std::nullopt) words += " " + *text;
  return words;
}

Span span_of(const store::Run& run, const store::TimelineEvent& event, bool in_attempt) {
  const std::string own = id_of(run.id);
  return {.id = own + "-e" + std::to_string(event.sequence),
          .parent = in_attempt ? own + "-" + std::to_string(event.attempt) : own,
          .message = words_of(event),
          .start = event.at,
          .duration = {},
          .attempt = event.attempt};
}

}  // namespace

store::Result<std::vector<Span>> spans_of(const store::Store& store, const store::Run& run) {
  const auto attempts = store.attempts(run.id);
  if (!attempts) return attempts.status();
  const auto events = store.timeline(run.id);
  if (!events) return events.status();
  std::vector<Span> spans;
  for (const store::Attempt& attempt : *attempts) spans.push_back(span_of(run, attempt));
  for (const store::TimelineEvent& event : *events) {
    const bool in_attempt = event.attempt != 0 && std::ranges::any_of(*attempts, [&](const store::Attempt& attempt) {
                              return attempt.number == event.attempt;
                            });
    spans.push_back(span_of(run, event, in_attempt));
  }
  std::ranges::stable_sort(spans, {}, &Span::start);
  spans.insert(spans.begin(), span_of(run));
  return spans;
}

}  // namespace perdure::api
