#include "host/zygote/lifecycle.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "host/zygote/json_text.h"

namespace perdure::zygote {
namespace {

constexpr int kOutputDepth = 128;
constexpr std::uint32_t kTimedOut = 2;  // arg of kCancel

std::string_view output_of(const Ended& ended) {
  return ended.said.result.empty() ? std::string_view("null") : ended.said.result;
}

// {"ok":true,"output"} or {"ok":false,"error"}
std::string outcome_event(const Ended& ended) {
  if (ended.status != PERDURE_OK) return "{\"ok\":false,\"error\":" + ended.said.error + "}";
  const std::string_view output = output_of(ended);  // not judged yet, so it may be anything
  return "{\"ok\":true,\"output\":" + std::string(is_json(output, kOutputDepth) ? output : "null") + "}";
}

// Whether catch_error left the decision to the others.
bool decides(std::string_view decision) {
  std::string text;
  for (const char c : decision) {
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r') text += c;
  }
  return !text.empty() && text != "null" && text != "{}";
}

}  // namespace

const Lifecycle::Named Lifecycle::kOnStartAttempt{&perdure_hooks::on_start_attempt, "on_start_attempt",
                                                  protocol::Caller::kOnStartAttempt};
const Lifecycle::Named Lifecycle::kOnStart{&perdure_hooks::on_start, "on_start", protocol::Caller::kOnStart};
const Lifecycle::Named Lifecycle::kInit{&perdure_hooks::init, "init", protocol::Caller::kInit};
const Lifecycle::Named Lifecycle::kCleanup{&perdure_hooks::cleanup, "cleanup", protocol::Caller::kCleanup};
const Lifecycle::Named Lifecycle::kCatchError{&perdure_hooks::catch_error, "catch_error",
                                              protocol::Caller::kCatchError};
const Lifecycle::Named Lifecycle::kOnSuccess{&perdure_hooks::on_success, "on_success", protocol::Caller::kOnSuccess};
const Lifecycle::Named Lifecycle::kOnFailure{&perdure_hooks::on_failure, "on_failure", protocol::Caller::kOnFailure};
const Lifecycle::Named Lifecycle::kOnComplete{&perdure_hooks::on_complete, "on_complete",
                                              protocol::Caller::kOnComplete};
const Lifecycle::Named Lifecycle::kOnCancel{&perdure_hooks::on_cancel, "on_cancel", protocol::Caller::kOnCancel};

const Lifecycle::Named Lifecycle::kOnWait{&perdure_hooks::on_wait, "on_wait", protocol::Caller::kOnWait};
const Lifecycle::Named Lifecycle::kOnResume{&perdure_hooks::on_resume, "on_resume", protocol::Caller::kOnResume};

bool has_hooks(const Registration& registration, const TaskEntry& task) {
  if (task.run == nullptr || task.id.empty()) return false;
  return !task.hooks.empty() || !registration.hooks().empty() || !registration.beside().empty();
}

void drop_local(AttemptState& state, const perdure_attempt& attempt, const DropLocal& drop, Guest* guest) {
  void*& kept = guest != nullptr ? guest->local : state.local;
  if (kept == nullptr || drop.function == nullptr) return;
  Callee callee;
  callee.function = drop.function;
  callee.user = drop.user;
  callee.guest = guest;
  callee.what = "drop_local";
  const Ended ended = call_plugin(state, attempt, callee);
  if (ended.status != PERDURE_OK) state.log(PERDURE_WARN, "drop_local failed: " + ended.said.error, {});
  kept = nullptr;
}

Lifecycle::Lifecycle(const Registration& registration, const TaskEntry& task, AttemptState& state,
                     const perdure_attempt& attempt)
    : registration_(registration), task_(task), state_(state), attempt_(attempt) {
  add_global_hooks();
  for (const HooksEntry& entry : registration.hooks()) {
    if (!entry.global) tables_.push_back({&entry.table, Scope::kPlugin});
  }
  if (!task.hooks.empty()) tables_.push_back({&task.table, Scope::kTask});
}

// Of all plugins in this process, by the plugins' names, so that they stand in one order around every task of the host.
void Lifecycle::add_global_hooks() {
  for (const auto& other : registration_.beside()) {
    beside_.push_back({other.get(), {config_of(other->plugin())}});
  }
  std::vector<std::pair<const Registration*, Guest*>> plugins{{&registration_, nullptr}};
  for (Beside& each : beside_) plugins.emplace_back(each.registration, &each.guest);
  std::ranges::stable_sort(plugins, {}, [](const auto& each) -> const std::string& { return each.first->plugin(); });
  for (const auto& [plugin, guest] : plugins) {
    for (const HooksEntry& entry : plugin->hooks()) {
      if (entry.global) tables_.push_back({&entry.table, Scope::kGlobal, guest});
    }
  }
}

// What is in state.info.configs under the plugin's name, which may need escapes there.
std::string_view Lifecycle::config_of(const std::string& plugin) const {
  std::string wanted;
  append_json_string(wanted, plugin);
  JsonMembers members(state_.info.configs);
  std::string_view key, value;
  while (members.next(key, value)) {
    if (key == std::string_view(wanted).substr(1, wanted.size() - 2)) return value;
  }
  return {};
}

void Lifecycle::drop_locals() {
  for (Beside& each : beside_) drop_local(state_, attempt_, each.registration->drop_local(), &each.guest);
  drop_local(state_, attempt_, registration_.drop_local());
}

bool Lifecycle::has(const Named& hook) const {
  return std::ranges::any_of(tables_, [&hook](const Table& table) { return table.hooks->*hook.hook != nullptr; });
}

bool Lifecycle::out_of_time() const { return state_.link.cancelled() == kTimedOut; }

void Lifecycle::execute() {
  watch_cancel();
  if (has(kOnWait) || has(kOnResume)) state_.around_wait = this;
  Ended ended = around(0);
  if (state_.suspended) {  // the others are for the process that goes on
    if (has(kOnCancel)) state_.link.end_when_cancelled();
    drop_locals();
    return send_outcome(state_, outcome_of(ended.status), std::move(ended.said));
  }
  if (has(kOnCancel)) {
    state_.tell_outcome(outcome_event(ended));  // where a middleware has kept run from it
    state_.link.end_when_cancelled();
  }
  conclude(ended);
  drop_locals();
  send_outcome(state_, outcome_of(ended.status), std::move(ended.said));
}

bool Lifecycle::is_listed(const Named& hook) const {
  return state_.info.only.find('"' + std::string(hook.name) + '"') != std::string_view::npos;
}

void Lifecycle::execute_only() {
  Ended failed;
  failed.status = PERDURE_FAILED;
  failed.said.error = state_.info.error.empty() ? std::string_view("{}") : state_.info.error;
  Judgement judgement;
  judgement.error = failed.said.error;
  if (is_listed(kCatchError)) {
    std::optional<Judgement> answer = ask_judgement(state_, protocol::Outcome::kFailed, failed.said);
    if (answer) answer = catch_error(failed, std::move(*answer));
    if (answer) judgement = std::move(*answer);
  }
  if (is_listed(kOnCancel)) {
    const std::string_view reason = state_.info.reason.empty() ? "\"\"" : state_.info.reason;
    each_ignored(kOnCancel, "{\"reason\":" + std::string(reason) + "}");
  }
  if (judgement.is_final) {
    if (is_listed(kOnFailure)) each_ignored(kOnFailure, "{\"error\":" + judgement.error + "}");
    if (is_listed(kOnComplete)) each_ignored(kOnComplete, "{\"ok\":false,\"error\":" + judgement.error + "}");
  }
  drop_locals();
  send_outcome(state_, protocol::Outcome::kSuccess, {});
}

// ---- the functions, in their order ----------------------------------------------------------------------------------

Ended Lifecycle::call(const Table& table, const Named& hook, std::string_view event, Errors errors) {
  const std::string what = std::string("the hook ") + hook.name;
  Callee callee;
  callee.function = table.hooks->*hook.hook;
  callee.user = table.hooks->user;
  callee.guest = table.guest;
  callee.caller = hook.caller;
  callee.what = what;
  callee.event = event;
  callee.init = init_;
  HookSpan span(state_, hook.name, table.scope);
  Ended ended = call_plugin(state_, attempt_, callee);
  span.end(ended.status == PERDURE_OK ? std::string_view() : ended.said.error, errors == Errors::kIgnored);
  return ended;
}

void Lifecycle::each_ignored(const Named& hook, std::string_view event) {
  for (const Table& table : tables_) {
    if (table.hooks->*hook.hook == nullptr) continue;
    Ended ended = call(table, hook, event, Errors::kIgnored);
    if (hook.hook != kInit.hook || ended.status != PERDURE_OK || ended.said.result.empty()) continue;
    if (is_json(ended.said.result, kOutputDepth)) {
      init_ = std::move(ended.said.result);
    } else {
      state_.log(PERDURE_WARN, "what the hook init has set is not JSON, and is left out", {});
    }
  }
}

Ended Lifecycle::start_attempt() {
  for (const Table& table : tables_) {
    if (table.hooks->on_start_attempt == nullptr) continue;
    Ended ended = call(table, kOnStartAttempt, "{}", Errors::kCount);
    if (ended.status != PERDURE_OK) return ended;
  }
  return {};
}

// The middleware number `depth` and those inside it; inside the last one the attempt itself.
Ended Lifecycle::around(std::size_t depth) {
  while (depth < tables_.size() && tables_[depth].hooks->middleware == nullptr) ++depth;
  if (depth == tables_.size()) return inside();
  const Table& table = tables_[depth];
  Inner inner{this, depth + 1};
  perdure_next next{};
  next.struct_size = sizeof next;
  next.host = &inner;
  next.call = call_next;
  Callee callee;
  callee.middleware = table.hooks->middleware;
  callee.next = &next;
  callee.user = table.hooks->user;
  callee.guest = table.guest;
  callee.what = "the hook middleware";
  callee.event = "{}";
  HookSpan span(state_, "middleware", table.scope);
  Ended own = call_plugin(state_, attempt_, callee);
  const bool passes_on = inner.called && own.status == inner.ended.status;
  if (!passes_on) {
    span.end(own.status == PERDURE_OK ? std::string_view() : own.said.error, false);
    return own;
  }
  span.end({}, false);
  if (own.status != PERDURE_OK || (own.said.result.empty() && own.said.too_large == 0)) {
    own.said = std::move(inner.ended.said);
  }
  return own;
}

perdure_status Lifecycle::call_next(const perdure_next* next) noexcept {
  auto& inner = *static_cast<Inner*>(next->host);
  if (!inner.self->state_.on_attempt_thread()) {
    return fail(PERDURE_INVALID, "next is for the thread that the middleware was called on");
  }
  if (std::exchange(inner.called, true)) return fail(PERDURE_INVALID, "a middleware may call next once");
  try {
    inner.ended = inner.self->around(inner.depth);
  } catch (...) {
    inner.ended.status = PERDURE_OUT_OF_MEMORY;
    inner.ended.said.error = R"({"name":"OutOfMemory","message":"no memory to execute the attempt"})";
  }
  return inner.ended.status;
}

Ended Lifecycle::inside() {
  const bool first_entry = state_.info.replay == 0;
  Ended ended = first_entry ? start_attempt() : Ended();
  if (ended.status == PERDURE_OK) {
    if (state_.info.attempt == 1 && first_entry) each_ignored(kOnStart, "{}");
    each_ignored(kInit, "{}");
    Callee callee;
    callee.function = task_.run;
    callee.user = task_.user;
    callee.init = init_;
    ended = call_plugin(state_, attempt_, callee);
  }
  return state_.suspended ? ended : clean_up(std::move(ended));
}

Ended Lifecycle::clean_up(Ended run) {
  const std::string event = has(kCleanup) || has(kOnCancel) ? outcome_event(run) : std::string();
  if (has(kOnCancel)) {
    state_.tell_outcome(event);
    state_.link.await_handler();  // it may use what is about to be cleaned up
  }
  if (out_of_time()) return run;
  Ended first;
  for (const Table& table : tables_) {
    if (table.hooks->cleanup == nullptr) continue;
    Ended ended = call(table, kCleanup, event, Errors::kCount);
    if (first.status == PERDURE_OK) first = std::move(ended);
  }
  return run.status == PERDURE_OK && first.status != PERDURE_OK ? first : run;
}

// ---- waiting -------------------------------------------------------------------------------------------------------

// A wait in one of these hooks has none around it.
void Lifecycle::before(const std::string& event) {
  AroundWait* const around = std::exchange(state_.around_wait, nullptr);
  each_ignored(kOnWait, event);
  state_.around_wait = around;
}

void Lifecycle::after(const std::string& event) {
  AroundWait* const around = std::exchange(state_.around_wait, nullptr);
  each_ignored(kOnResume, event);
  state_.around_wait = around;
}

// ---- cancelling ----------------------------------------------------------------------------------------------------

void Lifecycle::watch_cancel() {
  if (!has(kOnCancel)) return;
  state_.expect_outcome();
  if (!state_.link.when_cancelled(on_cancel, this)) {
    state_.log(PERDURE_WARN, "no thread can be started for on_cancel; it is not called if the run is cancelled", {});
  }
}

void Lifecycle::on_cancel(void* self) {
  auto& lifecycle = *static_cast<Lifecycle*>(self);
  const std::string event = lifecycle.state_.link.cancel_reason();
  lifecycle.each_ignored(kOnCancel, event.empty() ? "{}" : event);
}

// ---- the end -------------------------------------------------------------------------------------------------------

bool Lifecycle::wants_judgement(const Ended& ended) const {
  if (has(kOnFailure) || has(kOnComplete)) return true;  // also of a success, which may be too large to be one
  return ended.status == PERDURE_OK ? has(kOnSuccess) : has(kCatchError);
}

void Lifecycle::conclude(const Ended& ended) {
  if (!wants_judgement(ended)) return;
  std::optional<Judgement> judgement = ask_judgement(state_, outcome_of(ended.status), ended.said);
  if (!judgement) return;
  const bool caught = judgement->ended == "failure" || judgement->ended == "timed_out";
  if (caught && ended.status != PERDURE_OK && has(kCatchError)) {
    judgement = catch_error(ended, std::move(*judgement));
  }
  if (judgement && judgement->is_final) announce(ended, *judgement);
}

// From the innermost, until one decides.
std::optional<Judgement> Lifecycle::catch_error(const Ended& ended, Judgement judgement) {
  Caught caught;
  std::string error = judgement.error.empty() ? ended.said.error : judgement.error;
  for (auto table = tables_.rbegin(); table != tables_.rend() && caught.decision.empty(); ++table) {
    if (table->hooks->catch_error == nullptr) continue;
    const std::string event = "{\"error\":" + error + ",\"attempt\":" + std::to_string(state_.info.attempt) +
                              ",\"retry\":" + judgement.retry + ",\"retryAtMs\":" + judgement.retry_at_ms + "}";
    Ended said = call(*table, kCatchError, event, Errors::kCount);
    if (said.status != PERDURE_OK) {
      caught = {};
      caught.failed = std::move(said.said.error);
      break;
    }
    if (!said.said.error.empty()) error = caught.replaced = std::move(said.said.error);
    if (decides(said.said.result)) caught.decision = std::move(said.said.result);
  }
  if (caught.replaced.empty() && caught.decision.empty() && caught.failed.empty()) return judgement;
  return ask_judgement(state_, outcome_of(ended.status), ended.said, caught);
}

void Lifecycle::announce(const Ended& ended, const Judgement& judgement) {
  const std::string& error = judgement.error.empty() ? ended.said.error : judgement.error;
  if (judgement.ended == "success") {
    const std::string output = "\"output\":" + std::string(output_of(ended)) + "}";
    each_ignored(kOnSuccess, "{" + output);
    return each_ignored(kOnComplete, "{\"ok\":true," + output);
  }
  if (judgement.ended == "failure") each_ignored(kOnFailure, "{\"error\":" + error + "}");
  each_ignored(kOnComplete, "{\"ok\":false,\"error\":" + error + "}");
}

}  // namespace perdure::zygote
