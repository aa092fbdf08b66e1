// The C functions the host calls, one per task and kind, each made from a constexpr task: reads what the author's
// function takes, calls it inside guard(), writes what it returns. No state.
#pragma once

#include <perdure/plugin.h>

#include <string>
#include <type_traits>
#include <utility>

#include <perdure/attempt.hpp>
#include <perdure/guard.hpp>
#include <perdure/hooks.hpp>
#include <perdure/json_read.hpp>
#include <perdure/json_write.hpp>

namespace perdure::detail {

template <const auto& task>
using InputOf = typename std::remove_cvref_t<decltype(task)>::Input;
template <const auto& task>
using OutputOf = typename std::remove_cvref_t<decltype(task)>::Output;

template <class In>
In read_payload(const Attempt& run) {
  try {
    return from_json<In>(run.payload_text());
  } catch (const JsonError& e) {
    throw PayloadInvalid(std::string("the payload does not fit the task: ") + e.what());
  }
}

inline void set_result(Attempt& run, std::string_view json) {
  run.leaving().check(run.raw(), run.raw()->services->set_result(run.raw(), str(json)));
}

/// A member of attempt->event; null when there is none.
inline json::value event_member(const Attempt& run, std::string_view name) {
  const json::value event = parse(view(run.raw()->event));
  const json::object* const object = event.if_object();
  const json::value* const member = object != nullptr ? object->if_contains({name.data(), name.size()}) : nullptr;
  return member != nullptr ? *member : json::value(nullptr);
}

template <const auto& task>
perdure_status call_run(const perdure_attempt* attempt) {
  return guard(attempt, [](Attempt& run) {
    using Out = std::invoke_result_t<decltype(task.run), InputOf<task>, Attempt&>;
    if constexpr (std::is_void_v<Out>) {
      task.run(read_payload<InputOf<task>>(run), run);
    } else if constexpr (std::is_same_v<Out, RawJson>) {
      set_result(run, task.run(read_payload<InputOf<task>>(run), run).text);
    } else {
      set_result(run, to_json(task.run(read_payload<InputOf<task>>(run), run)));
    }
  });
}

template <const auto& test>
perdure_status call_self_test(const perdure_attempt* attempt) {
  return guard(attempt, [](Attempt& run) { test.run(run); });
}

template <const auto& task>
perdure_status call_middleware(const perdure_attempt* attempt, const perdure_next* next) {
  return guard(attempt, [next](Attempt& run) { task.middleware(run, Next(next, run)); });
}

/// For the hooks that take the payload only; `hook` is the member of Task that points to the function.
template <const auto& task, auto hook>
perdure_status call_plain(const perdure_attempt* attempt) {
  return guard(attempt, [](Attempt& run) {
    const auto payload = read_payload<InputOf<task>>(run);
    (task.*hook)(payload, run);
  });
}

/// For the hooks that also take a member of the event, as JSON.
template <const auto& task, auto hook, char kind>
perdure_status call_told(const perdure_attempt* attempt) {
  return guard(attempt, [](Attempt& run) {
    const auto payload = read_payload<InputOf<task>>(run);
    // 'e': the error, 'w': the wait, 'o': the whole event, which is the outcome.
    const json::value told =
        kind == 'o' ? parse(view(run.raw()->event)) : event_member(run, kind == 'e' ? "error" : "wait");
    (task.*hook)(payload, told, run);
  });
}

template <const auto& task>
perdure_status call_init(const perdure_attempt* attempt) {
  return guard(attempt,
               [](Attempt& run) { set_result(run, to_json(task.init(read_payload<InputOf<task>>(run), run))); });
}

template <const auto& task>
perdure_status call_on_success(const perdure_attempt* attempt) {
  return guard(attempt, [](Attempt& run) {
    const auto payload = read_payload<InputOf<task>>(run);
    const json::value output = event_member(run, "output");
    if constexpr (std::is_same_v<OutputOf<task>, RawJson>) {
      task.on_success(payload, RawJson{to_json(output)}, run);
    } else {
      task.on_success(payload, read<OutputOf<task>>(output, JsonPlace{}), run);
    }
  });
}

/// `hook`: catch_error, or handle_error, its other name.
template <const auto& task, auto hook>
perdure_status call_catch_error(const perdure_attempt* attempt) {
  return guard(attempt, [](Attempt& run) {
    const auto payload = read_payload<InputOf<task>>(run);
    const Retrying decided = (task.*hook)(payload, event_member(run, "error"), run);
    if (const auto& error = decided.error()) {
      const std::string details = error->details().is_null() ? std::string() : to_json(error->details());
      (void)report(run.raw(), PERDURE_OK, error->name(), error->what(), details);
    }
    if (!decided.decision().empty()) set_result(run, decided.decision());
  });
}

/// The table of the hooks that `task` (a perdure::Task or perdure::Hooks) has.
template <const auto& task>
perdure_hooks hooks_of() {
  using T = std::remove_cvref_t<decltype(task)>;
  perdure_hooks hooks{};
  hooks.struct_size = sizeof hooks;
  if constexpr (task.middleware != nullptr) hooks.middleware = &call_middleware<task>;
  if constexpr (task.on_start_attempt != nullptr) hooks.on_start_attempt = &call_plain<task, &T::on_start_attempt>;
  if constexpr (task.on_start != nullptr) hooks.on_start = &call_plain<task, &T::on_start>;
  if constexpr (task.init != nullptr) hooks.init = &call_init<task>;
  if constexpr (task.on_success != nullptr) hooks.on_success = &call_on_success<task>;
  static_assert(task.catch_error == nullptr || task.handle_error == nullptr,
                "handle_error is another name for catch_error: give one of the two");
  if constexpr (task.catch_error != nullptr) hooks.catch_error = &call_catch_error<task, &T::catch_error>;
  if constexpr (task.handle_error != nullptr) hooks.catch_error = &call_catch_error<task, &T::handle_error>;
  if constexpr (task.on_failure != nullptr) hooks.on_failure = &call_told<task, &T::on_failure, 'e'>;
  if constexpr (task.on_complete != nullptr) hooks.on_complete = &call_told<task, &T::on_complete, 'o'>;
  if constexpr (task.cleanup != nullptr) hooks.cleanup = &call_plain<task, &T::cleanup>;
  if constexpr (task.on_wait != nullptr) hooks.on_wait = &call_told<task, &T::on_wait, 'w'>;
  if constexpr (task.on_resume != nullptr) hooks.on_resume = &call_told<task, &T::on_resume, 'w'>;
  if constexpr (task.on_cancel != nullptr) hooks.on_cancel = &call_plain<task, &T::on_cancel>;
  return hooks;
}

/// Whether `task` has any hook at all.
template <const auto& task>
constexpr bool has_hooks() {
  return task.middleware != nullptr || task.on_start_attempt != nullptr || task.on_start != nullptr ||
         task.init != nullptr || task.on_success != nullptr || task.catch_error != nullptr ||
         task.on_failure != nullptr || task.on_complete != nullptr || task.cleanup != nullptr ||
         task.handle_error != nullptr || task.on_wait != nullptr || task.on_resume != nullptr ||
         task.on_cancel != nullptr;
}

}  // namespace perdure::detail
