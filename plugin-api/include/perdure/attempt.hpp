// One attempt of one run, as a task sees it: what it was given, and what it can tell the host. Lives exactly as long as
// the call of the task function; attempt's thread, but for `log`, stop_token() and what says otherwise.
#pragma once

#include <perdure/plugin.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <perdure/json_read.hpp>
#include <perdure/locals.hpp>
#include <perdure/log.hpp>
#include <perdure/stop_token.hpp>
#include <perdure/text.hpp>
#include <perdure/unwind.hpp>

namespace perdure {

class Attempt {
 public:
  explicit Attempt(const perdure_attempt* attempt) noexcept : log(attempt), attempt_(attempt) {}
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  const Log log;

  std::string_view run_id() const noexcept { return detail::view(attempt_->run_id); }
  std::string_view task_id() const noexcept { return detail::view(attempt_->task_id); }
  /// Of this attempt among the run's, from 1.
  int number() const noexcept { return static_cast<int>(attempt_->number); }
  /// How often the function was entered again after its process had left memory during a wait.
  int replay() const noexcept { return static_cast<int>(attempt_->replay); }
  /// The payload as it came.
  std::string_view payload_text() const noexcept { return detail::view(attempt_->payload); }

  /// What the host says about the run: run, attempt, task, queue, machine, tags, ...
  json::object context() const { return from_json<json::object>(or_empty(detail::view(attempt_->context))); }

  /// The plugin's [plugins.NAME] table of perdure.toml, with ${ENV} references resolved; empty when there is none.
  json::object config() const { return from_json<json::object>(config_text()); }
  /// The same as a described struct; what does not fit is an error that names the key and does not get better by a
  /// retry: Abort.
  template <class T>
  T config() const {
    try {
      return from_json<T>(config_text());
    } catch (const JsonError& e) {
      throw Abort(std::string("the plugin's configuration in perdure.toml: ") + e.what());
    }
  }

  /// What the `init` hook returned, null when there is none.
  template <class T = json::value>
  T init() const {
    return from_json<T>(detail::view(attempt_->init));
  }

  /// The attempt's own object of type T, shared by its middleware, hooks and run: made of `arguments` by the first who
  /// asks for it, destroyed at the attempt's end, the last one made first. Any thread; what T does with several is its
  /// own business.
  template <class T, class... Arguments>
  T& locals(Arguments&&... arguments) const {
    return detail::Locals::of(attempt_).template get<T>(std::forward<Arguments>(arguments)...);
  }

  /// In on_cancel: waits until run has returned, at most for `timeout`. Its output; nothing when it failed or runs on.
  template <class T = json::value>
  std::optional<T> eventual_output(std::optional<std::chrono::milliseconds> timeout = {}) const {
    if (!PERDURE_HAS(attempt_->services, await_result)) {
      throw Abort("eventual_output() needs a host with plugin interface 1.2 or newer");
    }
    perdure_str text{};
    const perdure_status status = attempt_->services->await_result(attempt_, timeout ? timeout->count() : -1, &text);
    if (status == PERDURE_INVALID) throw Abort(std::string(detail::view(attempt_->services->last_error(attempt_))));
    if (status != PERDURE_OK) return std::nullopt;
    const json::object outcome = from_json<json::object>(detail::view(text));
    const json::value* const output = outcome.if_contains("output");
    if (output == nullptr) return std::nullopt;
    return detail::read<T>(*output, detail::JsonPlace{});
  }

  /// Whether the task should stop; for waiting, polling, or handing to other threads.
  StopToken stop_token() const noexcept { return StopToken(attempt_); }
  /// Leaves the task function when it should stop. Destructors run; no `catch` keeps the attempt alive.
  void stop_if_requested() {
    leaving_.go_on();
    if (const perdure_status status = attempt_->services->is_cancelled(attempt_); status != PERDURE_OK) {
      leaving_.leave(status);
    }
  }
  /// Sleeps in this process, and leaves the task function when it should stop meanwhile.
  void sleep_for(std::chrono::milliseconds duration) {
    leaving_.go_on();
    if (stop_token().wait_for(duration)) stop_if_requested();
  }

  /// Tells the host that the attempt makes progress, and leaves the task function when it should stop. The runtime
  /// sends heartbeats by itself; this is for processes that look stopped from outside.
  void heartbeat() {
    leaving_.go_on();
    leaving_.check(attempt_, attempt_->services->heartbeat(attempt_));
  }

  /// For the SDK: the status that must be returned, and the C view.
  detail::Leaving& leaving() noexcept { return leaving_; }
  const perdure_attempt* raw() const noexcept { return attempt_; }

 private:
  static std::string_view or_empty(std::string_view object) { return object.empty() ? "{}" : object; }
  std::string_view config_text() const {
    if (!PERDURE_HAS(attempt_->services, config)) return "{}";
    perdure_str text{};
    if (attempt_->services->config(attempt_, &text) != PERDURE_OK) return "{}";
    return or_empty(detail::view(text));
  }

  const perdure_attempt* attempt_;
  detail::Leaving leaving_;
};

}  // namespace perdure
