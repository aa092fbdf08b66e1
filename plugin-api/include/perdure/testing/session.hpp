// One attempt under test: what its services remember, in memory. attempt->host points to it. The attempt's thread, but
// for what says that it locks.
#pragma once

#include <perdure/plugin.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <perdure/json.hpp>
#include <perdure/json_write.hpp>
#include <perdure/testing/result.hpp>
#include <perdure/text.hpp>
#include <perdure/type_name.hpp>

namespace perdure::testing::detail {

using perdure::detail::str;
using perdure::detail::view;

/// A task's function table and the hooks around it, outermost first.
struct Entry {
  std::string id;
  json::object options;
  void* user = nullptr;
  perdure_task_fn run = nullptr;
  std::vector<perdure_hooks> hooks;
  perdure_task_fn drop_local = nullptr;  // of the plugin
  void* plugin_user = nullptr;
};

/// What last_error answers on the calling thread.
inline std::string& last_words() {
  thread_local std::string words;
  return words;
}

/// Remembers `words` for last_error and gives back `status`.
inline perdure_status fail(perdure_status status, std::string words) {
  last_words() = std::move(words);
  return status;
}

/// The JSON value of a text that came through the C interface; nothing when it is none.
inline std::optional<json::value> value_of(perdure_str text) {
  try {
    return perdure::detail::parse(view(text));
  } catch (const JsonError&) {
    return std::nullopt;
  }
}

/// What one function of the task said: run's, or a hook's.
struct Said {
  perdure_status status = PERDURE_OK;
  std::optional<std::string> result;
  std::optional<Failure> error;
  std::int64_t retry_at_ms = 0;
};

inline json::object error_json(const Failure& failure) {
  json::object error{{"name", failure.name}, {"message", failure.message}};
  if (!failure.stack.empty()) error["stack"] = failure.stack;
  if (!failure.details.is_null()) error["details"] = failure.details;
  return error;
}

class Session {
 public:
  Session(const Entry& task, std::string payload, const Options& given)
      : entry(task), options(given), payload_(std::move(payload)) {
    using Milliseconds = std::chrono::milliseconds;
    result.now =
        options.now ? *options.now : std::chrono::time_point_cast<Milliseconds>(std::chrono::system_clock::now());
    result.metadata = options.metadata;
    result.tags = options.tags;
    config = to_json(options.config);
    json::array tags;
    for (const std::string& tag : options.tags) tags.emplace_back(tag);
    json::object context{{"run", {{"id", options.run_id}, {"tags", tags}, {"isTest", true}}},
                         {"attempt", {{"number", options.attempt}}},
                         {"task", {{"id", task.id}}},
                         {"queue", {{"name", "task/" + task.id}}},
                         {"machine", {{"name", "small-1x"}}},
                         {"metadata", options.metadata}};
    for (const auto& member : options.context) context[member.key()] = member.value();
    context_ = to_json(context);
    last_words().clear();
  }
  ~Session() {
    if (cancel_fd >= 0) close(cancel_fd);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Calls `body` with an attempt for one function and says how it ended. `user` is that of the function's table,
  /// `event` a hook's JSON. May be called inside itself, and on another thread for on_cancel.
  template <class Body>
  Said call(const perdure_services& services, void* user, std::string_view event, Body&& body) {
    perdure_attempt attempt{};
    attempt.struct_size = sizeof attempt;
    attempt.services = &services;
    attempt.host = this;
    attempt.user = user;
    attempt.task_id = str(entry.id);
    attempt.run_id = str(options.run_id);
    attempt.payload = str(payload_);
    attempt.context = str(context_);
    attempt.event = str(event);
    attempt.init = str(init);
    attempt.number = static_cast<std::uint32_t>(options.attempt);
    attempt.replay = static_cast<std::uint32_t>(options.replay);
    Said mine;
    Said* const outer = on_attempt_thread() ? std::exchange(said, &mine) : nullptr;
    try {
      mine.status = body(&attempt);
    } catch (const std::exception& e) {
      escaped(mine, std::string(" (") + e.what() + ")");
    } catch (...) {
      escaped(mine, {});
    }
    if (on_attempt_thread()) said = outer;
    if (mine.status != PERDURE_OK && !mine.error) mine.error = unexplained(mine.status);
    return mine;
  }

  bool on_attempt_thread() const { return std::this_thread::get_id() == thread_; }

  /// Keeps `text` until the attempt has ended or it is taken back. [locks]
  perdure_str hand_out(std::string text) {
    const std::lock_guard lock(mutex);
    handed_out_.push_front(std::move(text));
    return str(handed_out_.front());
  }
  void take_back(perdure_str text) {
    const std::lock_guard lock(mutex);
    handed_out_.remove_if([&](const std::string& each) { return each.data() == text.data; });
  }

  /// Remembers an error of a hook that does no harm. [locks]
  void ignore(const char* hook, const Failure& error) {
    const std::lock_guard lock(mutex);
    result.ignored.push_back(std::string(hook) + ": " + error.name + ": " + error.message);
  }

  /// [any thread]
  void cancel() {
    cancelled = true;
    const std::uint64_t one = 1;
    (void)!write(cancel_fd, &one, sizeof one);
  }

  /// What run itself said, from now on: for await_result. [locks]
  void run_returned(std::string outcome) {
    {
      const std::lock_guard lock(mutex);
      run_outcome = std::move(outcome);
    }
    returned.notify_all();
  }

  /// A durable call: gives what is recorded for it, or else does it by `act(json)`, which returns the status and writes
  /// the JSON to hand out, and records that. `waits`: the attempt may be suspended or cancelled in it.
  template <class Act>
  perdure_status durable(std::string_view kind, std::string_view key, perdure_str* out, bool waits, Act&& act) {
    if (!on_attempt_thread()) {
      return fail(PERDURE_INVALID, "this service is for the thread that runs the task, and another one called it");
    }
    if (kind != "memo") memo_open = false;
    if (const Step* const step = recorded()) {
      if (step->kind != kind || step->key != key) {
        return mismatch(std::string(kind) + " \"" + std::string(key) + "\"");
      }
      result.steps.push_back(*step);
      result.steps.back().replayed = true;
      if (out != nullptr && hands_out(step->status)) *out = hand_out(step->json);
      return step->status;
    }
    if (waits && cancelled) return PERDURE_CANCELLED;
    Step step{std::string(kind), std::string(key), {}, PERDURE_OK, false};
    step.status = act(step.json);
    const bool done =
        step.status == PERDURE_OK || step.status == PERDURE_CHILD_FAILED || step.status == PERDURE_TIMED_OUT;
    if (!done) return step.status;
    result.steps.push_back(step);
    if (waits && options.evict_waits) return PERDURE_SUSPENDED;
    if (out != nullptr && hands_out(step.status)) *out = hand_out(step.json);
    return step.status;
  }

  /// The step that the next durable call must be; null when nothing more is recorded.
  const Step* recorded() const {
    return result.steps.size() < options.recorded.size() ? &options.recorded[result.steps.size()] : nullptr;
  }
  /// The attempt fails, whatever its function makes of the status.
  perdure_status mismatch(const std::string& got) {
    const Step& step = *recorded();
    const std::string what = "step " + std::to_string(result.steps.size() + 1) + " of the run was " + step.kind +
                             " \"" + step.key + "\" before and is now " + got;
    mismatched = Failure{"STEP_MISMATCH", what, nullptr, {}};
    return fail(PERDURE_FAILED, what);
  }

  const Entry& entry;
  const Options& options;
  Result result;
  std::string config;
  std::string init;
  Said* said = nullptr;               // where set_result and set_error of the function being called go
  std::optional<Failure> mismatched;  // the steps are not those that are recorded
  std::string memo_asked;             // what memo_get has just not found
  bool memo_open = false;             // and nobody has put
  int triggered = 0;                  // children of the run so far, those of earlier attempts included
  int created = 0;                    // tokens of the run so far
  std::map<std::string, std::chrono::milliseconds, std::less<>> token_timeouts;  // of those
  std::atomic<bool> cancelled{false};
  int cancel_fd = eventfd(0, EFD_CLOEXEC);
  void* local = nullptr;  // the plugin's
  std::mutex mutex;       // guards what [any-thread] services write into result, and what follows
  std::optional<std::string> run_outcome;
  std::condition_variable returned;

 private:
  static bool hands_out(perdure_status status) { return status == PERDURE_OK || status == PERDURE_CHILD_FAILED; }

  static void escaped(Said& said, const std::string& what) {
    said.status = PERDURE_FAILED;
    said.error = Failure{"ForeignException",
                         "an exception crossed the C boundary: " + perdure::detail::current_exception_name() + what,
                         nullptr,
                         {}};
  }
  static Failure unexplained(perdure_status status) {
    std::string message = "the task returned status " + std::to_string(status) + " and set no error";
    if (!last_words().empty()) message += "; the last service that failed said: " + last_words();
    return {"TaskError", message, nullptr, {}};
  }

  const std::string payload_;
  std::string context_;
  const std::thread::id thread_ = std::this_thread::get_id();
  std::list<std::string> handed_out_;  // guarded by mutex
};

}  // namespace perdure::testing::detail
