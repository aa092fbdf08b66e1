#include "host/process/manifest.h"

#include "host/process/json_slices.h"
#include "host/protocol/message.h"
#include "store/model/json_text.h"

namespace perdure::process {
namespace {

constexpr store::JsonLimits kLimits{protocol::kMaxJson, 128};

std::vector<std::string> strings_in(std::string_view array) {
  std::vector<std::string> list;
  for_each_element(array, [&list](std::string_view each) {
    if (auto text = string_of(each)) list.push_back(std::move(*text));
  });
  return list;
}

Manifest::Task parse_task(std::string_view json) {
  Manifest::Task task;
  for_each_member(json, [&task](std::string_view key, std::string_view value) {
    if (key == "id") task.id = string_of(value).value_or("");
    if (key == "options") task.options = value;
    if (key == "hooks") task.hooks = strings_in(value);
  });
  return task;
}

Manifest::Hooks parse_hooks(std::string_view json) {
  Manifest::Hooks entry;
  for_each_member(json, [&entry](std::string_view key, std::string_view value) {
    if (key == "global") entry.global = value == "true";
    if (key == "hooks") entry.hooks = strings_in(value);
  });
  return entry;
}

}  // namespace

store::Result<Manifest> parse_manifest(std::string_view json) {
  if (store::Status status = store::check_json(json, kLimits, "what the plugin registered"); !status) return status;
  Manifest manifest;
  std::int64_t protocol = 0;
  for_each_member(json, [&](std::string_view key, std::string_view value) {
    if (key == "protocol") protocol = integer_of(value).value_or(0);
    if (key == "plugin") manifest.plugin = string_of(value).value_or("");
    if (key == "version") manifest.version = string_of(value).value_or("");
    if (key == "abi_minor") manifest.abi_minor = static_cast<std::uint32_t>(integer_of(value).value_or(0));
    if (key == "isolation") manifest.isolation = string_of(value).value_or("");
    if (key == "isolation_reason") manifest.isolation_reason = string_of(value).value_or("");
    if (key == "warnings") manifest.warnings = strings_in(value);
    if (key == "hooks")
      for_each_element(value, [&](std::string_view entry) { manifest.hooks.push_back(parse_hooks(entry)); });
    if (key == "tasks")
      for_each_element(value, [&](std::string_view task) { manifest.tasks.push_back(parse_task(task)); });
  });
  if (protocol != protocol::kProtocolVersion) {
    return store::Status::invalid("perdure-zygote speaks protocol " + std::to_string(protocol) + ", this host " +
                                  std::to_string(protocol::kProtocolVersion) + "; install both from the same build");
  }
  if (manifest.plugin.empty() || (manifest.tasks.empty() && manifest.hooks.empty())) {
    return store::Status::invalid("the zygote's manifest names no plugin, or neither task nor hook");
  }
  manifest.newer_minor = manifest.abi_minor > protocol::kAbiMinor;
  return manifest;
}

std::string parse_reason(std::string_view json, std::string_view key) {
  std::string reason;
  if (store::check_json(json, kLimits)) {
    for_each_member(json, [&](std::string_view name, std::string_view value) {
      if (name == key) reason = string_of(value).value_or("");
    });
  }
  return reason.empty() ? "its zygote gave no reason" : reason;
}

}  // namespace perdure::process
