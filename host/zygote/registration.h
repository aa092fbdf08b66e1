// What a plugin says of itself through the registrar: copied during the call and checked for what only the plugin can
// get wrong (ids, duplicates, missing functions). Options pass through as the JSON text they are; the host judges them.
// Single-threaded; lives as long as the process, because task functions are called through it.
#pragma once

#include <perdure/plugin.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace perdure::zygote {

struct TaskEntry {
  std::string id;
  std::string options;  // JSON object, or empty
  void* user = nullptr;
  perdure_task_fn run = nullptr;
  std::vector<const char*> hooks;  // the names of those given
  perdure_hooks table{};           // the same as functions
};

/// Hooks that stand around every task of the plugin, or of the host.
struct HooksEntry {
  bool global = false;
  std::vector<const char*> hooks;
  perdure_hooks table{};
};

/// What the plugin wants called at the end of an attempt that keeps something (perdure_plugin.drop_local).
struct DropLocal {
  perdure_task_fn function = nullptr;  // null: nothing
  void* user = nullptr;
};

class Registration {
 public:
  Registration();
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

  /// What to hand to perdure_register_v1. Valid as long as this object.
  const perdure_registrar* registrar() const { return &registrar_; }
  /// After the entry point returned `status`: why the plugin must be refused; empty when it need not.
  std::string verdict(perdure_status status) const;

  const std::string& plugin() const { return plugin_; }
  const std::string& version() const { return version_; }
  std::uint32_t abi_minor() const { return abi_minor_; }
  const std::vector<TaskEntry>& tasks() const { return tasks_; }
  /// Without an id, and without a run function when the plugin has no self test.
  const TaskEntry& self_test() const { return self_test_; }
  const std::vector<HooksEntry>& hooks() const { return hooks_; }
  const DropLocal& drop_local() const { return drop_local_; }
  const std::vector<std::string>& warnings() const { return warnings_; }
  void warn(std::string warning) { warnings_.push_back(std::move(warning)); }

  /// Keeps another plugin of this process, of which only the global hooks count.
  void put_beside(std::unique_ptr<const Registration> other) { beside_.push_back(std::move(other)); }
  const std::vector<std::unique_ptr<const Registration>>& beside() const { return beside_; }

 private:
  static perdure_status on_plugin(const perdure_registrar* self, const perdure_plugin* plugin) noexcept;
  static perdure_status on_task(const perdure_registrar* self, const perdure_task* task) noexcept;
  static perdure_status on_hooks(const perdure_registrar* self, const perdure_hooks* hooks,
                                 std::uint32_t flags) noexcept;
  static void on_fail(const perdure_registrar* self, perdure_str why) noexcept;
  perdure_status refuse(std::string why);
  perdure_status add_plugin(const perdure_plugin& plugin);
  perdure_status add_task(const perdure_task& task);
  perdure_status add_hooks(const perdure_hooks& hooks, std::uint32_t flags);

  perdure_registrar registrar_{};
  bool declared_ = false;
  std::string plugin_, version_;
  std::uint32_t abi_minor_ = 0;
  TaskEntry self_test_;
  DropLocal drop_local_;
  std::vector<TaskEntry> tasks_;
  std::vector<HooksEntry> hooks_;
  std::vector<std::string> warnings_;
  std::vector<std::unique_ptr<const Registration>> beside_;
  std::string fault_;  // the first thing found wrong by us
  std::string words_;  // the plugin's own, from fail()
};

/// The JSON text of kLoaded: what `registration` holds, and how attempts must be isolated. `isolation_reason` empty: by
/// fork.
std::string manifest_json(const Registration& registration, std::string_view isolation_reason);

}  // namespace perdure::zygote
