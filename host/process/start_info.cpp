#include "host/process/start_info.h"

#include "host/process/json_slices.h"

namespace perdure::process {
namespace {

void append_only(std::string& json, const HooksOnly& only) {
  char separator = '[';
  json += ",\"only\":";
  for (const Hook hook : {Hook::kCatchError, Hook::kOnCancel, Hook::kOnFailure, Hook::kOnComplete}) {
    if (!only.hooks.has(hook)) continue;
    json += separator;
    append_string(json, hook_name(hook));
    separator = ',';
  }
  json += separator == '[' ? "[]" : "]";
  if (!only.error.empty()) json += ",\"error\":" + only.error;
  json += ",\"reason\":";
  append_string(json, only.reason);
}

}  // namespace

std::string start_info(const AttemptSpec& spec, const SupervisorOptions& options) {
  std::string json;
  json.reserve(192 + spec.context.size() + spec.config.size() + spec.environment.size());
  json += "{\"run\":";
  append_string(json, spec.run.text());
  json += ",\"attempt\":" + std::to_string(spec.number);
  json += ",\"heartbeat_ms\":" + std::to_string(options.heartbeat_interval.count());
  json += ",\"output_limit\":" + std::to_string(options.output_limit);
  json += ",\"log_limit\":" + std::to_string(options.log_limit);
  if (!spec.sandbox.network) json += ",\"network\":false";
  if (!spec.sandbox.exec) json += ",\"exec\":false";
  if (spec.machine.memory > 0) json += ",\"memory_limit\":" + std::to_string(spec.machine.memory);
  if (spec.replay > 0) json += ",\"replay\":" + std::to_string(spec.replay);
  if (spec.resumed_call > 0) json += ",\"resumed\":" + std::to_string(spec.resumed_call);
  if (spec.only) append_only(json, *spec.only);
  json += spec.recycle_after > 1 ? ",\"recycle\":true" : ",\"recycle\":false";
  json += ",\"context\":";
  json += spec.context.empty() ? "{}" : spec.context;
  json += ",\"config\":";
  json += spec.config.empty() ? "{}" : spec.config;
  if (!spec.environment.empty()) json += ",\"environment\":" + spec.environment;
  if (!spec.configs.empty()) {
    char separator = '{';
    json += ",\"configs\":";
    for (const auto& [plugin, config] : spec.configs) {
      json += separator;
      append_string(json, plugin);
      json += ':' + config;
      separator = ',';
    }
    json += '}';
  }
  json += '}';
  return json;
}

}  // namespace perdure::process
