// POST /api/v2/runs/{id}/cancel: ends a run; one that has ended already is answered alike and left as it is.
#include <optional>
#include <utility>

#include "host/api/access.h"
#include "host/api/api.h"
#include "host/api/errors.h"
#include "host/api/json_text.h"

namespace perdure::api {

Handling cancel_run(Api& api, ExchangePtr exchange) {
  const store::RunId id(exchange->request().argument);
  if (!store::is_run_id(id.text())) {
    exchange->reply(no_such("run", id.text()));
    co_return;
  }
  if (std::optional<Response> refusal = refuse_run(exchange->request(), "write", api.engine.store(), id)) {
    exchange->reply(std::move(*refusal));
    co_return;
  }
  const auto ask = [&](store::Done<store::Run> done) {
    api.engine.cancel(id, "canceled through the API", std::move(done));
  };
  const store::Result<store::Run> run = co_await until_done<store::Run>(*exchange, ask);
  if (!run) {
    exchange->reply(error_response(run.status()));
    co_return;
  }
  JsonText json;
  json.begin_object().text("id", id.text()).end_object();
  exchange->reply(ok(json.take()));
}

}  // namespace perdure::api
