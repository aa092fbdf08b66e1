// What comes of waiting: the end of an awaited run, or one of several things that a task waits for at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <perdure/errors.hpp>
#include <perdure/json.hpp>
#include <perdure/json_read.hpp>
#include <perdure/json_write.hpp>
#include <perdure/options.hpp>

namespace perdure {

/// Why an awaited run gave no output.
struct RunError {
  std::string name;     // such as "TASK_ERROR", "CRASHED", "CANCELED", or what the task's own error is called
  std::string message;  // one sentence
  std::string status;   // that the run ended in; empty: of something that is no run
  std::string run_id;   // … and its id
  json::object all;     // everything that is known of it
};

/// Thrown by unwrap() for a run that did not complete.
class RunFailed : public std::runtime_error {
 public:
  explicit RunFailed(RunError error)
      : std::runtime_error("run " + error.run_id + " did not complete: " + error.name + ": " + error.message),
        error_(std::move(error)) {}
  const RunError& error() const noexcept { return error_; }

 private:
  RunError error_;
};

/// How an awaited run ended: with an output, or with an error. A failed run is a value: the awaiting task decides.
template <class T>
class RunResult {
 public:
  explicit RunResult(T output) : output_(std::move(output)) {}
  explicit RunResult(RunError error) : error_(std::move(error)) {}

  bool ok() const noexcept { return output_.has_value(); }
  explicit operator bool() const noexcept { return ok(); }
  /// Of a run that completed; std::bad_optional_access otherwise.
  const T& value() const { return output_.value(); }
  /// Of one that did not; empty otherwise.
  const RunError& error() const noexcept { return error_; }
  /// The output, or RunFailed thrown, which fails the awaiting attempt unless it is caught.
  T unwrap() const& {
    if (!ok()) throw RunFailed(error_);
    return *output_;
  }

 private:
  std::optional<T> output_;
  RunError error_;
};

/// One of the things that wait_all() and wait_any() wait for: run.wait_any({Until::run(child), Until::after(10min)}).
class Until {
 public:
  static Until after(milliseconds duration) { return Until({{"ms", duration.count()}}); }
  static Until time(Instant at) { return Until({{"until", at.time_since_epoch().count()}}); }
  static Until run(std::string_view run_id) { return Until({{"run", run_id}}); }
  static Until token(std::string_view token_id) { return Until({{"token", token_id}}); }
  /// For the SDK: as the interface wants it.
  const json::object& asked() const noexcept { return asked_; }

 private:
  explicit Until(json::object asked) : asked_(std::move(asked)) {}
  json::object asked_;
};

/// What came of one of them.
struct Came {
  bool came = false;   // of wait_any() only the first one's
  bool ok = false;     // … and not with an error
  std::string run_id;  // of a run
  json::value output;  // of a run that completed, or a token: what it was completed with
  RunError error;      // of a run or a token that ended otherwise
};

namespace detail {

inline RunError run_error(const json::object& error) {
  RunError out;
  const auto text = [&error](const char* name) {
    const json::value* const value = error.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
  };
  out.name = text("name");
  out.message = text("message");
  out.status = text("status");
  out.run_id = text("runId");
  out.all = error;
  return out;
}

inline RunError run_error(std::string_view text) { return run_error(from_json<json::object>(text)); }

inline std::string waited_for(std::string_view mode, const std::vector<Until>& what) {
  json::array list;
  for (const Until& each : what) list.push_back(each.asked());
  return to_json(json::object{{"mode", mode}, {"for", std::move(list)}});
}

inline std::vector<Came> what_came(std::string_view answer) {
  std::vector<Came> all;
  for (const json::value& each : from_json<json::array>(answer)) {
    Came& came = all.emplace_back();
    if (each.is_null()) continue;
    const json::object& of = each.get_object();
    came.came = true;
    came.ok = of.at("ok").as_bool();
    if (const json::value* const id = of.if_contains("runId")) came.run_id = id->as_string();
    if (came.ok) {
      came.output = of.at("output");
    } else {
      came.error = run_error(of.at("error").as_object());
    }
  }
  return all;
}

}  // namespace detail

}  // namespace perdure
