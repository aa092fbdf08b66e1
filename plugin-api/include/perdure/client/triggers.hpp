// Triggering runs and waiting for what comes of them. Part of Client; any thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <perdure/client/channel.hpp>
#include <perdure/client/handle.hpp>
#include <perdure/client/run.hpp>
#include <perdure/client/trigger_body.hpp>
#include <perdure/task.hpp>

namespace perdure::client {

namespace detail {

constexpr std::chrono::seconds kHold{30};         // that a wait asks the host for
constexpr std::chrono::milliseconds kSoon{1000};  // an answer without news that comes sooner was hurried

inline std::optional<Steady::time_point> deadline_of(const WaitOptions& options) {
  constexpr milliseconds kEver = std::chrono::hours(24 * 365 * 100);
  return options.timeout ? std::optional(Steady::now() + std::min(*options.timeout, kEver)) : std::nullopt;
}

/// Waits, without polling, until the run is finished; its long form.
inline Run await_finished(const Channel& channel, std::string_view run_id, const std::stop_token& stop,
                          const std::optional<Steady::time_point>& deadline) {
  Call call{.doing = "waiting for run " + std::string(run_id), .patient = true, .stop = stop, .deadline = deadline};
  for (int hurried = 0;;) {
    const Steady::time_point asked = Steady::now();
    std::chrono::seconds hold = kHold;
    if (call.deadline) {
      hold = std::clamp(std::chrono::ceil<std::chrono::seconds>(*call.deadline - asked), std::chrono::seconds(1), hold);
    }
    call.held = hold;
    call.path = "/perdure/v1/runs/" + escaped(run_id) + "?wait=" + std::to_string(hold.count()) + "s";
    const HttpResponse response = channel.ask(call);
    Run run = Channel::understood(call.doing, response.status,
                                  [&] { return read_run(from_json<json::object>(response.body)); });
    if (run.finished()) return run;
    // A host that stops lets its waits go early.
    hurried = Steady::now() - asked < kSoon ? hurried + 1 : 0;
    if (hurried > 0) channel.sleep(call, patient_pause(hurried));
  }
}

}  // namespace detail

class Triggers {
 public:
  explicit Triggers(std::shared_ptr<const detail::Channel> channel) : channel_(std::move(channel)) {}

  /// client.trigger("hello", Greeting{"Ada"}): makes a run, which is durable when this returns. A lost answer makes no
  /// second one: all tries of a call are one trigger to the host. Durations in the options count in whole seconds,
  /// rounded up; an idempotency key is global, whatever its scope. Throws NotFound, Invalid and the others.
  template <class Out = json::value, class In>
  Handle<Out> trigger(std::string_view task_id, const In& payload, const TriggerOptions& options = {}) const {
    return triggered<Out>(task_id, perdure::detail::payload_json(payload), options);
  }
  /// client.trigger(hello, {.name = "Ada"}), where the program has the task's declaration.
  template <class In, class Out>
  Handle<typename Task<In, Out>::Output> trigger(const Task<In, Out>& task, const std::type_identity_t<In>& payload,
                                                 const TriggerOptions& options = {}) const {
    return triggered<typename Task<In, Out>::Output>(task.id.text, perdure::detail::payload_json(payload), options);
  }

  /// Waits for the run's end: the host holds the question until then, nothing polls. A run that did not complete is a
  /// value; unwrap() of the result throws RunFailed. A host that is restarted meanwhile is asked again, for
  /// Options::outage. Wants a key that may read; who has a public access token follows the run with subscribe(). Throws
  /// WaitTimedOut, Stopped, NotFound, AnswerInvalid when the output is no Out, and the others.
  template <class Out = json::value>
  RunResult<Out> wait(std::string_view run_id, const WaitOptions& options = {}) const {
    return wait_for_run(run_id, options).template result<Out>();
  }
  template <class Out>
  RunResult<Out> wait(const Handle<Out>& run, const WaitOptions& options = {}) const {
    return wait<Out>(std::string_view(run.id), options);
  }
  /// The same, and everything that is known of the run.
  Run wait_for_run(std::string_view run_id, const WaitOptions& options = {}) const {
    return detail::await_finished(*channel_, run_id, options.stop, detail::deadline_of(options));
  }

  template <class Out = json::value, class In>
  RunResult<Out> trigger_and_wait(std::string_view task_id, const In& payload, const TriggerOptions& options = {},
                                  const WaitOptions& wait_options = {}) const {
    return wait(trigger<Out>(task_id, payload, options), wait_options);
  }
  template <class In, class Out>
  RunResult<typename Task<In, Out>::Output> trigger_and_wait(const Task<In, Out>& task,
                                                             const std::type_identity_t<In>& payload,
                                                             const TriggerOptions& options = {},
                                                             const WaitOptions& wait_options = {}) const {
    return wait(trigger(task, payload, options), wait_options);
  }

  /// Frees an idempotency key of a task, so that the next trigger with it makes a run. NotFound when no run has it.
  void reset_idempotency_key(std::string_view task_id, std::string_view key) const {
    (void)channel_->ask({.doing = "freeing the idempotency key " + std::string(key),
                         .method = "POST",
                         .path = "/api/v1/idempotencyKeys/" + detail::escaped(key) + "/reset",
                         .body = to_json(json::object{{"taskIdentifier", task_id}}),
                         .repeat = Repeat::kUnlessDone});
  }

 private:
  template <class Out>
  Handle<Out> triggered(std::string_view task_id, const std::string& payload, const TriggerOptions& options) const {
    const detail::Call call{
        .doing = "triggering " + std::string(task_id),
        .method = "POST",
        .path = "/api/v1/tasks/" + detail::escaped(task_id) + "/trigger",
        .body = detail::trigger_body("", payload, detail::http_options(perdure::detail::trigger_json(options)))};
    const json::object answer = channel_->ask_object(call);
    return detail::Channel::understood(call.doing, 200, [&] {
      return Handle<Out>{detail::required<std::string>(answer, "id"),
                         detail::optional<bool>(answer, "isCached").value_or(false)};
    });
  }

  std::shared_ptr<const detail::Channel> channel_;
};

}  // namespace perdure::client
