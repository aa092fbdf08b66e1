#include "host/process/hook_set.h"

#include <array>

namespace perdure::process {
namespace {

constexpr std::array<std::string_view, kHookCount> kNames = {
    "middleware", "on_start_attempt", "on_start", "init",    "on_success", "catch_error",
    "on_failure", "on_complete",      "cleanup",  "on_wait", "on_resume",  "on_cancel"};

}  // namespace

std::string_view hook_name(Hook hook) { return kNames[static_cast<std::size_t>(hook)]; }

std::optional<Hook> parse_hook(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Hook>(i);
  }
  return std::nullopt;
}

std::vector<std::string> HookSet::names() const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (has(static_cast<Hook>(i))) names.emplace_back(kNames[i]);
  }
  return names;
}

HookSet HookSet::named(const std::vector<std::string>& names) {
  HookSet set;
  for (const std::string& name : names) {
    if (const std::optional<Hook> hook = parse_hook(name)) set.add(*hook);
  }
  return set;
}

}  // namespace perdure::process
