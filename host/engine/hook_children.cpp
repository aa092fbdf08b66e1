#include "host/engine/hook_children.h"

#include <boost/json/serialize.hpp>
#include <utility>

namespace perdure::engine {

namespace {

// The order in which a child calls them.
constexpr process::Hook kOrder[] = {process::Hook::kCatchError, process::Hook::kOnCancel, process::Hook::kOnFailure,
                                    process::Hook::kOnComplete};
constexpr std::size_t kLogBatch = 256;

void add_member(std::string& out, std::string_view key, std::string_view text) {
  out += '"' + std::string(key) + "\":" + boost::json::serialize(boost::json::string_view(text));
}

}  // namespace

std::string error_json(const store::Failure& failure) {
  std::string out = "{";
  add_member(out, "name", failure.name);
  out += ',';
  add_member(out, "message", failure.message);
  out += ',';
  add_member(out, "code", store::failure_code(failure.kind));
  if (!failure.stack.empty()) {
    out += ',';
    add_member(out, "stack", failure.stack);
  }
  if (!failure.details.empty()) out += ",\"details\":" + failure.details;
  return out + '}';
}

store::TimelineEvent hook_event(store::Time at, std::uint32_t attempt, const process::HookSpan& span) {
  return {0, at, "hook", {}, attempt, process::hook_span_json(span)};
}

process::HookSpan not_called(process::Hook hook, const store::Failure& why, store::Time now) {
  process::HookSpan span;
  span.hook = hook;
  span.started_at = now;
  span.error = process::HookError{why.name, why.message};
  span.ignored = true;
  return span;
}

HookChildren::HookChildren(Core& core, store::Store& store, process::Launcher& launcher,
                           std::function<process::AttemptHandle()> next_handle)
    : core_(core), store_(store), launcher_(launcher), next_handle_(std::move(next_handle)) {}

process::AttemptHandle HookChildren::start(process::AttemptSpec spec, Callbacks callbacks) {
  const process::AttemptHandle handle = spec.handle = next_handle_();
  const auto payload = store_.payload(spec.run);
  spec.payload = payload ? *payload : "null";
  spec.recycle_after = 1;
  spec.max_duration = store::Duration{};
  Child& child = children_[handle];
  child.run = spec.run;
  child.number = spec.number;
  child.open = spec.only->hooks;
  child.callbacks = std::move(callbacks);
  for (const process::Hook hook : kOrder) {
    if (child.open.has(hook)) *spec.max_duration += kHookTime;
  }
  launcher_.start(std::move(spec), *this);
  return handle;
}

void HookChildren::on_started(process::AttemptHandle attempt, std::int32_t) {
  const auto it = children_.find(attempt);
  if (it != children_.end()) it->second.end.started = true;
}

void HookChildren::on_log(process::AttemptHandle attempt, store::LogEntry entry) {
  const auto it = children_.find(attempt);
  if (it == children_.end()) return;
  Child& child = it->second;
  entry.attempt = child.number;
  child.logs.push_back(std::move(entry));
  if (child.logs.size() >= kLogBatch) store_.append_logs(child.run, std::exchange(child.logs, {}));
}

void HookChildren::on_request(process::AttemptHandle attempt, process::AttemptRequest request) {
  launcher_.reply(attempt, request.id,
                  {protocol::ReplyStatus::kInvalid,
                   "this is not available in a hook that is called after its attempt has ended",
                   {}});
}

void HookChildren::on_hook(process::AttemptHandle attempt, process::HookSpan span) {
  const auto it = children_.find(attempt);
  if (it == children_.end()) return;
  it->second.open.remove(span.hook);
  it->second.last_one_failed = span.error.has_value();
  it->second.end.events.push_back(hook_event(core_.now(), it->second.number, span));
}

process::Judgement HookChildren::judge(process::AttemptHandle attempt, process::Provisional end) {
  const auto it = children_.find(attempt);
  if (it != children_.end() && it->second.callbacks.judge) return it->second.callbacks.judge(std::move(end));
  return {.is_final = true, .retry_at = {}, .retry = "{}", .failure = std::move(end.result.failure)};
}

// A hook in which the process has died was told before; one that it did not come to is told here.
void HookChildren::on_result(process::AttemptHandle attempt, process::AttemptResult result) {
  const auto it = children_.find(attempt);
  if (it == children_.end()) return;
  Child& child = it->second;
  for (const process::Hook hook : kOrder) {
    if (!result.failure || child.last_one_failed || !child.open.has(hook)) continue;
    child.end.events.push_back(hook_event(core_.now(), child.number, not_called(hook, *result.failure, core_.now())));
    break;
  }
  if (!child.logs.empty()) store_.append_logs(child.run, std::exchange(child.logs, {}));
  child.callbacks.ended(std::move(child.end));
}

void HookChildren::on_released(process::AttemptHandle attempt) {
  const auto it = children_.find(attempt);
  if (it == children_.end()) return;
  const Callbacks callbacks = std::move(it->second.callbacks);
  children_.erase(it);
  callbacks.gone();
}

}  // namespace perdure::engine
