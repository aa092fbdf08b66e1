// Hooks that execute in a child: each is told when it begins and when it ends, which bounds its time, and before the
// last ones the observer judges what becomes of the run.
#include <algorithm>
#include <utility>

#include "host/process/child.h"
#include "host/process/exit_classifier.h"
#include "host/process/json_slices.h"
#include "host/process/outcome.h"
#include "store/model/json_text.h"

namespace perdure::process {
namespace {

using protocol::Incoming;

constexpr store::JsonLimits kJudgeLimits{protocol::kMaxJson, 130};
constexpr std::size_t kMaxTold = 1000;  // hooks of one attempt on the timeline

std::string error_json(const store::Failure& failure) {
  std::string json = "{\"name\":";
  append_string(json, failure.name);
  json += ",\"message\":";
  append_string(json, failure.message);
  json += ",\"code\":";
  append_string(json, store::failure_code(failure.kind));
  if (!failure.stack.empty()) {
    json += ",\"stack\":";
    append_string(json, failure.stack);
  }
  if (!failure.details.empty()) json += ",\"details\":" + failure.details;
  return json + '}';
}

std::string_view ended_as(const std::optional<store::Failure>& failure) {
  if (!failure) return "success";
  if (failure->kind == store::FailureKind::kCanceled) return "canceled";
  return failure->kind == store::FailureKind::kMaxDurationExceeded ? "timed_out" : "failure";
}

std::string reply_json(const Judgement& judgement) {
  std::string json = "{\"ended\":\"" + std::string(ended_as(judgement.failure));
  json += judgement.is_final ? "\",\"final\":true" : "\",\"final\":false";
  json += ",\"retryAtMs\":";
  json += judgement.retry_at ? std::to_string(judgement.retry_at->time_since_epoch().count()) : "null";
  json += ",\"retry\":" + judgement.retry;
  if (judgement.failure) json += ",\"error\":" + error_json(*judgement.failure);
  return json + '}';
}

}  // namespace

void Child::on_judge(const Incoming& frame) {
  if (attempt_->judgements >= protocol::kMaxJudgements) {
    return violation("more than " + std::to_string(protocol::kMaxJudgements) + " questions what becomes of its run");
  }
  if (!store::check_json(frame.json, kJudgeLimits) || !is_object(frame.json)) {
    return violation("a question what becomes of its run that is no JSON object");
  }
  if (state_ != ChildState::kExecuting) return;  // it crashes, and will not read an answer
  std::uint32_t arg = UINT32_MAX;
  std::string_view said;
  Provisional end;
  for_each_member(frame.json, [&](std::string_view key, std::string_view value) {
    if (key == "outcome") arg = static_cast<std::uint32_t>(integer_of(value).value_or(UINT32_MAX));
    if (key == "said") said = value;
    if (key == "replaced" && is_object(value)) end.replaced = read_error(value);
    if (key == "failed" && is_object(value)) end.failed = read_error(value);
    if (key == "decision") end.decision = value;
    if (key == "toldRetryAtMs") {
      if (const auto at = integer_of(value)) end.told_retry = store::Time(std::chrono::milliseconds(*at));
    }
  });
  auto outcome = read_outcome(arg, said, frame.raw, shared_.options.output_limit);
  if (const auto* fault = std::get_if<OutcomeFault>(&outcome)) return violation(fault->what);
  end.result = std::move(std::get<AttemptResult>(outcome));
  see_memory(end.result);
  apply_verdict(end.result);
  protocol::Outgoing reply;
  reply.kind = protocol::Kind::kReply;
  reply.id = frame.id;
  attempt_->judgements++;
  shared_.announce();
  const std::string json = reply_json(attempt_->observer->judge(attempt_->spec.handle, std::move(end)));
  reply.json = json;
  if (link_ && protocol::send(link_.get(), reply, false) == protocol::SendResult::kWouldBlock) {
    violation("more requests than it reads the answers to");
  }
}

void Child::on_span(const Incoming& frame) {
  if (!next_state(state_, ChildEvent::kRequest)) return violation("a hook while it executes no attempt");
  std::optional<HookSpan> span = read_hook_span(frame.json);
  if (!span || frame.arg > 1) return violation("a hook that is none");
  if (state_ != ChildState::kExecuting) return;
  std::vector<Attempt::OpenHook>& open = attempt_->hooks;
  const auto found = std::ranges::find(open, frame.id, &Attempt::OpenHook::number);
  const bool begins = frame.arg == 0;
  if (adopted_ && !begins && found == open.end()) return;  // the last host knows its beginning
  if (begins != (found == open.end())) return violation("a hook that begins twice, or ends and has not begun");
  if (!begins) {
    const bool same = found->span.hook == span->hook && found->span.scope == span->scope;
    open.erase(found);
    if (!same) return violation("a hook that ends as another than it began");
    schedule();
    return tell_hook(std::move(*span));
  }
  if (open.size() >= protocol::kMaxOpenHooks) return violation("too many hooks at once");
  const Instant now = std::chrono::steady_clock::now();
  const bool timed = span->hook != Hook::kMiddleware && span->hook != Hook::kOnCancel;
  span->started_at = shared_.options.clock();
  open.push_back({frame.id, std::move(*span), now, timed ? now + shared_.options.hook_timeout : Instant::max(), {}});
  schedule();
}

void Child::tell_hook(HookSpan span) {
  if (attempt_->hooks_told > kMaxTold) return;
  if (attempt_->hooks_told++ == kMaxTold) {
    return tell_log(
        store::LogSource::kHost, store::LogLevel::kWarn, shared_.options.clock(),
        "Further hooks of this attempt are not shown: it has executed more than " + std::to_string(kMaxTold));
  }
  shared_.announce();
  attempt_->observer->on_hook(attempt_->spec.handle, std::move(span));
}

// The process has ended within its hooks: each ends with the error that this is.
void Child::tell_open_hooks(const store::Failure& failure) {
  const store::Failure& why = attempt_->verdict ? *attempt_->verdict : failure;
  const Instant now = std::chrono::steady_clock::now();
  for (Attempt::OpenHook& each : std::exchange(attempt_->hooks, {})) {
    each.span.duration = std::chrono::duration_cast<std::chrono::microseconds>(now - each.began);
    each.span.error = HookError{why.name, why.message};
    each.span.ignored = judged();
    tell_hook(std::move(each.span));
  }
}

Instant Child::hook_due() const {
  Instant due = Instant::max();
  for (const Attempt::OpenHook& each : attempt_->hooks) due = std::min(due, each.due);
  return due;
}

void Child::end_overdue_hook(Instant now) {
  const auto overdue = std::ranges::min_element(attempt_->hooks, {}, &Attempt::OpenHook::due);
  if (!attempt_->verdict) {
    attempt_->verdict = hook_timeout(hook_name(overdue->span.hook), shared_.options.hook_timeout.count());
  }
  kill_now(now);
}

}  // namespace perdure::process
