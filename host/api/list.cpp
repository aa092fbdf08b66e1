// GET /api/v1/runs: pages of runs, newest first, filtered by what run_filter.h reads.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/api/access.h"
#include "host/api/api.h"
#include "host/api/durable.h"
#include "host/api/errors.h"
#include "host/api/json_text.h"
#include "host/api/query.h"
#include "host/api/related_runs.h"
#include "host/api/run_filter.h"
#include "host/api/run_json.h"

namespace perdure::api {
namespace {

constexpr std::size_t kLargestPage = 100;

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

std::optional<QueryFault> read_query(const Request& request, store::RunFilter& filter) {
  const store::Time now = wall_clock();
  for (const Field& parameter : request.query) {
    if (parameter.name == "page[size]" || parameter.name == "page[after]" || parameter.name == "page[before]") continue;
    const std::optional<std::string> name = filter_in(parameter.name);
    if (name == "env") {  // of a project's runs; there is one environment, and it has all runs
      const std::vector<std::string> environments = list_parameter(request, parameter.name);
      if (std::ranges::find(environments, "prod") != environments.end()) continue;
      return QueryFault{parameter.name, "this host has one environment, \"prod\""};
    }
    // A filter that is left out would show runs that were not asked for.
    if (!name) {
      return QueryFault{parameter.name, parameter.name +
                                            " is no parameter of this list; it takes page[size], "
                                            "page[after], page[before] and filter[…] of " +
                                            filter_names()};
    }
    if (std::string wrong = read_filter(*name, list_parameter(request, parameter.name), now, filter); !wrong.empty()) {
      return QueryFault{parameter.name, std::move(wrong)};
    }
  }
  return read_cursors(request, filter);
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
  if (page.more_after && !page.after.empty()) json.text("next", page.after.text());
  if (page.more_before && !page.before.empty()) json.text("previous", page.before.text());
  json.end_object().end_object();
  return json.take();
}

}  // namespace

Handling list_runs(Api& api, ExchangePtr exchange) {
  store::RunFilter filter;
  if (const std::optional<QueryFault> fault = read_query(exchange->request(), filter)) {
    exchange->reply(query_error(fault->parameter, fault->message));
    co_return;
  }
  if (std::optional<Response> refusal = refuse_list(exchange->request(), filter.tasks)) {
    exchange->reply(std::move(*refusal));
    co_return;
  }
  const store::Result<store::RunPage> page = api.engine.store().list(filter);
  if (!page) {
    exchange->reply(error_response(page.status()));
    co_return;
  }
  std::optional<Response> refusal = co_await refusal_unless_durable(*exchange, api);
  exchange->reply(refusal ? std::move(*refusal) : ok(page_document(api.engine.store(), page.value())));
}

}  // namespace perdure::api
