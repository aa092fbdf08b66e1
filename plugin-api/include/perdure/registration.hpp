// What stands behind PERDURE_PLUGIN: tells the host the plugin, its self test, its tasks and its hooks. Runs once,
// inside perdure_register_v1; nothing of it runs before, and no static constructor does anything.
#pragma once

#include <perdure/plugin.h>

#include <exception>
#include <string>
#include <string_view>
#include <type_traits>

#include <perdure/guard.hpp>
#include <perdure/hooks.hpp>
#include <perdure/locals.hpp>
#include <perdure/options_json.hpp>
#include <perdure/text.hpp>
#include <perdure/trampoline.hpp>

namespace perdure::detail {

template <const auto& task>
perdure_status register_task(const perdure_registrar* registrar) {
  check_options<task>();
  const std::string options = options_json(task);
  perdure_task entry{};
  entry.struct_size = sizeof entry;
  entry.id = str(task.id.text);
  entry.options = str(options);
  entry.run = &call_run<task>;
  if constexpr (has_hooks<task>()) {
    const perdure_hooks hooks = hooks_of<task>();
    entry.hooks = &hooks;
    return registrar->task(registrar, &entry);
  } else {
    return registrar->task(registrar, &entry);
  }
}

template <const auto& item>
constexpr bool is_self_test = std::is_same_v<std::remove_cvref_t<decltype(item)>, SelfTest>;

template <const auto& item>
perdure_status register_item(const perdure_registrar* registrar) {
  if constexpr (is_self_test<item>) {
    return PERDURE_OK;  // a part of the plugin's own declaration
  } else if constexpr (std::is_same_v<std::remove_cvref_t<decltype(item)>, Hooks>) {
    const perdure_hooks hooks = hooks_of<item>();
    return registrar->hooks(registrar, &hooks, item.global ? PERDURE_HOOKS_GLOBAL : 0);
  } else {
    return register_task<item>(registrar);
  }
}

template <const auto& item>
void declare_self_test(perdure_plugin& plugin) {
  if constexpr (is_self_test<item>) plugin.self_test = &call_self_test<item>;
}

template <const auto&... items>
perdure_status register_all(const perdure_registrar* registrar, std::string_view name, std::string_view version) {
  static_assert((0 + ... + int{is_self_test<items>}) <= 1, "a plugin has at most one SelfTest; let it call the others");
  try {
    perdure_plugin plugin{};
    plugin.struct_size = sizeof plugin;
    plugin.abi_minor = PERDURE_ABI_MINOR;
    plugin.name = str(name);
    plugin.version = str(version);
    (declare_self_test<items>(plugin), ...);
    plugin.drop_local = &drop_locals;
    perdure_status status = registrar->plugin(registrar, &plugin);
    (void)((status == PERDURE_OK && (status = register_item<items>(registrar), status == PERDURE_OK)) && ...);
    return status;
  } catch (const std::exception& e) {
    registrar->fail(registrar, str(e.what()));
  } catch (...) {
    registrar->fail(registrar, PERDURE_STR("an exception that is no std::exception left the registration"));
  }
  return PERDURE_FAILED;
}

}  // namespace perdure::detail
