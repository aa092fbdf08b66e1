// Testing tasks without a host: one attempt of a task is executed in the test's own process, its hooks around it as the
// host would call them, with services that live in memory. For any test framework; nothing is written anywhere.
//
//   #include <perdure/testing.hpp>
//
//   const auto r = perdure::testing::run<hello>({.name = "Ada"});
//   assert(r.output<std::string>() == "Hello, Ada!");
//
//   const auto second = perdure::testing::run<charge>(order, {.attempt = 2, .recorded = first.steps});
//   assert(second.error().name == "CardDeclined" && second.retried);
//
//   perdure::testing::Plugin plugin(perdure_register_v1);            // or Plugin("hello.so"); C plugins too
//   assert(plugin.task("hello").run({{"name", "Ada"}}).succeeded());
//
// What is not imitated: a process of its own. A crash, exit() or endless loop of the task is the test's; static
// variables keep their values from one attempt to the next; max_duration, machine and queue are not applied. Waits of
// the services take no time; Attempt::sleep_for does. Options has all that a test can decide, Result all it can see.
#pragma once

#include <perdure/task.hpp>
#include <perdure/testing/lifecycle.hpp>
#include <perdure/testing/options.hpp>
#include <perdure/testing/plugin.hpp>
#include <perdure/testing/result.hpp>

namespace perdure::testing {

namespace detail {

/// What PERDURE_PLUGIN would register of `task`, made once.
template <const auto& task>
const Plugin& plugin_of() {
  static const Plugin plugin(
      [](const perdure_registrar* registrar) { return perdure::detail::register_all<task>(registrar, "test", ""); });
  return plugin;
}

}  // namespace detail

/// Executes one attempt of `task`, a constexpr perdure::Task at namespace scope, through the very functions that
/// PERDURE_PLUGIN gives to the host: the payload travels as JSON and is read and checked, exceptions become errors.
/// Throws JsonError when the payload cannot be written as JSON. Any thread; the attempt's is the caller's.
template <const auto& task>
Result run(const perdure::detail::InputOf<task>& payload = {}, const Options& options = {}) {
  return detail::plugin_of<task>().task(task.id.text).run_json(to_json(payload), options);
}

/// The same with a payload as JSON text, byte for byte: also one that does not fit the task.
template <const auto& task>
Result run_json(std::string payload, const Options& options = {}) {
  return detail::plugin_of<task>().task(task.id.text).run_json(std::move(payload), options);
}

}  // namespace perdure::testing
