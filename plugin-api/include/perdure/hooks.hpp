// The functions that stand around a task's run: what they are told, what they may decide, and hooks for every task of a
// plugin or of the host. Hooks of one task are members of perdure::Task. And the plugin's self test. Values.
#pragma once

#include <perdure/plugin.h>

#include <optional>
#include <string>

#include <perdure/attempt.hpp>
#include <perdure/errors.hpp>
#include <perdure/json.hpp>
#include <perdure/options.hpp>
#include <perdure/options_json.hpp>

namespace perdure {

/// What a middleware stands around. Call it once; when what is inside did not succeed, the call does not return, but
/// unwinds to the host with that outcome: undo things in destructors.
class Next {
 public:
  Next(const perdure_next* next, Attempt& run) noexcept : next_(next), run_(run) {}

  void operator()() const {
    run_.leaving().go_on();
    const perdure_status status = next_->call(next_);
    if (status != PERDURE_OK) run_.leaving().leave(status);
  }

 private:
  const perdure_next* next_;
  Attempt& run_;
};

/// What catch_error decides about retrying. To replace the error as well, give `error`.
class Retrying {
 public:
  /// The task's policy decides, as without the hook.
  static Retrying by_policy() { return {}; }
  /// No retry.
  static Retrying no() { return Retrying(R"({"retry":false})"); }
  static Retrying at(Instant time) {
    return Retrying(detail::ObjectText().add("retryAtMs", time.time_since_epoch().count()).text());
  }
  static Retrying after(milliseconds delay) { return Retrying(detail::ObjectText().add("retryAfterMs", delay).text()); }
  /// Another policy, for this failure.
  static Retrying with(const Retry& options) {
    return Retrying(detail::ObjectText().add("retry", detail::retry_json(options)).text());
  }
  /// The same decision, and this error instead of the one that was caught.
  Retrying replacing(Error error) && {
    error_.emplace(std::move(error));
    return std::move(*this);
  }

  /// The decision as JSON; empty for the policy's.
  const std::string& decision() const { return decision_; }
  const std::optional<Error>& error() const { return error_; }

 private:
  Retrying() = default;
  explicit Retrying(std::string decision) : decision_(std::move(decision)) {}

  std::string decision_;
  std::optional<Error> error_;
};

/// Hooks around every task of the plugin, or with `.global = true` of the host. Named in PERDURE_PLUGIN like a task;
/// the first one named stands outermost. What each does is described at perdure::Task.
struct Hooks {
  using Input = json::value;
  using Output = json::value;

  bool global = false;
  void (*middleware)(Attempt& run, const Next& next) = nullptr;
  void (*on_start_attempt)(const json::value& payload, Attempt& run) = nullptr;
  void (*on_start)(const json::value& payload, Attempt& run) = nullptr;
  json::value (*init)(const json::value& payload, Attempt& run) = nullptr;
  void (*on_success)(const json::value& payload, const json::value& output, Attempt& run) = nullptr;
  Retrying (*catch_error)(const json::value& payload, const json::value& error, Attempt& run) = nullptr;
  Retrying (*handle_error)(const json::value& payload, const json::value& error, Attempt& run) = nullptr;
  void (*on_failure)(const json::value& payload, const json::value& error, Attempt& run) = nullptr;
  void (*on_complete)(const json::value& payload, const json::value& outcome, Attempt& run) = nullptr;
  void (*cleanup)(const json::value& payload, Attempt& run) = nullptr;
  void (*on_wait)(const json::value& payload, const json::value& wait, Attempt& run) = nullptr;
  void (*on_resume)(const json::value& payload, const json::value& wait, Attempt& run) = nullptr;
  void (*on_cancel)(const json::value& payload, Attempt& run) = nullptr;
};

/// Asked once before a version of the plugin serves, in a process of its own: whether what the tasks need is there and
/// works. An exception refuses the plugin with its text, as do a crash, an exit, and more than 10 s. What it logs is
/// shown with the refusal, its warnings also without one. The attempt has no run, and no configuration; tasks may be
/// called: hello.run({"Ada"}, run). At most one, named in PERDURE_PLUGIN like a task:
///
///   constexpr perdure::SelfTest model_is_there{[](perdure::Attempt&) { Model::load(kPath); }};
struct SelfTest {
  void (*run)(Attempt& run) = nullptr;
};

}  // namespace perdure
