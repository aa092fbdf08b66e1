// GET /api/v1/runs: pages of runs, newest first, filtered by status, task, tag, schedule and time of creation.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/api/api.h"
#include "host/api/durable.h"
#include "host/api/errors.h"
#include "host/api/json_text.h"
#include "host/api/query.h"
#include "host/api/related_runs.h"
#include "host/api/run_json.h"

namespace perdure::api {
namespace {

using store::RunStatus;

constexpr std::size_t kLargestPage = 100;
constexpr int kMostStorePages = 50;  // looked through for one page of ours

constexpr std::string_view kParameters[] = {
    "filter[status]",        "filter[taskIdentifier]",    "filter[tag]", "filter[createdAt][from]",
    "filter[createdAt][to]", "filter[createdAt][period]", "page[size]",  "page[after]",
    "page[before]",          "filter[schedule]"};

std::optional<QueryFault> read_statuses(const Request& request, std::vector<RunStatus>& statuses) {
  std::string invalid;
  for (const std::string& name : list_parameter(request, "filter[status]")) {
    if (const std::optional<RunStatus> status = store::parse_status(name)) {
      statuses.push_back(*status);
    } else {
      invalid += (invalid.empty() ? "" : ", ") + name;
    }
  }
  if (invalid.empty()) return std::nullopt;
  return QueryFault{"filter[status]", "Invalid status values: " + invalid};
}

std::optional<QueryFault> read_times(const Request& request, store::RunFilter& filter) {
  std::optional<QueryFault> fault;
  filter.from = time_parameter(request, "filter[createdAt][from]", fault);
  filter.to = time_parameter(request, "filter[createdAt][to]", fault);
  if (const auto period = duration_parameter(request, "filter[createdAt][period]", fault)) {
    const store::Time since = wall_clock() - *period;
    filter.from = filter.from ? std::max(*filter.from, since) : since;
  }
  return fault;
}

std::optional<QueryFault> read_cursors(const Request& request, store::RunFilter& filter) {
  std::optional<QueryFault> fault;
  filter.limit = static_cast<std::size_t>(number_parameter(request, "page[size]", 1, kLargestPage, fault).value_or(25));
  for (const std::string_view name : {"page[after]", "page[before]"}) {
    const std::string* const cursor = request.parameter(name);
    if (cursor == nullptr || cursor->empty()) continue;
    if (!store::is_run_id(*cursor)) {
      return QueryFault{std::string(name), std::string(name) + " must be a cursor of an earlier answer"};
    }
    (name == "page[after]" ? filter.after : filter.before) = store::RunId(*cursor);
  }
  if (!filter.after.empty() && !filter.before.empty()) {
    return QueryFault{"page[before]", "page[after] and page[before] exclude each other"};
  }
  return fault;
}

std::optional<QueryFault> read_filter(const Request& request, store::RunFilter& filter) {
  for (const Field& parameter : request.query) {
    // A filter that is left out would show runs that were not asked for.
    if (std::ranges::find(kParameters, parameter.name) == std::end(kParameters)) {
      return QueryFault{parameter.name,
                        parameter.name +
                            " is no parameter of this list; it takes filter[status], "
                            "filter[taskIdentifier], filter[tag], filter[schedule], "
                            "filter[createdAt][from], [to] and [period], page[size], page[after] and page[before]"};
    }
  }
  if (auto fault = read_statuses(request, filter.statuses)) return fault;
  for (std::string& task : list_parameter(request, "filter[taskIdentifier]"))
    filter.tasks.emplace_back(std::move(task));
  filter.tags = list_parameter(request, "filter[tag]");
  for (std::string& schedule : list_parameter(request, "filter[schedule]")) {
    filter.schedules.emplace_back(std::move(schedule));
  }
  if (auto fault = read_times(request, filter)) return fault;
  return read_cursors(request, filter);
}

bool contains(const std::vector<RunStatus>& statuses, RunStatus status) {
  return std::ranges::find(statuses, status) != statuses.end();
}

// The page of runs that are told to be in the filter's statuses. A run in its backoff is stored as DELAYED and told as
// QUEUED, so where just one of the two is asked for, the store's pages hold runs that are left out here.
store::Result<store::RunPage> public_page(const store::Store& store, store::RunFilter filter) {
  const std::vector<RunStatus> wanted = filter.statuses;
  if (contains(wanted, RunStatus::kQueued) == contains(wanted, RunStatus::kDelayed)) return store.list(filter);
  if (contains(wanted, RunStatus::kQueued)) filter.statuses.push_back(RunStatus::kDelayed);
  const bool backward = !filter.before.empty();
  const std::size_t size = filter.limit;
  filter.limit = kLargestPage;
  store::RunPage page;
  bool more = true;  // in the direction of travel
  for (int looked = 0; more && page.runs.size() <= size && looked < kMostStorePages; ++looked) {
    store::Result<store::RunPage> part = store.list(filter);
    if (!part) return part.status();
    std::vector<store::Run>& runs = part->runs;
    if (looked == 0) (backward ? page.more_after : page.more_before) = backward ? part->more_after : part->more_before;
    more = (backward ? part->more_before : part->more_after) && !runs.empty();
    if (more) (backward ? filter.before : filter.after) = backward ? runs.front().id : runs.back().id;
    std::erase_if(runs, [&](const store::Run& run) { return !contains(wanted, public_status(run)); });
    page.runs.insert(backward ? page.runs.begin() : page.runs.end(), std::make_move_iterator(runs.begin()),
                     std::make_move_iterator(runs.end()));
  }
  if (page.runs.size() > size) {
    more = true;
    const auto extra = static_cast<std::ptrdiff_t>(page.runs.size() - size);
    page.runs.erase(backward ? page.runs.begin() : page.runs.end() - extra,
                    backward ? page.runs.begin() + extra : page.runs.end());
  }
  (backward ? page.more_before : page.more_after) = more;
  return page;
}

std::string page_document(const store::Store& store, const store::RunPage& page) {
  JsonText json;
  json.begin_object().key("data").begin_array();
  for (const store::Run& run : page.runs) {
    json.begin_object();
    put_summary(json, as_it_is(store, run));
    json.end_object();
  }
  json.end_array().key("pagination").begin_object();
  if (page.more_after && !page.runs.empty()) json.text("next", page.runs.back().id.text());
  if (page.more_before && !page.runs.empty()) json.text("previous", page.runs.front().id.text());
  json.end_object().end_object();
  return json.take();
}

}  // namespace

Handling list_runs(Api& api, ExchangePtr exchange) {
  store::RunFilter filter;
  if (const std::optional<QueryFault> fault = read_filter(exchange->request(), filter)) {
    exchange->reply(query_error(fault->parameter, fault->message));
    co_return;
  }
  const store::Result<store::RunPage> page = public_page(api.engine.store(), std::move(filter));
  if (!page) {
    exchange->reply(error_response(page.status()));
    co_return;
  }
  const auto written = all_written(api);
  const store::Status durable = co_await until_ok(*exchange, written);
  std::optional<Response> refusal = unless_durable(durable);
  exchange->reply(refusal ? std::move(*refusal) : ok(page_document(api.engine.store(), page.value())));
}

}  // namespace perdure::api
