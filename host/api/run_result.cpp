// GET /api/v1/runs/{id}/result: what came of a run; 404 while nothing has.
#include "host/api/run_result.h"

#include <optional>
#include <utility>

#include "host/api/api.h"
#include "host/api/durable.h"
#include "host/api/errors.h"
#include "host/api/typed_error.h"

namespace perdure::api {

void put_result(JsonText& json, const store::Store& store, const store::Run& run) {
  json.begin_object()
      .boolean("ok", !ended_badly(run))
      .text("id", run.id.text())
      .text("taskIdentifier", run.task.text());
  if (ended_badly(run)) {
    put_typed_error(json.key("error"), run);
  } else if (const store::Result<std::string> output = store.output(run.id)) {
    json.text("output", output.value()).text("outputType", "application/json");
  }
  json.end_object();
}

Handling show_result(Api& api, ExchangePtr exchange) {
  const store::RunId id(exchange->request().argument);
  const store::Result<store::Run> run = store::is_run_id(id.text())
                                            ? api.engine.store().run(id)
                                            : store::Status::not_found("there is no run " + id.text());
  if (!run) {
    exchange->reply(error_response(run.status()));
    co_return;
  }
  if (!store::is_final(run->status)) {
    exchange->reply(error_response(404, "the run " + id.text() + " has no result yet"));
    co_return;
  }
  JsonText json;
  put_result(json, api.engine.store(), *run);
  std::optional<Response> refusal = co_await refusal_unless_durable(*exchange, api);
  exchange->reply(refusal ? std::move(*refusal) : ok(json.take()));
}

}  // namespace perdure::api
