// A plugin as a whole in a test: registered in the test's process by its entry point, linked in or from a file, in C++
// or anything else. It is checked as the host checks it. One thread for each attempt; several attempts may run at once.
#pragma once

#include <dlfcn.h>
#include <perdure/plugin.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <perdure/json.hpp>
#include <perdure/json_write.hpp>
#include <perdure/testing/lifecycle.hpp>

namespace perdure::testing {

/// A task of a registered plugin. Points into its Plugin.
class PluginTask {
 public:
  PluginTask(const detail::Entry& entry) noexcept : entry_(entry) {}  // NOLINT(google-explicit-constructor)

  const std::string& id() const noexcept { return entry_.id; }
  /// The options document as registered; empty when there is none.
  const json::object& options() const noexcept { return entry_.options; }

  /// Executes one attempt: task.run({{"name", "Ada"}}).
  Result run(const json::value& payload = nullptr, const Options& options = {}) const {
    return detail::execute(entry_, to_json(payload), options);
  }
  /// The same with the payload as JSON text, byte for byte, which may also be none.
  Result run_json(std::string payload, const Options& options = {}) const {
    return detail::execute(entry_, std::move(payload), options);
  }

 private:
  const detail::Entry& entry_;
};

class Plugin {
 public:
  using EntryPoint = perdure_status (*)(const perdure_registrar*);

  /// Registers: Plugin plugin(perdure_register_v1). What is wrong with it is in refusal().
  explicit Plugin(EntryPoint entry) { load(entry); }
  /// Loads a shared object, which stays in the process.
  explicit Plugin(const std::string& path) {
    void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    void* const entry = library != nullptr ? dlsym(library, "perdure_register_v1") : nullptr;
    if (entry == nullptr) {
      const char* const why = dlerror();
      refusal_ = why != nullptr ? why : path + " has no perdure_register_v1";
    } else {
      load(reinterpret_cast<EntryPoint>(entry));
    }
  }
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  /// Why a host would not load it, in one sentence; empty when it would.
  const std::string& refusal() const noexcept { return refusal_; }
  const std::string& name() const noexcept { return name_; }
  const std::string& version() const noexcept { return version_; }
  std::vector<std::string> task_ids() const {
    std::vector<std::string> ids;
    for (const detail::Entry& entry : tasks_) ids.push_back(entry.id);
    return ids;
  }
  /// Whether it has a self test, and what comes of it: Result::succeeded() when the plugin may serve.
  bool has_self_test() const noexcept { return self_test_.run != nullptr; }
  Result self_test(Options options = {}) const {
    if (!has_self_test()) throw std::logic_error("the plugin has no self test");
    options.run_id.clear();
    return detail::execute(self_test_, "null", options);
  }
  /// The task named `id`. Throws std::out_of_range when there is none, or the plugin was refused.
  PluginTask task(std::string_view id) const {
    const auto found = std::find_if(tasks_.begin(), tasks_.end(), [id](const auto& entry) { return entry.id == id; });
    if (refusal_.empty() && found != tasks_.end()) return *found;
    throw std::out_of_range("no task \"" + std::string(id) +
                            "\": " + (refusal_.empty() ? "the plugin does not register it" : refusal_));
  }

 private:
  static Plugin& self(const perdure_registrar* registrar) { return *static_cast<Plugin*>(registrar->host); }

  void load(EntryPoint entry) {
    perdure_registrar registrar{};
    registrar.struct_size = sizeof registrar;
    registrar.abi_major = PERDURE_ABI_MAJOR;
    registrar.abi_minor = PERDURE_ABI_MINOR;
    registrar.host = this;
    registrar.plugin = [](const perdure_registrar* r, const perdure_plugin* plugin) {
      return self(r).add_plugin(*plugin);
    };
    registrar.task = [](const perdure_registrar* r, const perdure_task* task) { return self(r).add_task(*task); };
    registrar.hooks = [](const perdure_registrar* r, const perdure_hooks* hooks, std::uint32_t flags) {
      return self(r).add_hooks(*hooks, flags);
    };
    registrar.fail = [](const perdure_registrar* r, perdure_str why) { self(r).words_ = detail::view(why); };
    const perdure_status status = entry(&registrar);
    if (!refusal_.empty()) return;
    if (!words_.empty()) {
      refusal_ = "the plugin refuses to register: " + words_;
    } else if (status != PERDURE_OK) {
      refusal_ = "perdure_register_v1 returned " + std::to_string(status) + " and did not say why";
    } else if (tasks_.empty() && around_.empty() && around_all_.empty()) {
      refusal_ = "the plugin registers no task and no hook";
    }
    for (detail::Entry& task : tasks_) {
      task.hooks.insert(task.hooks.begin(), around_.begin(), around_.end());
      task.hooks.insert(task.hooks.begin(), around_all_.begin(), around_all_.end());
    }
  }

  perdure_status refuse(std::string why) {
    if (refusal_.empty()) refusal_ = std::move(why);
    return PERDURE_INVALID;
  }
  perdure_status add_plugin(const perdure_plugin& plugin) {
    if (!name_.empty()) return refuse("the plugin declares itself twice; call registrar->plugin once");
    if (!PERDURE_HAS(&plugin, version))
      return refuse("perdure_plugin.struct_size is not set to sizeof(perdure_plugin)");
    name_ = detail::view(plugin.name);
    version_ = detail::view(plugin.version);
    if (name_.empty() || name_.size() > 128) return refuse("the plugin's name must have 1 to 128 bytes");
    if (PERDURE_HAS(&plugin, user)) {
      self_test_.run = plugin.self_test;
      self_test_.user = plugin.user;
      self_test_.options = {{"retry", {{"maxAttempts", 1}}}};
    }
    if (PERDURE_HAS(&plugin, drop_local)) {
      drop_local_ = plugin.drop_local;
      self_test_.drop_local = drop_local_;
      self_test_.plugin_user = plugin.user;
    }
    return PERDURE_OK;
  }
  perdure_status add_task(const perdure_task& task) {
    if (name_.empty()) return refuse("a task is registered before the plugin declared itself");
    if (!PERDURE_HAS(&task, run)) return refuse("perdure_task.struct_size is not set to sizeof(perdure_task)");
    detail::Entry entry{
        std::string(detail::view(task.id)), {}, task.user, task.run, {}, drop_local_, self_test_.plugin_user};
    const std::string quoted = "\"" + entry.id + "\"";
    const bool good = !entry.id.empty() && entry.id.size() <= 128 &&
                      entry.id.find_first_not_of(
                          "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:/-") == std::string::npos;
    if (!good) return refuse("task id " + quoted + " is not 1 to 128 of the characters A-Z a-z 0-9 _ . : / -");
    for (const detail::Entry& other : tasks_) {
      if (other.id == entry.id) return refuse("task id " + quoted + " is registered twice");
    }
    if (task.run == nullptr) return refuse("task " + quoted + " has no run function");
    if (task.options.len != 0) {
      const auto options = detail::value_of(task.options);
      if (!options || !options->is_object()) return refuse("the options of task " + quoted + " are no JSON object");
      entry.options = options->get_object();
    }
    if (PERDURE_HAS(&task, hooks) && task.hooks != nullptr) entry.hooks.push_back(whole(*task.hooks));
    tasks_.push_back(std::move(entry));
    return PERDURE_OK;
  }
  perdure_status add_hooks(const perdure_hooks& hooks, std::uint32_t flags) {
    if (name_.empty()) return refuse("hooks are registered before the plugin declared itself");
    if ((flags & ~PERDURE_HOOKS_GLOBAL) != 0) return refuse("registrar->hooks is called with unknown flags");
    (flags == PERDURE_HOOKS_GLOBAL ? around_all_ : around_).push_back(whole(hooks));
    return PERDURE_OK;
  }
  /// The table as this version knows it, whatever the plugin was compiled with.
  static perdure_hooks whole(const perdure_hooks& given) {
    perdure_hooks hooks{};
    std::memcpy(&hooks, &given, std::min<std::size_t>(given.struct_size, sizeof hooks));
    hooks.struct_size = sizeof hooks;
    return hooks;
  }

  std::string name_, version_, refusal_, words_;
  perdure_task_fn drop_local_ = nullptr;
  detail::Entry self_test_;  // without a run function: none
  std::vector<detail::Entry> tasks_;
  std::vector<perdure_hooks> around_all_, around_;  // every task of the host, of the plugin
};

}  // namespace perdure::testing
