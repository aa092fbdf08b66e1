// The related runs in a run's document, and GET /perdure/v1/runs/{id}/children: all of a run's children, page by page.
#include "host/api/related_runs.h"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "host/api/api.h"
#include "host/api/durable.h"
#include "host/api/errors.h"
#include "host/api/query.h"
#include "host/api/run_json.h"

namespace perdure::api {
namespace {

void put_related(JsonText& json, store::Run run) {
  run.options.metadata.clear();  // which may be large, and is in the run's own document
  json.begin_object();
  put_summary(json, run);
  put_descent(json, run);
  json.end_object();
}

void put_related(JsonText& json, std::string_view name, const store::Store& store, const store::RunId& id) {
  if (id.empty()) return;
  if (store::Result<store::Run> run = store.run(id)) put_related(json.key(name), std::move(*run));
}

void put_all(JsonText& json, const store::Store& store, const std::vector<store::RunId>& ids) {
  json.begin_array();
  for (const store::RunId& id : ids) {
    if (store::Result<store::Run> run = store.run(id)) put_related(json, std::move(*run));
  }
  json.end_array();
}

}  // namespace

store::Run as_it_is(const store::Store& store, store::Run run) {
  if (!run.metadata_changed) return run;
  if (store::Result<std::string> metadata = store.metadata(run.id)) run.options.metadata = std::move(*metadata);
  return run;
}

std::string related_runs(const store::Store& store, const store::Run& run) {
  const store::Result<std::vector<store::RunId>> children = store.children(run.id, {}, kMostChildrenShown);
  JsonText json;
  json.begin_object();
  put_related(json, "root", store, run.root);
  put_related(json, "parent", store, run.parent);
  if (children && !children->empty()) put_all(json.key("children"), store, *children);
  json.end_object();
  return json.take();
}

Handling list_children(Api& api, ExchangePtr exchange) {
  const Request& request = exchange->request();
  const store::RunId id(request.argument);
  std::optional<QueryFault> fault;
  const std::uint64_t limit = number_parameter(request, "limit", 1, 100, fault).value_or(25);
  const std::string* const after = request.parameter("after");
  if (after != nullptr && !store::is_run_id(*after)) fault = {"after", "after must be the id of a child"};
  if (fault) {
    exchange->reply(query_error(fault->parameter, fault->message));
    co_return;
  }
  const store::RunId cursor(after == nullptr ? "" : *after);
  store::Result<std::vector<store::RunId>> children =
      store::is_run_id(id.text()) ? api.engine.store().children(id, cursor, limit + 1) : store::Status::not_found("");
  if (!children) {
    exchange->reply(children.status().code() == store::Code::kNotFound ? no_such("run", id.text())
                                                                       : error_response(children.status()));
    co_return;
  }
  const bool more = children->size() > limit;
  if (more) children->pop_back();
  JsonText json;
  put_all(json.begin_object().key("data"), api.engine.store(), *children);
  json.key("pagination").begin_object();
  if (more) json.text("next", children->back().text());
  json.end_object().end_object();
  std::optional<Response> refusal = co_await refusal_unless_durable(*exchange, api);
  exchange->reply(refusal ? std::move(*refusal) : ok(json.take()));
}

}  // namespace perdure::api
