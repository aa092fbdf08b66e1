#include "host/process/hook_span.h"

#include <array>

#include "host/process/json_slices.h"
#include "host/process/utf8_text.h"
#include "host/protocol/message.h"
#include "store/model/json_text.h"

namespace perdure::process {
namespace {

constexpr store::JsonLimits kSpanLimits{protocol::kMaxJson, 128};
constexpr std::size_t kMaxName = 256;
constexpr std::size_t kMaxMessage = 4096;
constexpr std::array<std::string_view, 3> kScopes = {"task", "plugin", "global"};

std::string shortened(std::string_view json, std::size_t limit) {
  std::string text = string_of(json).value_or("");
  if (text.size() > limit) text.replace(whole_characters(text, limit), std::string::npos, "…");
  return text;
}

std::optional<HookScope> parse_scope(std::string_view name) {
  for (std::size_t i = 0; i < kScopes.size(); ++i) {
    if (kScopes[i] == name) return static_cast<HookScope>(i);
  }
  return std::nullopt;
}

}  // namespace

std::optional<HookSpan> read_hook_span(std::string_view json) {
  if (!store::check_json(json, kSpanLimits) || !is_object(json)) return std::nullopt;
  HookSpan span;
  std::optional<Hook> hook;
  std::optional<HookScope> scope;
  for_each_member(json, [&](std::string_view key, std::string_view value) {
    if (key == "hook") hook = parse_hook(string_of(value).value_or(""));
    if (key == "scope") scope = parse_scope(string_of(value).value_or(""));
    if (key == "startedAt") span.started_at = store::Time(store::Duration(integer_of(value).value_or(0)));
    if (key == "durationUs") span.duration = std::chrono::microseconds(integer_of(value).value_or(0));
    if (key == "ignored") span.ignored = value == "true";
    if (key == "error" && is_object(value)) {
      HookError& error = span.error.emplace();
      for_each_member(value, [&error](std::string_view name, std::string_view text) {
        if (name == "name") error.name = shortened(text, kMaxName);
        if (name == "message") error.message = shortened(text, kMaxMessage);
      });
    }
  });
  if (!hook || !scope) return std::nullopt;
  span.hook = *hook;
  span.scope = *scope;
  return span;
}

std::string hook_span_json(const HookSpan& span) {
  std::string json = "{\"hook\":\"" + std::string(hook_name(span.hook)) + "\",\"scope\":\"";
  json += kScopes[static_cast<std::size_t>(span.scope)];
  json += "\",\"startedAt\":" + std::to_string(span.started_at.time_since_epoch().count());
  json += ",\"durationUs\":" + std::to_string(span.duration.count());
  if (span.error) {
    json += ",\"error\":{\"name\":";
    append_string(json, span.error->name);
    json += ",\"message\":";
    append_string(json, span.error->message);
    json += '}';
    if (span.ignored) json += ",\"ignored\":true";
  }
  return json + '}';
}

}  // namespace perdure::process
