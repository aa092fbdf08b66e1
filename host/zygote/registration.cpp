#include "host/zygote/registration.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <utility>

#include "host/protocol/message.h"
#include "host/zygote/json_text.h"

namespace perdure::zygote {
namespace {

static_assert(protocol::kAbiMinor == PERDURE_ABI_MINOR, "message.h tells the host which minor plugin.h is");

constexpr std::size_t kMaxId = 128;
constexpr std::size_t kMaxName = 128;

std::string_view text_of(perdure_str text) {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.len);
}

bool is_task_id(std::string_view id) {
  return !id.empty() && id.size() <= kMaxId && std::ranges::all_of(id, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_.:/-").find(c) != std::string_view::npos;
  });
}

std::string quoted(std::string_view text) { return "\"" + std::string(text.substr(0, 2 * kMaxId)) + "\""; }

void append_member(std::string& json, std::string_view key, std::string_view text) {
  append_json_string(json, key);
  json += ':';
  append_json_string(json, text);
}

template <typename Texts>
void append_list(std::string& json, const Texts& texts) {
  json += '[';
  bool first = true;
  for (const auto& text : texts) {
    if (!std::exchange(first, false)) json += ',';
    append_json_string(json, text);
  }
  json += ']';
}

// The names of the hooks that are given.
std::vector<const char*> names_of(const perdure_hooks& hooks) {
  std::vector<const char*> names;
#define PERDURE_HOOK(member) \
  if (PERDURE_HAS(&hooks, member) && hooks.member != nullptr) names.push_back(#member);
  PERDURE_HOOK(middleware)
  PERDURE_HOOK(on_start_attempt)
  PERDURE_HOOK(on_start)
  PERDURE_HOOK(init)
  PERDURE_HOOK(on_success)
  PERDURE_HOOK(catch_error)
  PERDURE_HOOK(on_failure)
  PERDURE_HOOK(on_complete)
  PERDURE_HOOK(cleanup)
  PERDURE_HOOK(on_wait)
  PERDURE_HOOK(on_resume)
  PERDURE_HOOK(on_cancel)
#undef PERDURE_HOOK
  return names;
}

// The table as this version knows it, whatever the plugin was compiled with.
perdure_hooks whole(const perdure_hooks& given) {
  perdure_hooks hooks{};
  std::memcpy(&hooks, &given, std::min<std::size_t>(given.struct_size, sizeof hooks));
  hooks.struct_size = sizeof hooks;
  return hooks;
}

// Calls `body`, turning what it throws into a refusal: nothing may cross into the plugin.
template <typename Body>
perdure_status guarded(Body body) noexcept {
  try {
    return body();
  } catch (...) {
    return PERDURE_OUT_OF_MEMORY;
  }
}

}  // namespace

Registration::Registration() {
  registrar_.struct_size = sizeof registrar_;
  registrar_.abi_major = PERDURE_ABI_MAJOR;
  registrar_.abi_minor = PERDURE_ABI_MINOR;
  registrar_.host = this;
  registrar_.plugin = on_plugin;
  registrar_.task = on_task;
  registrar_.hooks = on_hooks;
  registrar_.fail = on_fail;
}

perdure_status Registration::on_plugin(const perdure_registrar* self, const perdure_plugin* plugin) noexcept {
  auto* registration = static_cast<Registration*>(self->host);
  return guarded([&] { return registration->add_plugin(*plugin); });
}

perdure_status Registration::on_task(const perdure_registrar* self, const perdure_task* task) noexcept {
  auto* registration = static_cast<Registration*>(self->host);
  return guarded([&] { return registration->add_task(*task); });
}

perdure_status Registration::on_hooks(const perdure_registrar* self, const perdure_hooks* hooks,
                                      std::uint32_t flags) noexcept {
  auto* registration = static_cast<Registration*>(self->host);
  return guarded([&] { return registration->add_hooks(*hooks, flags); });
}

void Registration::on_fail(const perdure_registrar* self, perdure_str why) noexcept {
  auto* registration = static_cast<Registration*>(self->host);
  (void)guarded([&]() -> perdure_status {
    registration->words_ = text_of(why);
    return PERDURE_OK;
  });
}

perdure_status Registration::refuse(std::string why) {
  if (fault_.empty()) fault_ = std::move(why);
  return PERDURE_INVALID;
}

perdure_status Registration::add_plugin(const perdure_plugin& plugin) {
  if (declared_) return refuse("the plugin declares itself twice; call registrar->plugin once");
  if (!PERDURE_HAS(&plugin, version)) return refuse("perdure_plugin.struct_size is not set to sizeof(perdure_plugin)");
  const std::string_view name = text_of(plugin.name);
  if (name.empty() || name.size() > kMaxName) return refuse("the plugin's name must have 1 to 128 bytes");
  plugin_ = name;
  version_ = text_of(plugin.version);
  abi_minor_ = plugin.abi_minor;
  declared_ = true;
  if (PERDURE_HAS(&plugin, user)) {
    self_test_.run = plugin.self_test;
    self_test_.user = plugin.user;
  }
  if (PERDURE_HAS(&plugin, drop_local)) drop_local_ = {plugin.drop_local, plugin.user};
  if (abi_minor_ > PERDURE_ABI_MINOR) {
    warnings_.push_back("built for plugin interface 1." + std::to_string(abi_minor_) + "; this host offers 1." +
                        std::to_string(PERDURE_ABI_MINOR));
  }
  return PERDURE_OK;
}

perdure_status Registration::add_task(const perdure_task& task) {
  if (!declared_) return refuse("a task is registered before the plugin declared itself; call registrar->plugin first");
  if (!PERDURE_HAS(&task, run)) return refuse("perdure_task.struct_size is not set to sizeof(perdure_task)");
  const std::string_view id = text_of(task.id);
  if (!is_task_id(id)) {
    return refuse("task id " + quoted(id) + " is not 1 to 128 of the characters A-Z a-z 0-9 _ . : / -");
  }
  if (std::ranges::any_of(tasks_, [id](const TaskEntry& other) { return other.id == id; })) {
    return refuse("task id " + quoted(id) + " is registered twice");
  }
  if (task.run == nullptr) return refuse("task " + quoted(id) + " has no run function");
  const std::string_view options = text_of(task.options);
  if (!options.empty() && !is_json_object(options))
    return refuse("the options of task " + quoted(id) + " are no JSON object");

  TaskEntry entry;
  entry.id = id;
  entry.options = options;
  entry.user = task.user;
  entry.run = task.run;
  if (PERDURE_HAS(&task, hooks) && task.hooks != nullptr) {
    if (!PERDURE_HAS(task.hooks, user)) {
      return refuse("the hooks of task " + quoted(id) +
                    ": perdure_hooks.struct_size is not set to sizeof(perdure_hooks)");
    }
    entry.hooks = names_of(*task.hooks);
    entry.table = whole(*task.hooks);
  }
  tasks_.push_back(std::move(entry));
  return PERDURE_OK;
}

perdure_status Registration::add_hooks(const perdure_hooks& hooks, std::uint32_t flags) {
  if (!declared_) return refuse("hooks are registered before the plugin declared itself; call registrar->plugin first");
  if (!PERDURE_HAS(&hooks, user)) return refuse("perdure_hooks.struct_size is not set to sizeof(perdure_hooks)");
  if ((flags & ~PERDURE_HOOKS_GLOBAL) != 0)
    return refuse("registrar->hooks is called with flags this host does not know");
  hooks_.push_back({flags == PERDURE_HOOKS_GLOBAL, names_of(hooks), whole(hooks)});
  return PERDURE_OK;
}

std::string Registration::verdict(perdure_status status) const {
  if (!fault_.empty()) return fault_;
  if (!words_.empty()) return "the plugin refuses to register: " + words_;
  if (status != PERDURE_OK) return "perdure_register_v1 returned " + std::to_string(status) + " and did not say why";
  if (!declared_) return "perdure_register_v1 did not declare a plugin; it must call registrar->plugin";
  if (tasks_.empty() && hooks_.empty()) return "the plugin registers no task and no hook";
  return {};
}

std::string manifest_json(const Registration& registration, std::string_view isolation_reason) {
  std::string json = "{\"protocol\":" + std::to_string(protocol::kProtocolVersion) + ',';
  append_member(json, "plugin", registration.plugin());
  json += ',';
  append_member(json, "version", registration.version());
  json += ",\"abi_minor\":" + std::to_string(registration.abi_minor()) + ',';
  append_member(json, "isolation", isolation_reason.empty() ? "fork" : "spawn");
  std::vector<std::string> warnings = registration.warnings();
  if (!isolation_reason.empty()) {
    json += ',';
    append_member(json, "isolation_reason", isolation_reason);
    warnings.push_back("every attempt loads the plugin anew, because " + std::string(isolation_reason));
  }
  json += ",\"warnings\":";
  append_list(json, warnings);
  json += ",\"hooks\":[";
  for (const HooksEntry& entry : registration.hooks()) {
    if (&entry != registration.hooks().data()) json += ',';
    json += entry.global ? "{\"global\":true,\"hooks\":" : "{\"global\":false,\"hooks\":";
    append_list(json, entry.hooks);
    json += '}';
  }
  json += "],\"tasks\":[";
  for (const TaskEntry& task : registration.tasks()) {
    if (&task != registration.tasks().data()) json += ',';
    json += '{';
    append_member(json, "id", task.id);
    json += ",\"options\":";
    json += task.options.empty() ? "{}" : task.options;
    json += ",\"hooks\":";
    append_list(json, task.hooks);
    json += '}';
  }
  json += "]}";
  return json;
}

}  // namespace perdure::zygote
