// Perdure tasks in C++20: the one header a plugin includes. A task is a constexpr value; PERDURE_PLUGIN names the tasks
// of a shared object. Ordinary exceptions fail an attempt, and none ever crosses into the host.
//
//   struct Greeting { std::string name; };
//   BOOST_DESCRIBE_STRUCT(Greeting, (), (name))
//
//   constexpr perdure::Task<Greeting, std::string> hello{
//       .id = "hello",
//       .run = [](Greeting in, perdure::Attempt& run) {
//         run.log.info("greeting", {{"name", in.name}});
//         return "Hello, " + in.name + "!";
//       },
//   };
//   PERDURE_PLUGIN("greetings", "1.0.0", hello)
//
// Needs Boost.JSON and Boost.Describe, and nothing else of the host than perdure/plugin.h.
#pragma once

#include <perdure/plugin.h>

#include <optional>
#include <string_view>
#include <type_traits>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <perdure/attempt.hpp>
#include <perdure/errors.hpp>
#include <perdure/hooks.hpp>
#include <perdure/json.hpp>
#include <perdure/options.hpp>
#include <perdure/registration.hpp>
#include <perdure/retry.hpp>

namespace perdure {

namespace detail {
// Called where an id is wrong, so that the compiler's message carries the reason.
void a_task_id_has_1_to_128_characters_of_A_Za_z0_9_and_underscore_dot_colon_slash_dash();
}  // namespace detail

/// A task's id, checked while compiling.
struct TaskId {
  consteval TaskId(const char* id) : text(id) {  // NOLINT(google-explicit-constructor): .id = "hello"
    bool good = !text.empty() && text.size() <= 128;
    for (const char c : text) {
      good = good && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                      c == '.' || c == ':' || c == '/' || c == '-');
    }
    if (!good) detail::a_task_id_has_1_to_128_characters_of_A_Za_z0_9_and_underscore_dot_colon_slash_dash();
  }
  std::string_view text;
};

/// A task. Only `id` and `run` are required; the rest is the host's default when left out.
///
/// In is what the payload is read into, Out what `run` returns: numbers, text, containers, structs described with
/// BOOST_DESCRIBE_STRUCT, json::value for any JSON, RawJson for its text; None (or void, for Out) for nothing. The
/// schema of In is derived and checked by the host when a run is triggered.
template <class In = None, class Out = None>
struct Task {
  using Input = In;
  using Output = std::conditional_t<std::is_void_v<Out>, None, Out>;

  TaskId id;
  std::string_view description{};  // one line for people
  Version version = Version::kLocked;
  Queue queue{};
  Retry retry{};
  Machine machine{};
  std::optional<milliseconds>
      max_duration{};                 // of an attempt's execution; at least 5 s; 0: none, whatever the host's default
  std::optional<milliseconds> ttl{};  // not started within it: expired; 0 removes an inherited one
  Cron cron{};
  int recycle_after = 0;                            // attempts one child process may serve; 0: the default, 1
  std::optional<milliseconds> evict_waits_after{};  // longer waits may leave memory
  Sandbox sandbox{};                                // what the task gives up
  Diagnostics diagnostics{};                        // what its crashes leave
  std::string_view payload_schema{};                // JSON Schema, instead of the derived one

  /// What the task does. A value it returns is the run's output; an exception fails the attempt.
  Out (*run)(In payload, Attempt& run) = nullptr;

  /// Around everything below: calls next() once.
  void (*middleware)(Attempt& run, const Next& next) = nullptr;
  /// Before every attempt; an error fails the attempt.
  void (*on_start_attempt)(const In& payload, Attempt& run) = nullptr;
  /// Before the first attempt; errors are ignored.
  void (*on_start)(const In& payload, Attempt& run) = nullptr;
  /// Before run, every attempt; its value reaches run and the hooks as run.init(). Errors are ignored.
  json::value (*init)(const In& payload, Attempt& run) = nullptr;
  /// When run completed; errors are ignored.
  void (*on_success)(const In& payload, const Output& output, Attempt& run) = nullptr;
  /// When an attempt failed, also by a crash: decides about the retry, and may replace the error.
  Retrying (*catch_error)(const In& payload, const json::value& error, Attempt& run) = nullptr;
  /// The same by another name: give one of the two.
  Retrying (*handle_error)(const In& payload, const json::value& error, Attempt& run) = nullptr;
  /// When the run failed and is not retried any more; errors are ignored.
  void (*on_failure)(const In& payload, const json::value& error, Attempt& run) = nullptr;
  /// When the run is final, either way: {"ok":true,"output"} or {"ok":false,"error"}; errors are ignored.
  void (*on_complete)(const In& payload, const json::value& outcome, Attempt& run) = nullptr;
  /// After run, every attempt, also when on_start_attempt failed; an error fails the attempt.
  void (*cleanup)(const In& payload, Attempt& run) = nullptr;
  /// Around every wait; errors are ignored.
  void (*on_wait)(const In& payload, const json::value& wait, Attempt& run) = nullptr;
  void (*on_resume)(const In& payload, const json::value& wait, Attempt& run) = nullptr;
  /// When the run is being cancelled, on another thread while `run` may still execute; errors are ignored.
  void (*on_cancel)(const In& payload, Attempt& run) = nullptr;
};

}  // namespace perdure

/// PERDURE_PLUGIN("name", "1.2.3", task, task, hooks...) once in a shared object. Tasks and hooks are constexpr values
/// at namespace scope; the name is that of [plugins.NAME] in perdure.toml.
#define PERDURE_PLUGIN(name, version, ...)                                                           \
  extern "C" PERDURE_EXPORT perdure_status perdure_register_v1(const perdure_registrar* registrar) { \
    return ::perdure::detail::register_all<__VA_ARGS__>(registrar, name, version);                   \
  }
