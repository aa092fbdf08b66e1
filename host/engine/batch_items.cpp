#include "host/engine/batch_items.h"

#include <utility>

#include "host/engine/new_run.h"

namespace perdure::engine {

std::string name_of(const BatchRequest& request) {
  std::vector<store::TaskId> tasks;
  for (const TriggerRequest& item : request.items) tasks.push_back(item.task);
  return store::batch_name(tasks);
}

store::Result<store::BatchItems> batch_items(BatchRequest request, const catalog::Snapshot& offered,
                                             const store::Store& store, store::Time now) {
  const store::Result<Line> line = line_below(store, request.parent);
  if (!line) return line.status();
  store::BatchItems items;
  items.fresh = request.id.empty();
  items.batch = std::move(items.fresh ? request.told : request.id);
  if (items.batch.empty()) items.batch = store::new_batch_id(now);
  items.now = now;
  items.parent = line->parent;
  items.call = request.call;
  if (request.call != 0) items.name = name_of(request);
  items.runs.reserve(request.items.size());
  for (std::uint32_t index = 0; index < request.items.size(); ++index) {
    TriggerRequest& item = request.items[index];
    const bool unmergeable = item.debounce.has_value();
    const store::TaskId task = unmergeable || !request.whole ? item.task : store::TaskId();
    store::Result<store::NewRun> run = unmergeable
                                           ? store::Status::invalid(
                                                 "a debounce may let several triggers make one run, and each item of a "
                                                 "batch makes its own: trigger it alone")
                                           : new_run_of(std::move(item), offered, now);
    if (run) {
      line->put(*run);
      items.runs.push_back(std::move(*run));
    } else if (run.status().code() == store::Code::kUnavailable) {
      return run.status();
    } else if (request.whole) {
      return store::Status(run.status().code(), "item " + std::to_string(index) + ": " + run.status().message());
    } else {
      items.faults.push_back({index, task, run.status().message()});
    }
  }
  return items;
}

void begin_at(store::NewRun& run, store::Time now) {
  if (run.delayed_until && !run.calendar) *run.delayed_until += now - run.now;
  run.since = now;
}

std::string batch_json(const store::BatchId& batch, const std::vector<store::RunId>& runs) {
  std::string json = "{\"id\":\"" + batch.text() + "\",\"runs\":[";
  json.reserve(json.size() + runs.size() * 33 + 2);
  for (const store::RunId& run : runs) {
    if (json.back() != '[') json += ',';
    json.append("\"").append(run.text()).append("\"");
  }
  return json += "]}";
}

}  // namespace perdure::engine
