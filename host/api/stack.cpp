// Where the threads of a run that executes now are: GET /perdure/v1/runs/{id}/stack.
#include "host/api/api.h"
#include "host/api/errors.h"
#include "host/api/json_text.h"

namespace perdure::api {

Handling show_stack(Api& api, ExchangePtr exchange) {
  const store::RunId id(exchange->request().argument);
  if (!store::is_run_id(id.text())) {
    exchange->reply(no_such("run", id.text()));
    co_return;
  }
  const auto ask = [&](store::Done<engine::RunStacks> done) { api.engine.stacks(id, std::move(done)); };
  const store::Result<engine::RunStacks> found = co_await until_done<engine::RunStacks>(*exchange, ask);
  if (!found) {
    exchange->reply(error_response(found.status()));
    co_return;
  }
  JsonText json;
  json.begin_object().text("id", found->run.text()).number("attempt", found->number);
  json.number("pid", found->stacks.pid).raw("threads", found->stacks.threads).text("text", found->stacks.text);
  json.end_object();
  exchange->reply(ok(json.take()));
}

}  // namespace perdure::api
