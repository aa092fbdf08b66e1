// Parts of the JSON of tasks and plugins that several routes write. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/api/json_text.h"
#include "host/engine/engine.h"

namespace perdure::api {

/// `"name": ["...", ...]`.
inline void put_texts(JsonText& json, std::string_view name, const std::vector<std::string>& texts) {
  json.key(name).begin_array();
  for (const std::string& text : texts) json.text(text);
  json.end_array();
}

/// Why a task is in quarantine: {"task", "reason", "since", "nextProbe"?, "backtrace"?}.
inline void put_held(JsonText& json, const catalog::Held& held) {
  json.begin_object().text("task", held.task.text()).text("reason", held.reason).time("since", held.since);
  if (held.probe_at) json.time("nextProbe", *held.probe_at);
  if (!held.backtrace.empty()) json.text("backtrace", held.backtrace);
  json.end_object();
}

}  // namespace perdure::api
