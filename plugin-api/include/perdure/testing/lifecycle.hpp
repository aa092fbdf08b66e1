// One attempt under test from its first hook to its last, in the order that plugin.h gives (perdure_hooks), and what
// the task's policy makes of its end. Attempt's thread; on_cancel is called on one of its own.
#pragma once

#include <perdure/plugin.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include <perdure/retry.hpp>
#include <perdure/testing/services.hpp>
#include <perdure/testing/session.hpp>

namespace perdure::testing::detail {

/// A member of a JSON object as a number; `otherwise` when there is none.
inline double number_or(const json::object& object, std::string_view key, double otherwise) {
  const json::value* const value = object.if_contains({key.data(), key.size()});
  return value != nullptr && value->is_number() ? value->to_number<double>() : otherwise;
}
inline json::object object_or_empty(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains({key.data(), key.size()});
  return value != nullptr && value->is_object() ? value->get_object() : json::object();
}

/// The most attempts of a run whose failures are of the class `kind` ("error", "out_of_memory").
inline int most_attempts(const json::object& policy, std::string_view kind) {
  const json::object on = object_or_empty(policy, "on");
  const json::value* const rule = on.if_contains({kind.data(), kind.size()});
  if (rule != nullptr && rule->is_bool() && !rule->get_bool()) return 1;
  const double usual = number_or(policy, "maxAttempts", 3);
  const double own = rule != nullptr && rule->is_object() ? number_or(rule->get_object(), "maxAttempts", usual) : usual;
  return static_cast<int>(own);
}

/// The policy's delay after an attempt, without its random part.
inline milliseconds least_delay(const json::object& policy, int attempt) {
  Retry retry;
  retry.factor = number_or(policy, "factor", 2);
  retry.min_timeout = milliseconds(static_cast<std::int64_t>(number_or(policy, "minTimeoutMs", 1000)));
  retry.max_timeout = milliseconds(static_cast<std::int64_t>(number_or(policy, "maxTimeoutMs", 60000)));
  retry.randomize = false;
  return retry::delay(retry, attempt, 0);
}

class Lifecycle {
 public:
  explicit Lifecycle(Session& session) : session_(session) {}

  /// Executes the attempt; the session's result is complete afterwards.
  void execute() {
    const Options& options = session_.options;
    if (options.cancelled) session_.cancel();
    std::thread canceller;
    if (options.cancelled || options.cancel_after || options.cancel_when) {
      canceller = std::thread([this] { cancel_in_time(); });
    }
    Said outcome = around(0);
    if (!session_.run_outcome) session_.run_returned(outcome_event(outcome, "null"));  // a middleware kept run from it
    end_canceller(canceller);
    Result& result = session_.result;
    result.status = outcome.status;
    if (outcome.status == PERDURE_OK) judge_output(outcome);
    if (!result.succeeded()) {
      if (outcome.error) result.failure = std::move(*outcome.error);
      decide_retry(outcome.retry_at_ms);
      std::erase_if(result.children, [](const Triggered& child) {
        const json::value* const when = child.options.if_contains("when");
        return when != nullptr && *when == "on_success";
      });
    }
    if (!result.retried && !result.suspended()) announce();
    const Entry& entry = session_.entry;
    if (session_.local != nullptr && entry.drop_local != nullptr) {
      (void)session_.call(services(), entry.plugin_user, {}, entry.drop_local);
    }
  }

 private:
  using Hook = perdure_task_fn perdure_hooks::*;

  /// Calls one hook of every table that has it, from the outermost. What the first that failed said; `go_on`: the
  /// others are called nevertheless.
  Said each(Hook hook, const char* name, bool go_on, const std::string& event = {}) {
    Said first;
    for (const perdure_hooks& hooks : session_.entry.hooks) {
      if (hooks.*hook == nullptr) continue;
      Said said = call(hooks, hook, name, event);
      if (said.status == PERDURE_OK || first.status != PERDURE_OK) continue;
      first = std::move(said);
      if (!go_on) break;
    }
    return first;
  }
  void each_ignored(Hook hook, const char* name, const std::string& event = {}) {
    for (const perdure_hooks& hooks : session_.entry.hooks) {
      if (hooks.*hook == nullptr) continue;
      const Said said = call(hooks, hook, name, event);
      if (said.status != PERDURE_OK) session_.ignore(name, *said.error);
      if (hook == &perdure_hooks::init && said.status == PERDURE_OK && said.result) session_.init = *said.result;
    }
  }
  Said call(const perdure_hooks& hooks, Hook hook, const char* name, const std::string& event) {
    {
      const std::lock_guard lock(session_.mutex);
      session_.result.hooks.emplace_back(name);
    }
    return session_.call(services(), hooks.user, event, hooks.*hook);
  }

  /// The middleware number `depth` and those inside it; inside the last one the attempt itself.
  Said around(std::size_t depth) {
    const auto& tables = session_.entry.hooks;
    while (depth < tables.size() && tables[depth].middleware == nullptr) ++depth;
    if (depth == tables.size()) return inside();
    struct Inner {
      Lifecycle* self;
      std::size_t depth;
      bool called;
      Said said;
    } inner{this, depth + 1, false, {}};
    perdure_next next{};
    next.struct_size = sizeof next;
    next.host = &inner;
    next.call = [](const perdure_next* me) -> perdure_status {
      auto* const in = static_cast<Inner*>(me->host);
      if (in->called) return fail(PERDURE_INVALID, "a middleware may call next once");
      in->called = true;
      in->said = in->self->around(in->depth);
      return in->said.status;
    };
    session_.result.hooks.emplace_back("middleware");
    Said own = session_.call(services(), tables[depth].user, {},
                             [&](const perdure_attempt* attempt) { return tables[depth].middleware(attempt, &next); });
    if (inner.said.status == PERDURE_OK && !own.result) own.result = inner.said.result;
    if (inner.called && own.status == inner.said.status && inner.said.error) {
      own.error = inner.said.error;
      own.retry_at_ms = inner.said.retry_at_ms;
    }
    return own;
  }

  Said inside() {
    Said said = each(&perdure_hooks::on_start_attempt, "on_start_attempt", false);
    if (said.status == PERDURE_OK) {
      if (session_.options.attempt == 1) each_ignored(&perdure_hooks::on_start, "on_start");
      each_ignored(&perdure_hooks::init, "init");
      said = session_.call(services(), session_.entry.user, {}, session_.entry.run);
    }
    if (session_.mismatched) {
      said.status = PERDURE_FAILED;
      said.error = session_.mismatched;
    }
    const std::string event = outcome_event(said, said.result.value_or("null"));
    session_.run_returned(event);
    if (said.status == PERDURE_SUSPENDED) return said;
    const Said cleanup = each(&perdure_hooks::cleanup, "cleanup", true, event);
    return said.status == PERDURE_OK && cleanup.status != PERDURE_OK ? cleanup : said;
  }

  static std::string outcome_event(const Said& said, const std::string& output) {
    if (said.status == PERDURE_OK) return R"({"ok":true,"output":)" + (output.empty() ? "null" : output) + "}";
    return to_json(json::object{{"ok", false}, {"error", error_json(*said.error)}});
  }

  void judge_output(const Said& outcome) {
    Result& result = session_.result;
    result.output_text = outcome.result.value_or("null");
    if (result.output_text.empty()) result.output_text = "null";
    if (result.output_text.size() > session_.options.output_limit) {
      result.status = PERDURE_ABORTED;
      result.failure = {"OUTPUT_TOO_LARGE",
                        "the output has " + std::to_string(result.output_text.size()) + " bytes; the limit is " +
                            std::to_string(session_.options.output_limit),
                        nullptr,
                        {}};
    } else if (!value_of(str(result.output_text))) {
      result.status = PERDURE_ABORTED;
      result.failure = {"OUTPUT_INVALID", "the output is not JSON: " + result.output_text.substr(0, 200), nullptr, {}};
    }
    if (!result.succeeded()) result.output_text = "null";
  }

  /// Asks the policy, then catch_error, from the innermost, until one decides.
  void decide_retry(std::int64_t asked_ms) {
    Result& result = session_.result;
    if (result.cancelled() || result.suspended()) return;
    json::object policy = object_or_empty(session_.entry.options, "retry");
    const auto apply_policy = [&] {
      const char* const kind = result.out_of_memory() ? "out_of_memory" : "error";
      result.retried = !result.aborted() && session_.options.attempt < most_attempts(policy, kind);
      result.retry_at.reset();
      if (result.retried) result.retry_at = result.now + least_delay(policy, session_.options.attempt);
    };
    apply_policy();
    if (asked_ms > 0 && result.retried) result.retry_at = Instant(milliseconds(asked_ms));
    if (result.failure.name == "OUTPUT_INVALID" || result.failure.name == "OUTPUT_TOO_LARGE") return;
    for (auto hooks = session_.entry.hooks.rbegin(); hooks != session_.entry.hooks.rend(); ++hooks) {
      if (hooks->catch_error == nullptr) continue;
      json::object event{{"error", error_json(result.failure)},
                         {"attempt", session_.options.attempt},
                         {"retry", policy},
                         {"retryAtMs", nullptr}};
      if (result.retry_at) event["retryAtMs"] = result.retry_at->time_since_epoch().count();
      Said said = call(*hooks, &perdure_hooks::catch_error, "catch_error", to_json(event));
      if (said.status != PERDURE_OK) {
        result.failure = {"HANDLE_ERROR_ERROR", said.error->name + ": " + said.error->message, nullptr, {}};
        return;
      }
      if (said.error) result.failure = std::move(*said.error);
      const auto decision = said.result ? value_of(str(*said.result)) : std::nullopt;
      if (!decision || !decision->is_object() || decision->get_object().empty()) continue;
      const json::object& decided = decision->get_object();
      if (const json::value* const retry = decided.if_contains("retry")) {
        if (retry->is_bool()) result.retried = result.retried && retry->get_bool();
        if (retry->is_object()) {
          for (const auto& member : retry->get_object()) policy[member.key()] = member.value();
          apply_policy();
        }
      }
      if (result.retried) {
        if (const double at = number_or(decided, "retryAtMs", -1); at >= 0) {
          result.retry_at = Instant(milliseconds(static_cast<std::int64_t>(at)));
        }
        if (const double after = number_or(decided, "retryAfterMs", -1); after >= 0) {
          result.retry_at = result.now + milliseconds(static_cast<std::int64_t>(after));
        }
      } else {
        result.retry_at.reset();
      }
      return;
    }
  }

  /// The run is final.
  void announce() {
    const Result& result = session_.result;
    const json::object error = error_json(result.failure);
    if (result.succeeded()) {
      each_ignored(&perdure_hooks::on_success, "on_success", R"({"output":)" + result.output_text + "}");
    } else if (!result.cancelled()) {
      each_ignored(&perdure_hooks::on_failure, "on_failure", to_json(json::object{{"error", error}}));
    }
    each_ignored(&perdure_hooks::on_complete, "on_complete",
                 result.succeeded() ? R"({"ok":true,"output":)" + result.output_text + "}"
                                    : to_json(json::object{{"ok", false}, {"error", error}}));
  }

  /// On a thread of its own.
  void cancel_in_time() {
    const Options& options = session_.options;
    if (options.cancel_when) {
      options.cancel_when();
    } else if (!options.cancelled) {
      std::unique_lock lock(ending_mutex_);
      if (ending_.wait_for(lock, *options.cancel_after, [this] { return ended_; })) return;
    }
    session_.cancel();
    each_ignored(&perdure_hooks::on_cancel, "on_cancel", R"({"reason":"canceled by the test"})");
  }
  void end_canceller(std::thread& canceller) {
    {
      const std::lock_guard lock(ending_mutex_);
      ended_ = true;
    }
    ending_.notify_all();
    if (canceller.joinable()) canceller.join();
  }

  Session& session_;
  std::mutex ending_mutex_;
  std::condition_variable ending_;
  bool ended_ = false;
};

/// Executes one attempt of `task`; `payload` is JSON.
inline Result execute(const Entry& task, std::string payload, const Options& options) {
  Session session(task, std::move(payload), options);
  Lifecycle(session).execute();
  return std::move(session.result);
}

}  // namespace perdure::testing::detail
