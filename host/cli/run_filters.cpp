#include "host/cli/run_filters.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <tuple>
#include <utility>

#include "host/cli/http_client.h"
#include "host/cli/json_view.h"
#include "store/model/duration.h"
#include "store/model/timestamp.h"

namespace perdure::cli {
namespace {

using store::Result;
using store::Status;

// A time, or how long ago, as milliseconds since the epoch.
Result<std::string> moment(const std::string& name, const std::string& text) {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  if (const auto ago = store::parse_duration(text)) {
    return std::to_string((now - ago.value()).time_since_epoch().count());
  }
  const auto time = store::parse_time(text);
  if (time) return std::to_string(time.value().time_since_epoch().count());
  return Status::invalid(name + ": \"" + text +
                         "\" is neither a time such as 2030-01-01T09:00:00Z nor how long ago, such as 1h30m");
}

// Each filter that was given: its name in a query, in a bulk action's filter, and its values.
struct Given {
  std::string in_query, in_json;
  std::vector<std::string> values;
};

Result<std::vector<Given>> given(const RunFilters& filters) {
  std::vector<Given> all;
  const auto add = [&](const char* in_query, const char* in_json, std::vector<std::string> values) {
    if (!values.empty()) all.push_back({in_query, in_json, std::move(values)});
  };
  const auto one = [](const std::string& text) {
    return text.empty() ? std::vector<std::string>() : std::vector<std::string>{text};
  };
  std::vector<std::string> statuses = filters.statuses;
  for (std::string& status : statuses) {
    std::ranges::transform(status, status.begin(), [](char c) { return c >= 'a' && c <= 'z' ? char(c - 32) : c; });
  }
  add("filter[status]", "status", statuses);
  add("filter[taskIdentifier]", "taskIdentifier", filters.tasks);
  add("filter[tag]", "tag", filters.tags);
  add("filter[queue]", "queue", filters.queues);
  add("filter[schedule]", "schedule", filters.schedules);
  add("filter[batch]", "batch", one(filters.batch));
  add("filter[bulkAction]", "bulkAction", one(filters.bulk_action));
  for (const auto& [in_query, in_json, flag, text] :
       {std::tuple{"filter[createdAt][from]", "from", "--since", &filters.since},
        std::tuple{"filter[createdAt][to]", "to", "--until", &filters.until}}) {
    if (text->empty()) continue;
    const auto at = moment(flag, *text);
    if (!at) return at.status();
    add(in_query, in_json, {at.value()});
  }
  return all;
}

}  // namespace

Result<std::string> query_of(const RunFilters& filters) {
  const auto all = given(filters);
  if (!all) return all.status();
  std::string query;
  for (const Given& each : *all) {
    std::string list;
    for (const std::string& value : each.values) list += (list.empty() ? "" : ",") + value;
    query += "&" + percent_encoded(each.in_query) + "=" + percent_encoded(list);
  }
  return query;
}

Result<std::string> filter_json(const RunFilters& filters) {
  const auto all = given(filters);
  if (!all) return all.status();
  std::string json = "{";
  for (const Given& each : *all) {
    std::string list;
    for (const std::string& value : each.values) list += (list.empty() ? "" : ",") + json_string(value);
    json += (json == "{" ? "\"" : ",\"") + each.in_json + "\":[" + list + "]";
  }
  return json + "}";
}

void add_run_filters(CLI::App& verb, RunFilters& filters) {
  verb.add_option("--status", filters.statuses, "Only runs in this status, such as FAILED; repeat or a,b for more")
      ->delimiter(',')
      ->allow_extra_args(false);
  verb.add_option("--task", filters.tasks, "Only runs of this task; repeat or a,b for more")
      ->delimiter(',')
      ->allow_extra_args(false);
  verb.add_option("--schedule", filters.schedules, "Only runs that this schedule made; repeat for any of more")
      ->allow_extra_args(false);
  verb.add_option("--batch", filters.batch, "Only runs that this batch made");
  verb.add_option("--bulk-action", filters.bulk_action, "Only runs that this bulk action canceled or made");
  verb.add_option("--since", filters.since, "Only runs created since then: a time, or how long ago (1h)");
  verb.add_option("--until", filters.until, "Only runs created until then: a time, or how long ago");
}

void add_tag_and_queue_filters(CLI::App& verb, RunFilters& filters) {
  verb.add_option("--tag", filters.tags, "Only runs with this tag; repeat for any of more")->allow_extra_args(false);
  verb.add_option("--queue", filters.queues, "Only runs of this queue, task/ID for a task's own; repeat for more")
      ->allow_extra_args(false);
}

}  // namespace perdure::cli
