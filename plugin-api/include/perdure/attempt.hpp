// One attempt of one run, as a task sees it: what it was given, and what it can tell the host. Lives exactly as long as
// the call of the task function; attempt's thread, but for `log`, `metadata`, streams, add_tags(), stop_token()
// and what says otherwise, which any thread may use.
#pragma once

#include <perdure/plugin.h>

#include <chrono>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <perdure/batch.hpp>
#include <perdure/json_read.hpp>
#include <perdure/locals.hpp>
#include <perdure/log.hpp>
#include <perdure/metadata.hpp>
#include <perdure/stop_token.hpp>
#include <perdure/stream.hpp>
#include <perdure/text.hpp>
#include <perdure/token.hpp>
#include <perdure/trigger.hpp>
#include <perdure/unwind.hpp>
#include <perdure/wait.hpp>

namespace perdure {

class Attempt {
 public:
  explicit Attempt(const perdure_attempt* attempt) noexcept : log(attempt), metadata(attempt), attempt_(attempt) {}
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  const Log log;
  const Metadata metadata;

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

  /// A stream of the run by its name, 1 to 128 bytes.
  Stream stream(std::string_view name) const { return Stream(attempt_, name); }

  /// Adds tags to the run, all or none: run.add_tags({"customer:7"}). Throws Abort when they would be more than 10, or
  /// one has not 1 to 128 characters.
  void add_tags(std::initializer_list<std::string_view> tags) const { add_tags(tags.begin(), tags.size()); }
  void add_tags(const std::vector<std::string>& tags) const {
    const std::vector<std::string_view> views(tags.begin(), tags.end());
    add_tags(views.data(), views.size());
  }

  /// Does `work` once for the run, and gives its result: that is recorded before step() returns, and a later attempt of
  /// the run gets what was recorded instead of doing it again. run.step("charge", [&] { return pay(order); }). The
  /// result, if there is one, is a value that JSON can hold, at most 3 MB of it. A step whose work throws is not
  /// recorded. Steps and triggers are durable calls: every attempt must make the same ones in the same order, or it
  /// fails as STEP_MISMATCH; none may be made inside a step. `name`: 1 to 256 bytes, may come again.
  template <class Work>
  auto step(std::string_view name, Work&& work) -> std::decay_t<std::invoke_result_t<Work&>> {
    using Result = std::decay_t<std::invoke_result_t<Work&>>;
    begin_durable_call();
    perdure_str recorded{};
    const perdure_status status = attempt_->services->memo_get(attempt_, detail::str(name), &recorded);
    if (status == PERDURE_OK) {
      if constexpr (std::is_void_v<Result>) {
        return;
      } else {
        return step_result<Result>(name, detail::view(recorded));
      }
    }
    if (status != PERDURE_NOT_FOUND) expect_done(status);
    step_ = name;
    const struct Leave {
      std::string_view& step;
      ~Leave() { step = {}; }
    } leave{step_};
    if constexpr (std::is_void_v<Result>) {
      work();
      record_step(name, "null");
    } else {
      Result result = work();
      record_step(name, payload_json(result));
      return result;
    }
  }

  /// Triggers a run, which is this one's child, and goes on: run.trigger(hello, {.name = "Ada"}, {.delay = 5min}). A
  /// later attempt that makes the same calls in the same order gets the same runs. Throws Abort when no such task is
  /// known or an option is wrong.
  template <class In, class Out>
  RunHandle trigger(const Task<In, Out>& task, const std::type_identity_t<In>& payload,
                    const TriggerOptions& options = {}) {
    return trigger_text(task.id.text, payload_json(payload), options);
  }
  /// The same for a task of another plugin, by its id.
  template <class T>
  RunHandle trigger(std::string_view task_id, const T& payload, const TriggerOptions& options = {}) {
    return trigger_text(task_id, payload_json(payload), options);
  }

  /// Triggers up to 1,000 runs of a task, all or none, and goes on: run.batch_trigger(hello, {{.name = "Ada"},
  /// {.name = "Bob"}}). `options` are those of each. A durable call, as trigger(): a later attempt gets the same batch.
  template <class In, class Out>
  BatchHandle batch_trigger(const Task<In, Out>& task, const std::vector<std::type_identity_t<In>>& payloads,
                            const TriggerOptions& options = {}) {
    return batch_trigger(items_of(task, payloads, options));
  }
  /// The same of several tasks: run.batch_trigger({perdure::item(hello, {.name = "Ada"}), perdure::item(add, 7)}).
  BatchHandle batch_trigger(const std::vector<BatchItem>& items) {
    begin_durable_call();
    const detail::Triggers triggers(items);
    perdure_str text{};
    expect_done(attempt_->services->batch_trigger(attempt_, triggers.data(), triggers.size(), &text));
    return batch_of(detail::view(text));
  }

  /// Triggers a run and waits for its end: run.trigger_and_wait(hello, {.name = "Ada"}).unwrap(). Meanwhile this run is
  /// WAITING and holds no slot. A run that did not complete is a value, see RunResult; a later attempt neither triggers
  /// nor waits again. The run executes on this one's version of the plugin, where the task is of the same plugin.
  template <class In, class Out>
  RunResult<Out> trigger_and_wait(const Task<In, Out>& task, const std::type_identity_t<In>& payload,
                                  const TriggerOptions& options = {}) {
    return await_run<Out>(task.id.text, payload_json(payload), options);
  }
  /// The same for a task of another plugin, by its id.
  template <class Out = json::value, class T>
  RunResult<Out> trigger_and_wait(std::string_view task_id, const T& payload, const TriggerOptions& options = {}) {
    return await_run<Out>(task_id, payload_json(payload), options);
  }

  /// Waits, without a slot unless it is for less than 5 s; the process stays. A later attempt waits for the rest only.
  void wait_for(milliseconds duration) {
    begin_durable_call();
    expect_done(attempt_->services->wait_for(attempt_, duration.count()));
  }
  /// The same until a time of the calendar.
  void wait_until(Instant time) {
    begin_durable_call();
    expect_done(attempt_->services->wait_until(attempt_, time.time_since_epoch().count()));
  }
  /// Waits for all of these, up to 1,000: what came of each, in order.
  std::vector<Came> wait_all(const std::vector<Until>& what) { return wait_many("all", what); }
  /// Waits for the first of these; of the others `came` is false, also in a later attempt.
  std::vector<Came> wait_any(const std::vector<Until>& what) { return wait_many("any", what); }

  /// Triggers up to 1,000 runs of a task and waits for the end of all: run.batch_trigger_and_wait(hello,
  /// {{.name = "Ada"}, {.name = "Bob"}}).unwrap(). What came of each, in order; a run that did not complete is a value.
  template <class In, class Out>
  BatchResult<Out> batch_trigger_and_wait(const Task<In, Out>& task,
                                          const std::vector<std::type_identity_t<In>>& payloads,
                                          const TriggerOptions& options = {}) {
    return detail::ends_of<Out>(await_batch(items_of(task, payloads, options)));
  }
  /// The same of several tasks.
  BatchResult<json::value> batch_trigger_and_wait(const std::vector<BatchItem>& items) {
    return detail::ends_of<json::value>(await_batch(items));
  }

  /// Makes a token that somebody outside completes: run.create_token({.timeout = 1h, .tags = {"approval"}}). A durable
  /// call: a later attempt that makes the same calls gets the same token. Throws Abort when an option is wrong.
  Token create_token(const TokenOptions& options = {}) {
    begin_durable_call();
    const std::string text = detail::token_json(options);
    perdure_str made{};
    expect_done(attempt_->services->token_create(attempt_, detail::str(text), &made));
    const json::object token = from_json<json::object>(detail::view(made));
    return {std::string(token.at("id").as_string()), std::string(token.at("url").as_string())};
  }

  /// Waits until a token is completed or times out: run.wait_for_token<Approval>(token.id). Meanwhile this run is
  /// WAITING and holds no slot. A durable call: a later attempt does not wait again, and gets the same. Throws Abort
  /// when there is no such token, and what from_json() throws when its value is none of T.
  template <class T = json::value>
  TokenResult<T> wait_for_token(std::string_view id) {
    begin_durable_call();
    perdure_str value{};
    const perdure_status status = attempt_->services->token_wait(attempt_, detail::str(id), &value);
    if (status == PERDURE_TIMED_OUT) {
      return TokenResult<T>(std::nullopt, std::string(detail::view(attempt_->services->last_error(attempt_))));
    }
    expect_done(status);
    return TokenResult<T>(from_json<T>(detail::view(value)));
  }

  /// Completes a token with a value that JSON can hold, at most 3 MB of it; whoever waits for it goes on. One that is
  /// completed or has timed out keeps what it is. A durable call. Throws Abort when there is no such token.
  template <class T>
  void complete_token(std::string_view id, const T& value) {
    begin_durable_call();
    const std::string text = payload_json(value);
    expect_done(attempt_->services->token_complete(attempt_, detail::str(id), detail::str(text)));
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
  template <class T>
  static std::string payload_json(const T& payload) {
    return detail::payload_json(payload);
  }
  void begin_durable_call() {
    leaving_.go_on();
    if (step_.empty()) return;
    throw Abort("a durable call inside the step \"" + std::string(step_) +
                "\": a later attempt leaves the whole step out, so make the call before or after it");
  }
  /// Of a call that the host may have failed to record.
  void expect_done(perdure_status status) {
    if (status == PERDURE_FAILED || status == PERDURE_DISCONNECTED) detail::expect_recorded(attempt_, status);
    leaving_.check(attempt_, status);
  }
  void record_step(std::string_view name, const std::string& result) {
    leaving_.go_on();
    expect_done(attempt_->services->memo_put(attempt_, detail::str(name), detail::str(result)));
  }
  template <class T>
  static T step_result(std::string_view name, std::string_view recorded) {
    try {
      return from_json<T>(recorded);
    } catch (const JsonError& e) {
      throw Error("STEP_RESULT_INVALID",
                  "the step \"" + std::string(name) +
                      "\" was recorded by an earlier attempt with another type of result: " + e.what());
    }
  }
  RunHandle trigger_text(std::string_view task_id, const std::string& payload, const TriggerOptions& options) {
    begin_durable_call();
    const std::string text = detail::trigger_json(options);
    perdure_trigger asked{};
    asked.struct_size = sizeof asked;
    asked.task_id = detail::str(task_id);
    asked.payload = detail::str(payload);
    asked.options = detail::str(text);
    perdure_str id{};
    const perdure_status status = attempt_->services->trigger(attempt_, &asked, &id);
    expect_done(status);
    return {std::string(detail::view(id))};
  }
  template <class In, class Out>
  static std::vector<BatchItem> items_of(const Task<In, Out>& task, const std::vector<In>& payloads,
                                         const TriggerOptions& options) {
    std::vector<BatchItem> items;
    items.reserve(payloads.size());
    const std::string text = detail::trigger_json(options);
    for (const In& payload : payloads) items.push_back({std::string(task.id.text), payload_json(payload), text});
    return items;
  }
  std::string_view await_batch(const std::vector<BatchItem>& items) {
    begin_durable_call();
    const detail::Triggers triggers(items);
    perdure_str text{};
    expect_done(attempt_->services->batch_trigger_and_wait(attempt_, triggers.data(), triggers.size(), &text));
    return detail::view(text);
  }
  static BatchHandle batch_of(std::string_view said) {
    const json::object batch = from_json<json::object>(said);
    BatchHandle handle{std::string(batch.at("id").get_string()), {}};
    for (const json::value& run : batch.at("runs").get_array()) handle.runs.push_back({std::string(run.get_string())});
    return handle;
  }
  template <class Out>
  RunResult<Out> await_run(std::string_view task_id, const std::string& payload, const TriggerOptions& options) {
    begin_durable_call();
    const std::string text = detail::trigger_json(options);
    perdure_trigger asked{};
    asked.struct_size = sizeof asked;
    asked.task_id = detail::str(task_id);
    asked.payload = detail::str(payload);
    asked.options = detail::str(text);
    perdure_str answer{};
    const perdure_status status = attempt_->services->trigger_and_wait(attempt_, &asked, &answer);
    const std::string_view came = detail::view(answer);
    using Result = RunResult<Out>;
    if (status == PERDURE_OK) return Result(from_json<Out>(came));
    if (status != PERDURE_CHILD_FAILED) expect_done(status);
    return Result(detail::run_error(came));
  }
  std::vector<Came> wait_many(std::string_view mode, const std::vector<Until>& what) {
    begin_durable_call();
    if (!PERDURE_HAS(attempt_->services, wait_many)) {
      throw Abort("wait_all() and wait_any() need a host with plugin interface 1.3 or newer");
    }
    const std::string asked = detail::waited_for(mode, what);
    perdure_str answer{};
    expect_done(attempt_->services->wait_many(attempt_, detail::str(asked), &answer));
    return detail::what_came(detail::view(answer));
  }
  void add_tags(const std::string_view* tags, std::size_t count) const {
    std::vector<perdure_str> texts;
    for (std::size_t i = 0; i < count; ++i) texts.push_back(detail::str(tags[i]));
    detail::expect_recorded(attempt_, attempt_->services->add_tags(attempt_, texts.data(), texts.size()));
  }
  static std::string_view or_empty(std::string_view object) { return object.empty() ? "{}" : object; }
  std::string_view config_text() const {
    if (!PERDURE_HAS(attempt_->services, config)) return "{}";
    perdure_str text{};
    if (attempt_->services->config(attempt_, &text) != PERDURE_OK) return "{}";
    return or_empty(detail::view(text));
  }

  const perdure_attempt* attempt_;
  detail::Leaving leaving_;
  std::string_view step_;  // whose work executes; empty: none
};

}  // namespace perdure
