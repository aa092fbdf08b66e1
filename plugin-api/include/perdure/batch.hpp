// Several runs that are triggered together, all or none. Values.
#pragma once

#include <perdure/plugin.h>

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <perdure/json_write.hpp>
#include <perdure/text.hpp>
#include <perdure/trigger.hpp>
#include <perdure/wait.hpp>

namespace perdure {

/// A batch that was triggered: its runs in the order of its items.
struct BatchHandle {
  std::string id;
  std::vector<RunHandle> runs;
};

/// One trigger of a batch of several tasks; made by item().
struct BatchItem {
  std::string task_id;
  std::string payload;  // JSON
  std::string options;  // JSON, or empty
};

/// item(hello, {.name = "Ada"}, {.delay = 5min})
template <class In, class Out>
BatchItem item(const Task<In, Out>& task, const std::type_identity_t<In>& payload, const TriggerOptions& options = {}) {
  return {std::string(task.id.text), detail::payload_json(payload), detail::trigger_json(options)};
}
/// The same for a task of another plugin, by its id.
template <class T>
BatchItem item(std::string_view task_id, const T& payload, const TriggerOptions& options = {}) {
  return {std::string(task_id), detail::payload_json(payload), detail::trigger_json(options)};
}

/// How the runs of an awaited batch ended, in the order of its items.
template <class T>
class BatchResult : public std::vector<RunResult<T>> {
 public:
  /// All outputs, or RunFailed thrown for the first run that did not complete.
  std::vector<T> unwrap() const {
    std::vector<T> outputs;
    outputs.reserve(this->size());
    for (const RunResult<T>& each : *this) outputs.push_back(each.unwrap());
    return outputs;
  }
};

namespace detail {

/// Of an array of {"ok":true,"runId","output"} or {"ok":false,"runId","error"}.
template <class Out>
BatchResult<Out> ends_of(std::string_view text) {
  BatchResult<Out> ends;
  for (const json::value& each : from_json<json::array>(text)) {
    const json::object& end = each.get_object();
    if (end.at("ok").get_bool()) {
      ends.push_back(RunResult<Out>(read<Out>(end.at("output"), JsonPlace{})));
    } else {
      ends.push_back(RunResult<Out>(run_error(end.at("error").get_object())));
    }
  }
  return ends;
}

/// The items as the C interface takes them; valid while they are.
class Triggers {
 public:
  explicit Triggers(const std::vector<BatchItem>& items) {
    triggers_.reserve(items.size());
    for (const BatchItem& each : items) {
      perdure_trigger& trigger = triggers_.emplace_back();
      trigger.struct_size = sizeof trigger;
      trigger.task_id = str(each.task_id);
      trigger.payload = str(each.payload);
      trigger.options = str(each.options);
    }
    for (const perdure_trigger& each : triggers_) pointers_.push_back(&each);
  }
  const perdure_trigger* const* data() const noexcept { return pointers_.data(); }
  std::size_t size() const noexcept { return pointers_.size(); }

 private:
  std::vector<perdure_trigger> triggers_;
  std::vector<const perdure_trigger*> pointers_;
};

}  // namespace detail
}  // namespace perdure
